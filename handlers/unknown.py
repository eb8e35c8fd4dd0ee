"""Buttons with unknown data, which no other handler accepts."""

from bot.context import Context
from bot.presentation.actions import ANY_OTHER
from handlers.guard import UNKNOWN_BUTTON, on_press


@on_press(ANY_OTHER)
async def unknown_button(context: Context) -> str:
    """Return the pop-up text for an unknown button; the answer stops the loading indicator."""
    return context.t.plain(UNKNOWN_BUTTON)
