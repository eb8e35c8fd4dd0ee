"""Every failure becomes a sentence in the chat's language; an unexpected one gets a number."""

import secrets

import structlog
from telegram import Update
from telegram.error import Forbidden, TelegramError

from bot.context import Context
from bot.domain.errors import N_, BotError
from bot.presentation.translation import translator_for
from handlers.replies import say

log = structlog.get_logger()

INCIDENT = N_(
    "Something went wrong on my side. Please try again in a moment; if it goes on, tell the "
    "operator this number: <code>{incident}</code>"
)

ONE_AT_A_TIME = N_(
    "One thing at a time, please: I'll answer what I have noted so far. Send me the rest when "
    "that is done."
)


def sentence_for(error: BotError, context: Context) -> str:
    """Return what a person is told of ``error``."""
    return context.t(error.sentence, **error.fields)


async def last_resort(update: Update) -> None:
    """Answer an update that took the process down again and again; without any of our parts."""
    message = update.effective_message
    code = update.effective_user.language_code if update.effective_user else None
    if message:
        incident = secrets.token_hex(4)
        log.error("given up", incident=incident, update_id=update.update_id)
        text = translator_for(code)(INCIDENT, incident=incident)
        await message.reply_html(text)


async def one_at_a_time(update: Update, context: Context) -> None:
    """Say, once for all that was too much at a time, that the rest of it is not answered."""
    if update.callback_query:
        await update.callback_query.answer(context.t.plain(ONE_AT_A_TIME), show_alert=True)
    elif update.effective_chat:
        await say(update, context, context.t(ONE_AT_A_TIME))


async def on_error(update: object, context: Context) -> None:
    """Tell the person; log what the operator needs. PTB calls this for every exception."""
    error = context.error
    if not isinstance(update, Update) or update.effective_chat is None:
        log.error("update failed", exc_info=error)
        return
    if not hasattr(context, "t"):
        context.t = translator_for(None)
    if isinstance(error, Forbidden):
        log.info("chat is closed to us", reason=str(error))
        return
    if isinstance(error, BotError):
        log.info("refused", error=type(error).__name__, reason=str(error))
        text = sentence_for(error, context)
    else:
        incident = secrets.token_hex(4)
        log.error("incident", incident=incident, exc_info=error)
        text = context.t(INCIDENT, incident=incident)
    try:
        if update.callback_query:
            await update.callback_query.answer()
        await say(update, context, text)
    except TelegramError as failure:
        log.warning("can't tell the chat", reason=str(failure))
