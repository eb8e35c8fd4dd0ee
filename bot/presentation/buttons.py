"""The buttons under a story: all of its profile's, and its page."""

from telegram import InlineKeyboardButton

from bot.domain.errors import N_
from bot.domain.model import Story
from bot.presentation.translation import Translator

Buttons = list[list[InlineKeyboardButton]]


def story_buttons(story: Story, t: Translator) -> Buttons:
    """Return the rows of buttons; none for a bare file, of which no profile is known."""
    username = story.profile.username
    if not username:
        return []
    more = t.plain(N_("All stories of {username}"), username=username)
    return [
        [InlineKeyboardButton(more, callback_data=f"stories:{username}")],
        [InlineKeyboardButton(t.plain(N_("Open on Instagram")), url=story.page_url)],
    ]
