"""The messages of notices to chats.

The database stores the name of a notice. This module has the message for each name.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from bot.domain.records import SUMMARY
from bot.domain.sentences import N_, NN_
from bot.presentation.html import Safe, bold, foreign_html
from bot.presentation.translation import Translator

RENAMED = "renamed"
REMOVED = "removed"
CANNOT_POST = "cannot post"
SENTENCES = {
    RENAMED: N_("✏️ <b>{old}</b> is now called <b>{new}</b>. Alerts continue."),
    "private": N_(
        "🔒 <b>{username}</b> is a private account now, so alerts have stopped. They'll "
        "start again when it's public."
    ),
    "gone": N_(
        "👻 I can't find <b>{username}</b> anymore. If the profile comes back, so will the alerts."
    ),
    "back": N_("👋 <b>{username}</b> is back. Alerts continue."),
    "blocked": N_("⏸ The bot's owner has paused the alerts from <b>{username}</b>."),
    "topic": N_("The topic was deleted, so its alerts now come here."),
    REMOVED: N_(
        "🔇 What I post in <b>{title}</b> is removed at once, perhaps by another bot there. From "
        "now on I'll try once a day."
    ),
    CANNOT_POST: N_(
        "🔇 I'm not allowed to post in <b>{title}</b>. Alerts are waiting until an admin "
        "allows it."
    ),
    "missed": N_(
        "⚠️ I couldn't check for a while. Stories from {names} posted between {from_} "
        "and {to} may be missing here."
    ),
}
MUTED = "muted"
AWAY = N_("🚪 I'm no longer in that chat, so it gets no alerts. Add me again to get them.")
MISSING_MEDIA = {
    "photos": N_("🔇 I'm not allowed to send photos here. They'll wait until an admin allows it."),
    "videos": N_("🔇 I'm not allowed to send videos here. They'll wait until an admin allows it."),
    "media": N_(
        "🔇 I'm not allowed to send photos or videos here. Alerts are waiting until an admin "
        "allows it."
    ),
    "documents": N_(
        "🔇 I'm not allowed to send files here. Alerts are waiting until an admin allows it."
    ),
    "gifs": N_(
        "🔇 I'm not allowed to send GIFs here. Alerts are waiting until an admin allows it."
    ),
}
MISSING = MISSING_MEDIA | {
    "text": N_("🔇 I'm not allowed to write there. Alerts are waiting until an admin allows it."),
    "posts": N_(
        "🔇 I'm not allowed to post in that channel. Alerts are waiting until an admin allows it."
    ),
    "peace": N_(
        "🔇 What I post there is removed at once, perhaps by another bot. Please ask an "
        "admin to allow my posts; I'll try again once a day."
    ),
    "topic": N_("🔇 The topic is closed. Alerts are waiting until it's open again."),
}
FAILED = NN_(
    "I couldn't send {n} new story from <b>{username}</b>. {why}",
    "I couldn't send {n} new stories from <b>{username}</b>. {why}",
)


SUMMARY_TITLE = NN_("📰 Daily summary: {n} new story", "📰 Daily summary: {n} new stories")
COUNTED = NN_("<b>{username}</b>: {n} story", "<b>{username}</b>: {n} stories")
MORE_PROFILES = NN_("… and {n} more profile", "… and {n} more profiles")
ENDED_BEFORE = NN_(
    "{n} story disappeared before I could send it.",
    "{n} stories disappeared before I could send them.",
)


def notice_messages(notice: str, rows: Sequence[Mapping[str, Any]], t: Translator) -> list[Safe]:
    """Return the messages for all due notices with the name ``notice``, without duplicates.

    ``rows`` has the fields of each notice. All notices of hours without checks share one message.
    """
    if notice == "missed":
        return [_unchecked_hours_sentence(rows, t)]
    sentences: dict[str, Callable[[Mapping[str, Any]], Safe]] = {
        "failed": lambda row: _failed_sentence(row, t),
        MUTED: lambda row: t(MISSING_MEDIA[row["missing"]]),
        "broadcast": lambda row: Safe(row["text"]),
        SUMMARY: lambda row: _summary_list(row, t),
    }
    sentence = sentences.get(notice, lambda row: t(SENTENCES[notice], **row))
    return list(dict.fromkeys(map(sentence, rows)))


def _unchecked_hours_sentence(rows: Sequence[Mapping[str, Any]], t: Translator) -> Safe:
    names = sorted({str(row["username"]) for row in rows})
    return t(
        SENTENCES["missed"],
        names=t.names(names, bold),
        from_=_time_from_ms(min(row["from"] for row in rows)),
        to=_time_from_ms(max(row["to"] for row in rows)),
    )


def _summary_list(row: Mapping[str, Any], t: Translator) -> Safe:
    """Return the list of a daily summary, with a line for each listed profile.

    Each line has the number of the profile's new stories.
    """
    lines = [t(SUMMARY_TITLE, n=row["n"])]
    counts = [t(COUNTED, username=name, n=count) for name, count, _ in row["posted"]]
    lines += [Safe(f"• {line}") for line in counts]
    if row["more"]:
        lines.append(t(MORE_PROFILES, n=row["more"]))
    if ended := sum(row["ended"].values()):
        lines.append(t(ENDED_BEFORE, n=ended))
    return Safe("\n".join(lines))


def _failed_sentence(row: Mapping[str, Any], t: Translator) -> Safe:
    why = t(str(row["why"]), username=row["username"], url=row.get("url", ""))
    sentence = t(FAILED, n=int(row["n"]), username=row["username"], why=why)
    if not row.get("title"):
        return sentence
    return t.labelled(bold(foreign_html(row["title"], rtl=t.is_rtl)), sentence)


def _time_from_ms(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, UTC)
