"""What is told to chats besides stories: each notice is a name in the store, a sentence here."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from bot.domain.errors import N_
from bot.presentation.html import Safe, bold
from bot.presentation.translation import Translator

SENTENCES = {
    "renamed": N_("✏️ <b>{old}</b> is called <b>{new}</b> now. The alerts go on."),
    "private": N_(
        "🔒 <b>{username}</b> is a private account now, so there are no alerts. They begin again "
        "by themselves when it is public."
    ),
    "gone": N_(
        "👻 <b>{username}</b> can't be found any more. If it comes back, so do the alerts."
    ),
    "back": N_("👋 <b>{username}</b> can be seen again. The alerts go on."),
    "ended": N_("<b>{username}</b> can't be followed with this bot, so its alerts have ended."),
    "topic": N_("The topic is gone, so its alerts come here now."),
    "missed": N_(
        "⚠️ I could not look for a while: stories of {names} posted between {from_} and {to} "
        "may be missing here."
    ),
}
MUTED = "muted"
AWAY = N_("🚪 I am not in that chat any more, so there are no alerts until I am back.")
MISSING_MEDIA = {
    "photos": N_(
        "🔇 I may not send photos here, so the alerts wait. They come when an administrator "
        "allows me to."
    ),
    "videos": N_(
        "🔇 I may not send videos here, so the alerts wait. They come when an administrator "
        "allows me to."
    ),
    "documents": N_(
        "🔇 I may not send files here, so the alerts wait. They come when an administrator "
        "allows me to."
    ),
    "gifs": N_(
        "🔇 I may not send GIFs here, so the alerts wait. They come when an administrator "
        "allows me to."
    ),
}
MISSING = MISSING_MEDIA | {
    "text": N_(
        "🔇 I may not write there, so the alerts wait until an administrator allows me to."
    ),
    "posts": N_(
        "🔇 I may not post in that channel, so the alerts wait until an administrator allows "
        "me to."
    ),
    "topic": N_("🔇 The topic is closed, so the alerts wait until it is open again."),
}
FAILED = (
    N_("{n} new story of <b>{username}</b> could not be brought: {why}"),
    N_("{n} new stories of <b>{username}</b> could not be brought: {why}"),
)


def render(notice: str, rows: Sequence[Mapping[str, Any]], t: Translator) -> list[Safe]:
    """Return the sentences for notices of one name that are due together, each once.

    Missed hours of several profiles become one line.
    """
    if notice == "missed":
        return [_missed(rows, t)]
    if notice == "failed":
        return list(dict.fromkeys(_failed(row, t) for row in rows))
    if notice == MUTED:
        return list(dict.fromkeys(t(MISSING_MEDIA[row["missing"]]) for row in rows))
    return list(dict.fromkeys(t(SENTENCES[notice], **row) for row in rows))


def _missed(rows: Sequence[Mapping[str, Any]], t: Translator) -> Safe:
    names = sorted({str(row["username"]) for row in rows})
    return t(
        SENTENCES["missed"],
        names=Safe(", ".join(bold(name) for name in names)),
        from_=_moment(min(row["from"] for row in rows)),
        to=_moment(max(row["to"] for row in rows)),
    )


def _failed(row: Mapping[str, Any], t: Translator) -> Safe:
    why = t(str(row["why"]), username=row["username"], url=row.get("url", ""))
    return t.n(*FAILED, int(row["n"]), username=row["username"], why=why)


def _moment(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, UTC)
