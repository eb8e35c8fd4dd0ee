"""/privacy: what the bot remembers of a chat, and a button that erases it."""

from telegram import InlineKeyboardButton, Update

from bot.context import Context
from bot.domain.errors import N_
from bot.presentation.buttons import Buttons
from bot.store import erasure
from bot.store.unit_of_work import effect
from handlers.guard import Handler, command, pressed
from handlers.replies import rewrite, say

ABOUT = N_(
    "<b>What I remember of this chat</b>\n"
    "• its name, language, time zone and the settings you made\n"
    "• what it follows, and which alerts it was sent in the last 30 days\n"
    "• how many stories it asked for each day, for a year\n\n"
    "I keep no messages and no photos: a file waits on my disk only until Telegram has it. I see "
    "public profiles only, and nobody learns who looks at them here.\n\n"
    "You can take what this chat follows with you by /export."
)
SURE = N_("Shall I forget this chat? What it follows and all its settings will be gone for good.")
DONE = N_("Everything about this chat is erased. If you write to me again, we start anew.")


@command("privacy")
async def privacy(update: Update, context: Context) -> None:
    """Say what is kept, with the button that erases it."""
    text, buttons = about_chat(context)
    await say(update, context, text, buttons)


def about_chat(context: Context) -> tuple[str, Buttons]:
    """Return what is kept of the chat, and the button that erases it."""
    button = InlineKeyboardButton(context.t.plain(N_("Erase all of it")), callback_data="erase")
    return context.t(ABOUT), [[button]]


@pressed("erase", r"erase(:|$)")
async def erase(update: Update, context: Context, data: str) -> None:
    """Ask once more, then erase everything about the chat."""
    if data == "erase:yes":
        async with effect(context.services.db) as tx:
            await erasure.erase_chat(tx, context.chat.id)
        await rewrite(update, context, context.t(DONE))
    elif data == "erase:no":
        await rewrite(update, context, context.t(N_("Nothing was erased.")))
    else:
        await rewrite(update, context, context.t(SURE), yes_or_no("erase", context))


def yes_or_no(prefix: str, context: Context) -> Buttons:
    """Return the two buttons of a question; the data are ``prefix:yes`` and ``prefix:no``."""
    yes, no = context.t.plain(N_("Yes, erase it")), context.t.plain(N_("No, keep it"))
    return [
        [
            InlineKeyboardButton(yes, callback_data=f"{prefix}:yes"),
            InlineKeyboardButton(no, callback_data=f"{prefix}:no"),
        ]
    ]


def handlers() -> list[Handler]:
    """Return this module's handlers, in order."""
    return [privacy.handler, erase.handler]
