"""The answer to a pressed button: a pop-up, or a message if no pop-up is possible."""

from datetime import timedelta
from functools import partial

import structlog
from telegram import CallbackQuery
from telegram.error import BadRequest, RetryAfter, TelegramError

from bot.context import Context
from bot.domain.sentences import N_
from bot.updates import unit_of_work

PopUpText = str
"""The text of the pop-up that answers a press."""

log = structlog.get_logger()

TOAST = 200  # maximum characters of a pop-up
REPEATED = timedelta(minutes=10)  # the same text is not sent again in this time
UNCHANGED = N_("Nothing has changed.")


async def answer_press(
    context: Context, text: PopUpText | None = None, *, alert: bool = False
) -> None:
    """Answer the pressed button once, with a pop-up if ``text`` is given.

    With ``alert``, the person must close the pop-up. The answer is usually sent after the replies.
    A text that is too long or too late for a pop-up is usually sent as a message. Without a
    pressed button, do nothing.
    """
    query = context.query
    unit = unit_of_work.current_unit()
    if query is None:
        return
    # An album may take longer than the 15 s for which Telegram accepts an answer to a press.
    kinds = {reply.payload["kind"] for reply in unit.replies} if unit else set()
    answer = partial(_answer_press_now, context, query, text, alert=alert, unit=unit)
    await unit_of_work.call_after_replies(answer, only_commit="album" in kinds)


async def _answer_press_now(
    context: Context,
    query: CallbackQuery,
    text: PopUpText | None,
    *,
    alert: bool,
    unit: unit_of_work.Unit | None,
) -> None:
    shown = text or ""
    if not shown and unit and unit.is_edit_unchanged:
        shown = context.t.plain(UNCHANGED)
    is_long = len(shown) > TOAST
    # The answer is recorded in the cache and not in the context, because the error handler has a
    # new context.
    cache = context.services.cache
    key = ("answered", query.id)
    previous = cache.get(key, now=context.now)
    if previous is None:
        try:
            pop_up = None if is_long else shown or None
            await query.answer(pop_up, show_alert=alert and not is_long)
        except TelegramError as error:
            log.info("a button can't be answered", reason=str(error))
            if not isinstance(error, BadRequest | RetryAfter):
                return  # Telegram may have shown the pop-up, so no message is sent
        else:
            cache.put(key, text or "", until=context.now + REPEATED)
            if not is_long:
                return
    if text and text != previous:
        await _send_message_instead_of_pop_up(context, text)


async def _send_message_instead_of_pop_up(context: Context, text: str) -> None:
    """Send a message at once, outside the reply queue. A failure of the call is only logged.

    A group, a channel or a topic gets the same text at most once in ten minutes.

    Raises:
        RightsError: The update has no chat.
    """
    target = context.reply_target
    cache = context.services.cache
    key = ("line", target, text)
    if not context.is_private and cache.get(key, now=context.now):
        return
    try:
        await context.bot.send_message(
            target.chat_id, text, message_thread_id=target.thread_id, disable_notification=True
        )
        cache.put(key, value=True, until=context.now + REPEATED)
    except TelegramError as error:
        log.info("a line can't be said", reason=str(error))
