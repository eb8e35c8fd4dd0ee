"""Error messages for failures, in the chat's language, with a code for unexpected failures."""

import secrets
from collections.abc import Iterable
from contextlib import suppress
from functools import partial

import structlog
from telegram import Chat, Message, Update
from telegram.error import Forbidden, TelegramError

from bot.chats.settings import Chats
from bot.context import Context, ensure_chat_and_translator, reply_target_of
from bot.domain.errors import (
    INCIDENT,
    BotError,
    NoPayerError,
    RightsError,
    SpendingError,
    SubscriptionError,
    TryAgainError,
    UnknownChannelError,
)
from bot.domain.sentences import N_
from bot.presentation.actions import Buttons
from bot.presentation.html import Safe, paragraphs, plain
from bot.presentation.translation import translator_for
from bot.sending.replies import text_payload
from bot.updates import unit_of_work
from handlers.payers import become_payer_buttons
from handlers.press_answers import REPEATED, answer_press
from handlers.repeats import cache_after_commit, is_channel_copy_or_own_forward
from handlers.replies import say, say_message

log = structlog.get_logger()

SAME_AGAIN = "🤷"  # one of the reactions that Telegram allows for bots

ONE_AT_A_TIME = N_(
    "That was a lot at once. I'll answer what I have so far; please send the rest after that."
)


def translated_error_text(error: BotError, context: Context) -> str:
    """Return the error message that describes ``error`` to a person."""
    sentence: str = context.t(error.msgid, **error.fields)
    if isinstance(error, UnknownChannelError) and error.usage:
        return paragraphs(sentence, context.t(error.usage))
    return sentence


async def send_error(
    context: Context, error: BotError, *, more: str = "", buttons: Buttons | None = None
) -> None:
    """Send an error message.

    In a group, a message gets a reaction instead of an error message that was sent within the last
    ten minutes. ``more`` is HTML after the error message. Without ``buttons``, the buttons of
    ``payer_buttons_for_errors`` are used.
    """
    text: str = Safe(translated_error_text(error, context) + more)
    message = context.event.message
    if message is None or not context.is_group:
        await say(context, text, buttons or payer_buttons_for_errors([error], context))
        return
    is_own_limit = isinstance(error, SpendingError) and error.is_own
    own = is_own_limit or isinstance(error, RightsError)
    key = ("refused", message.chat.id, context.user_id if own else None, text)
    if context.services.cache.get(key, now=context.now):
        await unit_of_work.call_after_replies(partial(set_reaction, context, message, SAME_AGAIN))
        return
    await say(context, text, buttons or payer_buttons_for_errors([error], context))
    await cache_after_commit(context, key, age=REPEATED)


def payer_buttons_for_errors(errors: Iterable[BotError], context: Context) -> Buttons:
    """Return the button to become the payer if ``errors`` include a ``NoPayerError``.

    If ``errors`` include no ``NoPayerError``, return no button. In a private chat, always return
    no button.
    """
    has_no_payer = any(isinstance(error, NoPayerError) for error in errors)
    if has_no_payer and not context.is_private:
        return become_payer_buttons(context.update_chat.id, context.update_chat.type, context)
    return []


async def set_reaction(context: Context, message: Message, sign: str) -> None:
    """React to a message with a reaction that Telegram allows for bots. Only log a failure."""
    try:
        await context.bot.set_message_reaction(message.chat.id, message.message_id, sign)
    except TelegramError as error:  # a group may forbid reactions
        log.info("a message can't be marked", reason=str(error))


async def answer_given_up_update(update: Update, *, chats: Chats) -> None:
    """Queue an error message for an update after the last attempt to handle the update failed.

    An update without a message gets no error message.
    """
    message = update.effective_message
    person = update.effective_user
    code = person.language_code if person else None
    if message:
        with suppress(Exception):  # the chat's row may be unreadable
            if chat := await chats.get(message.chat.id):
                code = chat.effective_language
        incident = secrets.token_hex(4)
        log.error("given up", incident=incident, update_id=update.update_id)
        t = translator_for(code)
        quoted = None if message.chat.type == Chat.PRIVATE else message.message_id
        payload = text_payload(t(INCIDENT, incident=incident), reply_to=quoted)
        unit_of_work.add_reply_if_in_unit(
            reply_target_of(update), {**payload, "language": t.language}
        )


async def answer_too_many_open_requests(context: Context) -> None:
    """Inform the sender that too many requests are open, and that the update is not processed.

    A message that only repeats another message gets no answer.
    """
    message = context.message
    if context.query:
        await answer_press(context, context.t.plain(ONE_AT_A_TIME), alert=True)
    elif message and not is_channel_copy_or_own_forward(message, context.bot.id):
        await say_message(context, ONE_AT_A_TIME)


async def roll_back_and_report_error(update: object, context: Context) -> None:
    """Roll back the uncommitted changes, send the error message and log the failure.

    PTB calls this handler for each exception, unless the update will be retried. In groups and
    channels, an expected error after a press is usually shown in a pop-up, not to other members.
    """
    error = context.error
    if unit := unit_of_work.current_unit():
        await unit.roll_back_and_discard_replies()  # a failed update must have no partial effect
    if not isinstance(update, Update) or update.effective_chat is None:
        if isinstance(error, BotError):
            # A client can press a button under a message that was sent by inline mode. Telegram
            # names no chat for such a press.
            log.info("refused", error=type(error).__name__, reason=str(error))
            await answer_press(context)
        else:
            log.error("update failed", exc_info=error)
        return
    await _set_chat_and_translator_again(update, context)
    if isinstance(error, Forbidden):
        log.info("chat is closed to us", reason=str(error))
        await answer_press(context)
        return
    if isinstance(error, BotError):
        log.info("refused", error=type(error).__name__, reason=str(error))
        text = translated_error_text(error, context)
    else:
        incident = secrets.token_hex(4)
        log.error("incident", incident=incident, exc_info=error)
        # After a press in a channel, the text has no code, because the text is shown in a pop-up,
        # and people cannot copy a code from a pop-up.
        no_code = context.query is not None and context.is_channel
        text = context.t(BotError.text) if no_code else context.t(INCIDENT, incident=incident)
    has_code = not isinstance(error, BotError) and not context.is_channel
    is_for_presser = isinstance(error, (RightsError, SubscriptionError))
    if not (context.is_private or has_code):
        is_for_presser = True
    if context.query and is_for_presser:
        await answer_press(context, plain(text), alert=True)
        return
    try:
        await answer_press(context)
        if isinstance(error, BotError):
            await send_error(context, error)
        else:
            await say(context, text)
    except TelegramError as failure:
        log.warning("can't tell the chat", reason=str(failure))


async def _set_chat_and_translator_again(update: Update, context: Context) -> None:
    """Set the chat and the translator of the context again.

    python-telegram-bot gives a new context to the error handler. If the chat can't be read, the
    language of the person applies.
    """
    try:
        await ensure_chat_and_translator(update, context)
    except Exception as error:  # if the database fails, use the language that Telegram reports
        if isinstance(error, TryAgainError):
            log.warning("the chat of a failure can't be read", why=str(error))
        else:
            log.exception("the chat of a failure can't be read")
        context.t = translator_for(context.language_code)
