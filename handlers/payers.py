"""Payers: buttons to become responsible for a chat, or to end the responsibility."""

from bot.context import Context
from bot.domain.errors import NoPayerError
from bot.domain.model import Target
from bot.domain.records import Chat
from bot.domain.sentences import N_
from bot.presentation.actions import (
    LEAVE,
    MINE,
    SETTING,
    Buttons,
    Page,
    back_button,
    button,
    deep_link,
    link_button,
)
from bot.presentation.html import truncate_plain
from bot.presentation.translation import Translator, translator_for
from bot.sending.replies import text_payload
from handlers.guard import UNKNOWN_BUTTON, on_press
from handlers.press_answers import PopUpText
from handlers.replies import edit_pressed, enqueue_reply

LONGEST_TITLE = 28
MINE_BUTTON = N_("I am responsible for this group")
MINE_CHANNEL_BUTTON = N_("I am responsible for this channel")
TAKEN = N_("Thank you: an admin is responsible for this chat now. Please ask me again.")
YOURS = N_("This chat counts toward your limits now. /usage in our private chat shows it.")
LEFT = N_(
    "Nobody is responsible for this chat anymore, so its alerts have "
    "stopped. They start again when an admin becomes responsible: the "
    "subscriptions and the anonymous requests here then count toward that "
    "admin's own limits."
)
PAID = N_("You're responsible for these chats, so their subscriptions count toward your limits:")
NO_LONGER_MINE = N_("No longer mine: {title}")
NOT_YOURS = N_("You're no longer responsible for that chat.")


def become_payer_buttons(
    chat_id: int, kind: str, context: Context, t: Translator | None = None
) -> Buttons:
    """Return the button that makes an admin the payer of a chat.

    For a channel that is not managed from the private chat, return a link to
    ``become_payer_page``. Without ``t``, the chat must be the chat of the update.
    """
    is_channel = kind == "channel"
    text = (t or context.t).plain(MINE_CHANNEL_BUTTON if is_channel else MINE_BUTTON)
    if is_channel and context.about is None:
        return [[link_button(text, url=deep_link(context.bot.username, MINE(), chat_id))]]
    return [[button(text, MINE())]]


async def become_payer_page(context: Context) -> Page:
    """Return the page with the button to become the payer. A link in a channel opens this page.

    If the chat already has a payer, the page has no button.
    """
    if await context.services.payers.has_payer(context.chat.id):
        return context.t(TAKEN), []
    buttons = become_payer_buttons(context.chat.id, context.chat.kind, context)
    return context.t(NoPayerError.text), buttons


@on_press(MINE)
async def become_payer(context: Context) -> PopUpText | None:
    """Make the admin who pressed the button the payer of the chat, and confirm in a pop-up.

    If the chat already has a payer, or if the update names no person, only the message changes.

    Raises:
        RightsError: The admin is not allowed to become the payer.
        SubscriptionError: The subscriptions of the chat would exceed the limit of the admin.
        BlockedError: The access list blocks the chat or the responsible person.
    """
    person = context.user_id
    if person is None or await context.services.payers.has_payer(context.chat.id):
        await edit_pressed(context, context.t(TAKEN), [])
        return None
    await context.services.payers.become_payer(context.chat.id, person)
    await edit_pressed(context, context.t(TAKEN), [])
    return context.t.plain(YOURS)


@on_press(LEAVE)
async def stop_paying_for_chat_and_notify(context: Context, chat_id: int) -> PopUpText | None:
    """End the person's responsibility for a chat after a press, and notify the chat.

    The alerts of the chat stop until the chat has a payer again. If the person is not the payer,
    return the text of a pop-up.
    """
    payers = context.services.payers
    person = context.user_id
    if person is None or not context.is_private:
        return context.t.plain(UNKNOWN_BUTTON)
    chats = await payers.stop_paying(chat_id, person)
    text, buttons = await paid_chats_page(context)
    await edit_pressed(context, text, buttons or [[back_button(context.t, SETTING("back"))]])
    if chats is None:
        return context.t.plain(NOT_YOURS)
    await notify_chats_without_payer([chats], context)
    return None


async def notify_chats_without_payer(chats: list[Chat], context: Context) -> None:
    """Notify chats without a payer, with the button to become the payer.

    A chat that the access list blocks gets no message.
    """
    language = context.t.language
    access = context.services.access
    for chat in chats:
        if (await access.read_and_judge_access(None, chat.id)).judged.verdict == "blocked":
            continue
        t = translator_for(chat.effective_language or language)
        buttons = become_payer_buttons(chat.id, chat.kind, context, t)
        await enqueue_reply(context, Target(chat.id), text_payload(t(LEFT), buttons))


async def paid_chats_page(context: Context) -> Page:
    """Return a list of at most 50 chats for which the person is the payer.

    Each chat has a button. If the person is the payer of no chat, return a text without buttons.
    """
    person = context.user_id
    paid = [] if person is None else await context.services.payers.chats_paid_by(person)
    if not paid:
        return context.t(NOT_YOURS), []
    rows = [
        [
            context.button(
                NO_LONGER_MINE, LEAVE(chat.id), title=truncate_plain(chat.title, LONGEST_TITLE)
            )
        ]
        for chat in paid
    ]
    return context.t(PAID), rows
