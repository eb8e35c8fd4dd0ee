"""The buttons under messages, and what becomes of them where pressing them must not act.

Every subscriber of a channel can press the buttons of its posts. So posts in channels carry links
into the bot's private chat instead (``t.me/<bot>?start=…``), and the buttons that are shown there
name the channel that they act on: ``@<channel>:<data>``.
"""

import re
from collections import Counter
from functools import lru_cache

from telegram import InlineKeyboardButton

from bot.domain.errors import N_
from bot.domain.model import Story
from bot.presentation.html import one_line, shorten
from bot.presentation.translation import Translator

Buttons = list[list[InlineKeyboardButton]]

_OPEN = N_("Open in a private chat with me")
OPTIONS = N_("⚙️ Options")
ABOUT = r"(?:@[0-9a-z]{1,12}:)?"
"""The pattern of what may stand before the data of any button; 12 digits fit into 63 bits."""

_ABOUT = re.compile(r"@([0-9a-z]{1,12}):(.*)", re.DOTALL)
_MOST_LINKS = 3
_LINK_TEXT = 22  # characters that a phone shows of a button, less the sign
_PLAIN_ADDRESS = re.compile(
    r"https?://((?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,24})(?:[/?][!-~]{0,1000})?",
    re.IGNORECASE | re.ASCII,
)
_PAYLOAD = re.compile(r"(?:c([0-9a-z]{1,12})|s)(?:-([0-9a-z]{1,18}))?")
_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
_PAGES = {"set": "settings", "defaults": "settings", "language": "language", "erase": "privacy"}


# The same under a story for whoever gets it: to make one costs more than all else of a button.
shared_button = lru_cache(maxsize=256)(InlineKeyboardButton)


def page_button(story: Story, t: Translator) -> Buttons:
    """Return the link to a story's page; none for a bare file, of which no profile is known."""
    if not story.profile.username:
        return []
    return [[shared_button(t.plain(N_("Open on Instagram")), url=story.page_url)]]


def link_buttons(story: Story) -> Buttons:
    """Return where a story's link stickers lead, a button each.

    Telegram refuses a whole message for one address that it does not take; so what is odd in the
    least stands in the caption only.
    """
    titles = {sticker.link: sticker.title for sticker in story.stickers if sticker.title}
    rows: Buttons = []
    for url in button_links(story):
        if match := _PLAIN_ADDRESS.fullmatch(url):
            text = one_line(titles.get(url, "")) or match[1].removeprefix("www.")
            rows.append([InlineKeyboardButton(f"🔗 {shorten(text, _LINK_TEXT)}", url=url)])
    return rows


def button_links(story: Story) -> list[str]:
    """Return which of a story's links get buttons; the others stand in its caption."""
    return [url for url in story.links[:_MOST_LINKS] if _PLAIN_ADDRESS.fullmatch(url)]


def story_buttons(
    story: Story, t: Translator, subscription_id: int | None = None, *, has_more: bool = False
) -> Buttons:
    """Return the buttons under a story that somebody asked for.

    ``subscription_id`` is what the chat has of its profile, None where it has nothing.
    ``has_more``: its profile's other stories were not shown with it.
    """
    username = story.profile.username
    if not username:
        return []
    rows = [[follow_button(username, t, subscription_id)]]
    if has_more and story.highlight:
        whole = t.plain(N_("Show the highlight"))
        rows.append([InlineKeyboardButton(whole, callback_data=f"highlight:{story.highlight}")])
    elif has_more:
        more = t.plain(N_("All stories from {username}"), username=username)
        rows.append([InlineKeyboardButton(more, callback_data=f"stories:{username}")])
    return [*link_buttons(story), *rows, *_last_row(story, t)]


def _last_row(story: Story, t: Translator) -> Buttons:
    """Return the page of a story, and while it lives its original."""
    rows = page_button(story, t)
    if rows and not story.highlight and story.pk.isdigit():
        text = t.plain(N_("As a file"))
        rows[0].append(shared_button(text, callback_data=f"files:{story.pk}"))
    return rows


def follow_button(
    username: str, t: Translator, subscription_id: int | None
) -> InlineKeyboardButton:
    """Return the button that subscribes, or leads to the options of what is subscribed to."""
    if subscription_id is None:
        text, data = t.plain(N_("Subscribe")), f"run:subscribe:{username}"
    else:
        text, data = t.plain(N_("Subscribed ✓ · Options")), f"sub:{subscription_id}"
    return InlineKeyboardButton(text, callback_data=data)


def alert_buttons(story: Story, t: Translator, subscription_id: int | None) -> Buttons:
    """Return the buttons under an alert of one story: what one may want of it, one tap away."""
    if subscription_id is None:
        return [*link_buttons(story), *page_button(story, t)]
    mute = InlineKeyboardButton(
        t.plain(N_("🔕 Mute for a day")), callback_data=f"mute:{subscription_id}"
    )
    stop = InlineKeyboardButton(
        t.plain(N_("Unsubscribe")), callback_data=f"unsub:id:{subscription_id}"
    )
    return [*link_buttons(story), [mute, stop], *_last_row(story, t)]


def options_link(
    bot_name: str, chat_id: int, *, subscription_id: int | None = None, username: str = ""
) -> str:
    """Return the link under an album, which can't have buttons: it opens the private chat.

    There it shows the options of a subscription of ``chat_id``, or without one what can be done
    with a profile, or else the chat's list.
    """
    if subscription_id is None and username:
        payload = f"p_{username.replace('.', '-')}"
    else:
        page = "" if subscription_id is None else str(subscription_id)
        payload = f"c{_base36(chat_id)}" if chat_id < 0 else "s"
        payload += f"-{page}" if page else ""
    return f"https://t.me/{bot_name}?start={payload}"


def about(buttons: Buttons, channel: int) -> Buttons:
    """Let buttons in a private chat act on ``channel``."""
    return [
        [
            InlineKeyboardButton(
                one.text, callback_data=f"@{_base36(channel)}:{one.callback_data}"
            )
            if isinstance(one.callback_data, str)
            else one
            for one in row
        ]
        for row in buttons
    ]


def split_about(data: str) -> tuple[int | None, str]:
    """Return the channel that a button acts on, None for the chat where it is; and its data."""
    match = _ABOUT.fullmatch(data)
    return (-int(match[1], 36), match[2]) if match else (None, data)


def for_channel(buttons: Buttons, channel: int, bot_name: str, t: Translator) -> Buttons:
    """Return links into the private chat in place of buttons that act; each link once."""
    links = {id(one): _link(one, channel, bot_name) for row in buttons for one in row}
    times = Counter(links.values())
    shown: Buttons = []
    seen: set[str] = set()
    for row in buttons:
        kept = []
        for one in row:
            url = links[id(one)]
            if url in seen:
                continue
            seen.add(url)
            text = one.text if times[url] == 1 else t.plain(_OPEN)
            kept.append(InlineKeyboardButton(text, url=url))
        if kept:
            shown.append(kept)
    return shown


def read_payload(text: str) -> tuple[int | None, str] | None:
    """Return the chat and the page that a link of ``for_channel`` or ``options_link`` opens.

    The chat is None for the private chat itself. A page is the number of a subscription,
    ``settings``, ``language``, ``privacy``, or empty for the list. A link only ever opens a page:
    anybody can make one and send it to anybody.
    """
    match = _PAYLOAD.fullmatch(text)
    if match is None:
        return None
    return (-int(match[1], 36) if match[1] else None), match[2] or ""


def _link(button: InlineKeyboardButton, channel: int, bot_name: str) -> str:
    if not isinstance(button.callback_data, str):
        return button.url or ""
    kind, _, rest = button.callback_data.partition(":")
    if kind in {"stories", "live"}:
        payload = f"stories_{rest.replace('.', '-')}"  # letters, digits, - and _ are allowed
    elif kind == "highlight":
        payload = f"h_{rest.replace(':', '_')}"
    elif kind == "highlights":
        payload = f"hs_{rest.partition(':')[0].replace('.', '-')}"
    else:
        page = rest.partition(":")[0] if kind in {"sub", "opt"} else _PAGES.get(kind, "")
        payload = f"c{_base36(channel)}" + (f"-{page}" if page else "")
    return f"https://t.me/{bot_name}?start={payload}"


def _base36(chat_id: int) -> str:
    number, digits = abs(chat_id), ""
    while number:
        number, rest = divmod(number, 36)
        digits = _DIGITS[rest] + digits
    return digits or "0"
