"""Buttons that no other handler knows: their data are none of ours."""

from bot.context import Context
from bot.presentation.actions import ANY_OTHER
from handlers.guard import UNKNOWN_BUTTON, on_press


@on_press(ANY_OTHER)
async def unknown_button(context: Context) -> str:
    """Stop the spinner of the button, whatever was sent."""
    return context.t.plain(UNKNOWN_BUTTON)
