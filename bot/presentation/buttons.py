"""The buttons under stories and albums, and the link in posts that cannot have such buttons.

A channel post has no buttons with an action, because each subscriber of the channel could press
these buttons.
"""

import re
from collections.abc import Sequence

from bot.domain.foreign_text import one_line
from bot.domain.model import Story
from bot.domain.records import NotFollowed
from bot.domain.sentences import N_
from bot.presentation import actions
from bot.presentation.actions import Button, Buttons, button, grid, link_button
from bot.presentation.html import truncate_plain
from bot.presentation.translation import Translator

OPTIONS = N_("⚙️ Options")
MORE = "⋯"
NEW = "new"  # the argument of a button that opens the options in a new message
_MOST_LINKS = 3
_SUMMARY_BUTTONS = 10
# A phone shows this many characters of a button's text after the symbol.
_LINK_TEXT = 22
_PLAIN_ADDRESS = re.compile(
    r"https?://((?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,24})(?:[/?][!-~]{0,1000})?",
    re.IGNORECASE | re.ASCII,
)


def instagram_button(story: Story, t: Translator) -> Buttons:
    """Return the button that opens a story, or the highlight of the story, on Instagram.

    A story of an unknown profile, such as a pasted file, gets no button.
    """
    if not story.profile.username:
        return []
    return [[link_button(t.plain("Open on Instagram"), url=story.page_url)]]


def link_buttons(story: Story) -> Buttons:
    """Return a row with one button for each link of ``links_with_button``."""
    titles = {sticker.link: sticker.title for sticker in story.stickers if sticker.title}
    rows: Buttons = []
    for url in links_with_button(story):
        if match := _PLAIN_ADDRESS.fullmatch(url):
            text = one_line(titles.get(url, "")) or match[1].removeprefix("www.")
            rows.append([link_button(f"🔗 {truncate_plain(text, _LINK_TEXT)}", url=url)])
    return rows


def links_with_button(story: Story) -> list[str]:
    """Return the links of a story that get buttons: the first three links, except unusual URLs.

    Telegram refuses a whole message because of a single unacceptable URL (``BUTTON_URL_INVALID``).
    """
    return [url for url in story.links[:_MOST_LINKS] if _PLAIN_ADDRESS.fullmatch(url)]


def story_buttons(
    story: Story,
    t: Translator,
    subscription_id: int | NotFollowed,
    *,
    has_more: bool,
    is_inline: bool,
    is_file: bool,
) -> Buttons:
    """Return the buttons under a story that a person requested.

    A story of an unknown profile gets no button.

    - ``subscription_id`` is the id of the chat's subscription to the profile, or None.
    - ``has_more`` means that the profile or the highlight can have other stories.
    - ``is_inline`` means that the bot supports inline queries.
    - ``is_file`` means that the story was sent as a file.
    """
    username = story.profile.username
    if not username:
        return []
    rows = [[subscribe_or_options_button(username, t, subscription_id)]]
    if is_inline and not story.highlight:
        rows[0].append(share_button(story.page_url, t))
    if has_more and story.highlight:
        whole = t.plain("Show the highlight")
        rows.append([button(whole, actions.HIGHLIGHT(story.highlight))])
    elif has_more:
        more = t.plain("All stories from {username}", username=username)
        rows.append([button(more, actions.RUN("stories", username))])
    last = instagram_button(story, t)
    # Only live stories can be sent as original files. Stories of highlights and pasted media files
    # cannot.
    has_original = not story.highlight and story.pk.isdigit()
    if has_original and not is_file:
        text = t.plain("As a file")
        last[0].append(button(text, actions.FILES(story.pk)))
    return [*link_buttons(story), *rows, *last]


def share_button(query: str, t: Translator) -> Button:
    """Return the button that shares the results of an inline query into a different chat.

    The person who presses the button chooses the chat. Telegram does not allow this button in
    channels (Bot API 3.0).
    """
    return link_button(t.plain("↗ Share"), switch_inline_query=query)


def subscribe_or_options_button(
    username: str, t: Translator, subscription_id: int | NotFollowed
) -> Button:
    """Return the button that subscribes the chat to a profile.

    If the chat is already subscribed to the profile (``subscription_id``), return the button that
    opens the options of the subscription.
    """
    if subscription_id is None:
        text = f"🔔 {t.plain('Subscribe')}"
        return button(text, actions.RUN("subscribe", username), actions.PRIMARY)
    return button(t.plain("Subscribed ✓ · Options"), actions.SUBSCRIPTION(subscription_id))


def row_under_album(
    username: str, t: Translator, subscription_id: int | NotFollowed, *, is_inline: bool
) -> list[Button]:
    """Return the row of buttons for a message after an album with stories of a profile.

    Telegram allows no buttons under an album (Bot API, sendMediaGroup). ``is_inline`` means that
    the bot supports inline queries.
    """
    share = [share_button(username, t)] if is_inline else []
    text = f"🔔 {t.plain('Subscribe')}"
    follow = button(text, actions.FOLLOW(username), actions.PRIMARY)
    if subscription_id is not None:
        # The text of this button is short, so that a phone can show three buttons in a row.
        follow = button(t.plain("Options"), actions.SUBSCRIPTION(subscription_id))
    return [follow, *share, button(MORE, actions.CARD(username))]


def alert_buttons(story: Story, t: Translator, subscription_id: int | NotFollowed) -> Buttons:
    """Return the buttons under an alert that has a single story.

    If ``subscription_id`` is None, return only buttons with links.
    """
    if subscription_id is None:
        return [*link_buttons(story), *instagram_button(story, t)]
    row = [
        link_button(t.plain("Open"), url=story.page_url),
        mute_button(subscription_id, t),
        button(MORE, actions.SUBSCRIPTION(subscription_id)),
    ]
    return [*link_buttons(story), row]


def mute_button(subscription_id: int, t: Translator) -> Button:
    """Return the button that pauses the alerts of a subscription for a day."""
    return button(t.plain("🔕 Mute"), actions.MUTE(subscription_id))


def summary_buttons(posted: Sequence[tuple[str, int, int]]) -> Buttons:
    """Return the buttons under a daily summary, for at most the first ten profiles.

    Each button opens the options of a subscription. ``posted`` has the name, the number of stories
    and the id of the subscription of each profile.
    """
    first = posted[:_SUMMARY_BUTTONS]
    return grid([button(name, actions.SUBSCRIPTION(number, NEW)) for name, _, number in first], 2)


def options_link(bot_name: str, chat_id: int, subscription_id: int | None = None) -> str:
    """Return the link to the options of a subscription of the chat ``chat_id``.

    If ``subscription_id`` is None, return the link to the list of all subscriptions of the chat.
    """
    if subscription_id is None:
        return actions.deep_link(bot_name, actions.SUBSCRIPTIONS(0), chat_id)
    return actions.deep_link(bot_name, actions.SUBSCRIPTION(subscription_id), chat_id)
