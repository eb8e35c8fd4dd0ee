"""/privacy: what the bot remembers of a chat, and a button that erases it."""

from telegram import InlineKeyboardButton, Update

from bot.context import Context
from bot.domain.errors import N_
from bot.presentation.buttons import Buttons
from handlers.guard import Handler, command, pressed
from handlers.replies import rewrite, say

ABOUT = N_(
    "<b>What I store about this chat</b>\n"
    "• its name, language, time zone and settings\n"
    "• its subscriptions, and the alerts sent here in the last 3 days\n"
    "• which topics I made for its subscriptions\n"
    "• where you turned on <b>Keep for /past</b>: what I sent of that profile, for 90 days\n"
    "• how many stories it asked for each day, for one year\n\n"
    "I don't keep messages or photos: a file stays on my disk only until Telegram "
    "has it. I can only see public profiles, and nobody can tell who views them "
    "here.\n\n"
    "To take this chat's subscriptions with you, use /export."
)
STAYS = N_(
    "<b>What stays when you delete it</b>\n"
    "• whether this chat may use me, and what is used up of today's limit\n"
    "• what was spent, without saying for whom\n"
    "• copies of my database, which my owner keeps for some days in case it is lost"
)
SURE = N_(
    "Delete everything about this chat? Its subscriptions and settings will be gone for good."
)
DONE = N_(
    "What I stored about this chat has been deleted. If you write to me again, we start from "
    "scratch."
)


@command("privacy")
async def privacy(update: Update, context: Context) -> None:
    """Say what is kept, with the button that erases it."""
    text, buttons = about_chat(context)
    await say(update, context, text, buttons)


def about_chat(context: Context) -> tuple[str, Buttons]:
    """Return what is kept of the chat, and the button that erases it."""
    button = InlineKeyboardButton(context.t.plain(N_("Delete everything")), callback_data="erase")
    return f"{context.t(ABOUT)}\n\n{context.t(STAYS)}", [[button]]


@pressed("erase", r"erase(:|$)")
async def erase(update: Update, context: Context, data: str) -> None:
    """Ask once more, then erase everything about the chat."""
    if data == "erase:yes":
        await context.services.chats.erase(context.chat.id)
        await rewrite(update, context, context.t(DONE))
    elif data == "erase:no":
        back = InlineKeyboardButton(context.t.plain(N_("« Back")), callback_data="erase:back")
        await rewrite(update, context, context.t(N_("Nothing was deleted.")), [[back]])
    elif data == "erase:back":
        await rewrite(update, context, *about_chat(context))
    else:
        await rewrite(update, context, context.t(SURE), yes_or_no("erase", context))


def yes_or_no(prefix: str, context: Context) -> Buttons:
    """Return the two buttons of a question; the data are ``prefix:yes`` and ``prefix:no``."""
    yes, no = context.t.plain(N_("Yes, delete")), context.t.plain(N_("No, keep it"))
    return [
        [
            InlineKeyboardButton(yes, callback_data=f"{prefix}:yes"),
            InlineKeyboardButton(no, callback_data=f"{prefix}:no"),
        ]
    ]


def handlers() -> list[Handler]:
    """Return this module's handlers, in order."""
    return [privacy.handler, erase.handler]
