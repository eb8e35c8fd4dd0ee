"""Buttons whose callback data no other handler accepts."""

from bot.context import Context
from bot.presentation.actions import ANY_OTHER
from handlers.guard import UNKNOWN_BUTTON, on_press
from handlers.press_answers import PopUpText


@on_press(ANY_OTHER)
async def text_for_unknown_button(context: Context) -> PopUpText:
    """Return the text of the pop-up for a pressed button that no other handler accepts.

    The pop-up also stops the loading indicator of the button.
    """
    return context.t.plain(UNKNOWN_BUTTON)
