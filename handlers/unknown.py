"""What no other handler knows: data that no button of ours has, and never had."""

from telegram import Update

from bot.context import Context
from bot.presentation.actions import ANY_OTHER
from handlers.guard import UNKNOWN_BUTTON, Handler, pressed


@pressed(ANY_OTHER)
async def unknown_button(update: Update, context: Context) -> str:  # noqa: ARG001 - every button has these
    """Stop the spinner of the button, whatever was sent."""
    return context.t.plain(UNKNOWN_BUTTON)


def handlers() -> list[Handler]:
    """Return this module's handlers, in order."""
    return [unknown_button.handler]
