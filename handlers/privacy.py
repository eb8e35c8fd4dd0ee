"""/privacy: the stored data of a chat, and a button that deletes the data."""

from telegram import Chat

from bot.context import Context
from bot.domain.sentences import N_
from bot.presentation.actions import DANGER, ERASE, Page, back_button
from bot.presentation.html import paragraphs
from handlers.guard import command, on_press
from handlers.payers import notify_chats_without_payer
from handlers.replies import edit_pressed, say

ABOUT = N_(
    "<b>What I store about this chat</b>\n"
    "• its name, language, time zone and settings\n"
    "• its subscriptions, and the alerts sent here in the last 3 days\n"
    "• the topics I created for its subscriptions\n"
    "• if <b>[[Keep for /past]]</b> is on for a profile: what I sent from that profile, for 90 "
    "days\n"
    "• how many stories were requested here each day, for one year\n"
    "• what requests and alerts here cost, by person, for 32 days\n"
    "• the name of each person who writes to me, and on how many days they did, for one year; "
    "each person can delete this in their private chat with me\n"
    "• for about an hour: my last question, and which file from your Instagram data you sent; "
    "I don't store the names in this file\n\n"
    "I don't keep messages or photos: a file stays on my disk only until Telegram "
    "has it. I can only see public profiles, and nobody can tell who views them "
    "here.\n\n"
    "To take this chat's subscriptions with you, use /export."
)
STAYS = N_(
    "<b>What I keep after you delete everything</b>\n"
    "• whether this chat can use the bot, and how much of today's limit is "
    "used up\n"
    "• how much was spent in total, without names\n"
    "• backups of my database, which the bot's owner keeps for a few days"
)
SURE = N_(
    "Delete everything about <b>{chat}</b>? Its subscriptions and settings will be gone for good."
)
SURE_PRIVATE = N_(
    "Delete everything about your private chat with me? Its subscriptions and settings will be "
    "gone for good."
)
STOPS = N_(
    "The alerts of the groups and channels you're responsible for will stop until another admin "
    "takes each of them on. /usage lists them."
)
DONE = N_(
    "What I stored about this chat has been deleted. If you write to me again, we start from "
    "scratch."
)


@command("privacy", channel_after=0)
async def show_privacy(context: Context) -> None:
    """Describe the stored data, with the button that deletes the data."""
    await say(context, *privacy_page(context))


def privacy_page(context: Context) -> Page:
    """Return the page about the stored data of a chat, with the button that deletes the data."""
    more = context.button(N_("Details"), ERASE("more"))
    delete = context.button(N_("Delete everything"), ERASE(), DANGER)
    return context.t(ABOUT), [[more], [delete]]


@on_press(ERASE)
async def confirm_or_erase_and_notify(context: Context, step: str | None) -> None:
    """Ask for confirmation, then delete the data of the chat (``Chats.erase``).

    Only the step "yes" deletes the data. If the person was the payer of groups or channels, these
    chats are notified (``notify_chats_without_payer``).
    """
    if step == "yes":
        left = await context.services.payers.chats_paid_by(context.chat.id, most=None)
        await context.services.chats.erase(context.chat.id)
        await notify_chats_without_payer(left, context)
        await edit_pressed(context, context.t(DONE))
    elif step == "more":
        await edit_pressed(context, context.t(STAYS), [[back_button(context.t, ERASE("no"))]])
    elif step == "no":
        await edit_pressed(context, *privacy_page(context))
    else:
        yes = context.button(N_("Yes, delete"), ERASE("yes"), DANGER)
        no = context.button(N_("No, keep it"), ERASE("no"))
        sure = SURE_PRIVATE if context.chat.kind == Chat.PRIVATE else SURE
        text = context.t(sure, chat=context.chat.title)
        if await context.services.payers.chats_paid_by(context.chat.id):
            text = paragraphs(text, context.t(STOPS))
        await edit_pressed(context, text, [[yes, no]])
