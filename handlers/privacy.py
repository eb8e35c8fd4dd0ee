"""/privacy: what the bot remembers of a chat, and a button that erases it."""

from telegram import Chat

from bot.context import Context
from bot.domain.sentences import N_
from bot.presentation.actions import DANGER, ERASE, Page
from handlers.guard import command, on_press
from handlers.replies import edit_pressed, say

ABOUT = N_(
    "<b>What I store about this chat</b>\n"
    "• its name, language, time zone and settings\n"
    "• its subscriptions, and the alerts sent here in the last 3 days\n"
    "• which topics I made for its subscriptions\n"
    "• where you turned on <b>[[Keep for /past]]</b>: what I sent of that profile, for 90 days\n"
    "• how many stories it asked for each day, for one year\n\n"
    "I don't keep messages or photos: a file stays on my disk only until Telegram "
    "has it. I can only see public profiles, and nobody can tell who views them "
    "here.\n\n"
    "To take this chat's subscriptions with you, use /export."
)
STAYS = N_(
    "<b>What stays when you delete it</b>\n"
    "• whether this chat can use me, and how much of today's limit is used up\n"
    "• what was spent, without saying for whom\n"
    "• copies of my database, which my owner keeps for some days in case it is lost"
)
SURE = N_(
    "Delete everything about <b>{chat}</b>? Its subscriptions and settings will be gone for good."
)
SURE_PRIVATE = N_(
    "Delete everything about your private chat with me? Its subscriptions and settings will be "
    "gone for good."
)
DONE = N_(
    "What I stored about this chat has been deleted. If you write to me again, we start from "
    "scratch."
)


@command("privacy", channel_after=0)
async def show_privacy(context: Context) -> None:
    """Say what is kept, with the button that erases it."""
    await say(context, *chat_data_page(context))


def chat_data_page(context: Context) -> Page:
    """Return what is kept of the chat, and the button that erases it."""
    button = context.button(N_("Delete everything"), ERASE(), DANGER)
    return f"{context.t(ABOUT)}\n\n{context.t(STAYS)}", [[button]]


@on_press(ERASE)
async def confirm_or_erase(context: Context, what: str | None) -> None:
    """Ask once more, then erase everything about the chat."""
    if what == "yes":
        await context.services.chats.erase(context.chat.id)
        await edit_pressed(context, context.t(DONE))
    elif what == "no":
        await edit_pressed(context, *chat_data_page(context))
    else:
        yes = context.button(N_("Yes, delete"), ERASE("yes"), DANGER)
        no = context.button(N_("No, keep it"), ERASE("no"))
        sure = SURE_PRIVATE if context.chat.kind == Chat.PRIVATE else SURE
        await edit_pressed(context, context.t(sure, chat=context.chat.title), [[yes, no]])
