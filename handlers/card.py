"""What a profile's name or page is answered with: its stories or its alerts, a button each."""

from telegram import InlineKeyboardButton, Update

from bot.context import Context
from bot.domain.errors import N_, NotFollowedError
from bot.presentation.buttons import Buttons, follow_button
from handlers.replies import say

WHICH = N_("Do you want to see the stories from <b>{username}</b> now, or get every new one?")


async def show_card(
    update: Update, context: Context, username: str, *, has_more: bool = False
) -> None:
    """Offer what can be done with a profile; nothing is paid until a button is pressed.

    ``has_more``: also what is wanted less often, as of who comes from an album.
    """
    buttons = await card_buttons(context, username)
    if has_more:
        t = context.t
        more = (N_("Highlights"), f"highlights:{username}"), (N_("As files"), f"files:@{username}")
        buttons.append(
            [InlineKeyboardButton(t.plain(text), callback_data=data) for text, data in more]
        )
    await say(update, context, context.t(WHICH, username=username), buttons)


async def card_buttons(context: Context, username: str) -> Buttons:
    """Return the buttons of a profile: its stories, and its alerts or their options."""
    t = context.t
    try:
        result = await context.services.subscriptions.named(context.chat.id, username)
    except NotFollowedError:
        followed = None
    else:
        followed = result[0].id
    show = InlineKeyboardButton(t.plain(N_("Show")), callback_data=f"stories:{username}")
    return [[show, follow_button(username, t, followed)]]
