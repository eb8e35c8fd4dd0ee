"""Captions of stories and albums as HTML for Telegram, in the reader's language."""

import re
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from itertools import accumulate
from urllib.parse import parse_qs, quote_plus, urlsplit

from bot.domain.foreign_text import is_combining_mark, one_line
from bot.domain.model import Profile, Reshared, Story
from bot.domain.options import Options
from bot.domain.sentences import NN_
from bot.presentation.buttons import links_with_button
from bot.presentation.html import (
    Safe,
    bold,
    entities_size,
    foreign_html,
    link,
    truncate_plain,
    visible_length,
)
from bot.presentation.translation import Translator

# The maximum number of characters of a caption after parsing (Bot API, sendPhoto).
CAPTION_LENGTH = 1024
# The maximum size of a caption with its HTML, in bytes. Telegram's server refuses captions that
# have more than 32,768 bytes before parsing.
_MARKUP_BYTES = 16_384
# The maximum size of the entities of a caption, in bytes. Telegram's limit is about 9,500 bytes
# (telegram-bot-api#165). The bot's limit is lower, because Telegram adds entities that it finds in
# the text.
_ENTITIES_BYTES = 8_500
# The maximum size of the entities in a line of a caption, in bytes. Without this limit, ten long
# links would use up all space, and the whole line would be dropped.
_ONE_LIST_BYTES = 6_000
# The maximum length of the link at the end of a caption in any language, in characters.
LINK_ROOM = 40
# The maximum number of items in each list of a caption, for example in the list of the sponsors.
# The reason for the limit is that a message has at most 100 entities.
_NAMES = 10
_PROFILES = 5
# If all stories of an album were posted within this duration, the caption shows a single time of
# posting. The times of the first and the last story could have the same text, for example "2 hours
# ago".
_APART = timedelta(hours=1)
_LONG_AGO = timedelta(days=30)
_NAME_LENGTH, _LINK_LENGTH, _WORD_LENGTH = 64, 40, 50

_USERNAME = re.compile(r"[A-Za-z0-9._]{1,30}")
_WEB = re.compile(r"https?://[!-~]{1,2000}", re.IGNORECASE)


def caption(
    stories: Sequence[Story],
    t: Translator,
    *,
    now: datetime,
    options: Options | None = None,
    part: tuple[int, int] | None = None,
    spare: int = 0,
    title: str = "",
) -> Safe:
    """Return the caption of an album with stories of one profile, with at most 1,024 code points.

    A caption that is too long loses whole lines, the least important line first.

    - ``options`` are the options of the subscription, if the caption announces new stories.
    - ``part`` is the number of the album and the number of albums, such as (2, 3).
    - ``spare`` is the minimum number of unused code points.
    - ``title`` is the title of the highlight.
    """
    header = _header(stories, t, options)
    if part and part[1] > 1:
        header += f" · {part[0]}/{part[1]}"
    lines = [header]
    if name := truncate_plain(one_line(title), _NAME_LENGTH):
        lines.append(f"⭐ {bold(foreign_html(name, rtl=t.is_rtl))}")
    lines += ["🕒 " + _time_line(stories, t, now), *_expiry_lines(stories, t, now)]
    return _join_lines_within_limit(lines, _detail_lines(stories, t, options), t, spare)


def profile_link(profile: Profile, t: Translator) -> Safe:
    """Return the name and the handle of a profile as HTML. The text is a link to the profile.

    A handle that is not a valid username gets no link. A verified profile gets a check mark.
    """
    name = truncate_plain(one_line(profile.full_name), _NAME_LENGTH)
    handle = foreign_html(truncate_plain(one_line(profile.username), _WORD_LENGTH), rtl=t.is_rtl)
    # The handle is a part of the link, because otherwise Telegram would show a handle such as
    # natgeo.it as a link to a website.
    shown = bold(handle)
    if name and name.casefold() != profile.username:
        shown = Safe(f"{bold(foreign_html(name, rtl=t.is_rtl))} · {handle}")
    if _USERNAME.fullmatch(profile.username):
        shown = link(_profile_url(profile.username), shown)
    return Safe(shown + " ☑️" if profile.is_verified else shown)


def with_corrected_count(
    text: str, stories: Sequence[Story], t: Translator, *, count: int
) -> Safe:
    """Return the caption ``text`` of ``stories`` with ``count`` as the number of stories.

    This function corrects a caption if some of the stories can't be sent.
    """
    first, total = stories[0], len(stories)
    text = text.replace(_alert_header(first, t, total), _alert_header(first, t, count), 1)
    return Safe(
        text.replace(f"🕒 {_story_count_text(t, total)}", f"🕒 {_story_count_text(t, count)}", 1)
    )


def _header(stories: Sequence[Story], t: Translator, options: Options | None) -> str:
    if options is None:
        return profile_link(stories[0].profile, t)
    return _alert_header(stories[0], t, len(stories))


def _alert_header(story: Story, t: Translator, count: int) -> str:
    name = profile_link(story.profile, t)
    if count == 1:
        return "🔔 " + t("New story from {profile}", profile=name)
    return "🔔 " + t(
        NN_("{n} new story from {profile}", "{n} new stories from {profile}"),
        n=count,
        profile=name,
    )


def _story_count_text(t: Translator, count: int) -> str:
    return t(NN_("{n} story", "{n} stories"), n=count)


def _time_line(stories: Sequence[Story], t: Translator, now: datetime) -> str:
    first, last = (f(story.taken_at for story in stories) for f in (min, max))
    shown: str = t.relative_time(last)
    if last < now - _LONG_AGO:
        shown = t.day_range(first, last)  # a date is easier to read than "730 days ago"
    elif last - first >= _APART:
        shown = t.value_range(t.relative_time(first), shown)
    count = [_story_count_text(t, len(stories))] if len(stories) > 1 else []
    return " · ".join([*count, shown])


def _expiry_lines(stories: Sequence[Story], t: Translator, now: datetime) -> list[str]:
    ends = min(story.expires_at for story in stories)
    if ends <= now:
        return []
    when = t.relative_time(ends)
    if len(stories) == 1:
        return ["⏳ " + t("Disappears: {when}", when=when)]
    return ["⏳ " + t("The first one disappears: {when}", when=when)]


def _detail_lines(stories: Sequence[Story], t: Translator, options: Options | None) -> list[str]:
    """Return the lines about the content of the stories, the most important line first.

    A short caption (an option of the subscription) has only the sponsors and the links without a
    button.
    """

    def listed(
        values: Callable[[Story], Iterable[str]], show: Callable[[str, Translator], str]
    ) -> str:
        distinct = dict.fromkeys(value for story in stories for value in values(story))
        shown = list(filter(None, (show(value, t) for value in distinct)))
        room = list(accumulate(map(entities_size, shown)))
        lines_that_fit = [
            text for text, size in zip(shown, room, strict=True) if size <= _ONE_LIST_BYTES
        ]
        kept = lines_that_fit[:_NAMES]
        return " · ".join(kept) + (" …" if len(kept) < len(shown) else "")

    sponsors = listed(lambda story: story.sponsors, _person_link)
    lines = ["🤝 " + t("Paid partnership with {names}", names=Safe(sponsors))] if sponsors else []
    if options and options.caption == "short":
        is_single = len(stories) == 1
        links = listed(
            _buttonless_links if is_single else lambda story: story.links,
            _sticker_link_or_label_html,
        )
        return [*lines, *([f"🔗 {links}"] if links else [])]
    posts = list(dict.fromkeys(post for story in stories for post in story.reshared))
    if shown := [_post_link(post, t) for post in posts if post.page_url or post.username]:
        lines.append("🔁 " + " · ".join(shown[:_PROFILES]))
    for sign, values, show in (
        ("🔗", lambda story: story.links, _sticker_link_or_label_html),
        ("👤", lambda story: story.mentions, _person_link),
        ("📍", lambda story: story.locations, _map_link_of_place),
        ("🏷", lambda story: story.hashtags, _hashtag_text),
        ("🎵", lambda story: story.music, _song_text),
    ):
        names = listed(values, show)
        lines += [f"{sign} {names}"] if names else []
    return lines


def _buttonless_links(story: Story) -> list[str]:
    with_button = links_with_button(story)
    return [url for url in story.links if url not in with_button]


def append_link(text: str, label: str, url: str, t: Translator) -> Safe:
    """Append a link with the text ``label`` to the caption ``text``.

    The caption must have been made with enough ``spare`` code points.
    """
    start = "\u200f" if t.is_rtl else ""
    return Safe(f"{text}\n{start}{link(url, label)}")


def _join_lines_within_limit(
    lines: list[str], details: list[str], t: Translator, spare: int
) -> Safe:
    """Join the lines of a caption, and drop ``details`` from the end if the caption is too long.

    ``spare`` is the minimum number of code points that the caption leaves unused.
    """
    # In a language that is written from right to left, each line begins with a mark. Without the
    # mark, the first name in a line would set the writing direction of the line.
    start, text = "\u200f" if t.is_rtl else "", ""
    for count in range(len(details), -1, -1):
        kept = [*lines, *([""] if count else []), *details[:count]]
        kept += ["…"] if count < len(details) else []
        text = "\n".join(start + line if line else line for line in kept)
        if visible_length(text) > CAPTION_LENGTH - spare:
            continue
        if len(text.encode()) <= _MARKUP_BYTES and entities_size(text) <= _ENTITIES_BYTES:
            break
    return Safe(text)


def _profile_url(username: str) -> str:
    return f"https://www.instagram.com/{username}/"


def _person_link(username: str, t: Translator) -> str:
    name = one_line(username).removeprefix("@")
    if _USERNAME.fullmatch(name):
        return link(_profile_url(name.lower()), foreign_html(name, rtl=t.is_rtl))
    return foreign_html(truncate_plain(name, _WORD_LENGTH), rtl=t.is_rtl)


def _sticker_link_or_label_html(url: str, t: Translator) -> str:
    """Return an HTML link to the URL of a link sticker, or only the label if the URL is invalid.

    The label is the URL without its scheme, ``www.`` and query, cut to 40 code points.
    """
    url = _redirect_target_or_url(one_line(url))
    shown = re.sub(r"^https?://(www\.)?", "", url, flags=re.IGNORECASE).partition("?")[0]
    text = foreign_html(truncate_plain(shown.rstrip("/"), _LINK_LENGTH), rtl=t.is_rtl)
    return link(url, text) if text and _WEB.fullmatch(url) else text


def _redirect_target_or_url(url: str) -> str:
    """Return the target if ``url`` is a redirect by Instagram (``l.instagram.com/?u=``).

    If ``url`` is a different URL, or if the target is not a web address, return ``url`` itself.
    """
    try:
        parts = urlsplit(url)
        target = parse_qs(parts.query).get("u", [""])[0]
    except ValueError:
        return url
    return target if parts.netloc == "l.instagram.com" and _WEB.fullmatch(target) else url


def _map_link_of_place(name: str, t: Translator) -> str:
    name = truncate_plain(one_line(name), _WORD_LENGTH)
    url = "https://www.google.com/maps/search/?api=1&query=" + quote_plus(name, errors="replace")
    return link(url, foreign_html(name, rtl=t.is_rtl)) if name else ""


def _post_link(post: Reshared, t: Translator) -> str:
    """Return the link to a reshared post, with the author of the post if the author is known.

    If the URL of the post is unknown, the word "Post" has no link.
    """
    shown = link(post.page_url, t("Post")) if post.page_url else t("Post")
    return t.noted(shown, _person_link(post.username, t)) if post.username else shown


def _song_text(name: str, t: Translator) -> str:
    name = truncate_plain(one_line(name), _NAME_LENGTH)
    return foreign_html(name, rtl=t.is_rtl) if name else ""


def _hashtag_text(name: str, t: Translator) -> str:
    letters = (char for char in one_line(name) if re.match(r"\w", char) or is_combining_mark(char))
    name = "".join(letters)
    return foreign_html("#" + truncate_plain(name, _WORD_LENGTH), rtl=t.is_rtl) if name else ""
