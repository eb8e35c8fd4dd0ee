"""How the bot speaks: one way to say a sentence, and the signs that it is at work."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from telegram import Message, Update
from telegram.constants import ChatAction, ParseMode
from telegram.error import TelegramError

from bot.context import Context, target_of
from bot.domain.errors import N_, DatabaseUnavailableError
from bot.domain.model import Target
from bot.presentation.actions import Buttons, about
from bot.presentation.html import Safe, bold, code
from bot.runtime import holding, logging
from bot.runtime.beside import beside
from bot.sending.replies import ACTION_S, Payload, edit_of, text_of
from bot.updates import unit_of_work
from handlers.guard import answer

IN_PRIVATE = N_("In channels I have no buttons. Write this to me in a private chat: {command}")


def fitting(update: Update, context: Context, buttons: Buttons) -> Buttons:
    """Return ``buttons``: in a channel links only, and acting on a channel where it is run."""
    where = update.effective_chat
    if where and where.type == where.CHANNEL:
        return [row for row in buttons if row and not row[0].callback_data]
    return buttons if context.about is None else about(buttons, context.about)


def _headed(context: Context, text: str) -> str:
    """Say of which channel it is, where a channel is run from a private chat."""
    return text if context.about is None else Safe(f"📣 {bold(context.chat.title)}\n{text}")


async def say(
    update: Update,
    context: Context,
    text: str,
    buttons: Buttons | None = None,
    *,
    force_reply: str | None = None,
) -> None:
    """Owe one message of HTML where the update came from, as a reply in groups.

    ``force_reply`` asks for an answer, with that in its field.
    """
    message = update.effective_message
    quoted = message and update.callback_query is None and message.chat.type != "private"
    reply_to = message.message_id if message and quoted else None
    shown = fitting(update, context, buttons or [])
    if message and message.chat.type == message.chat.CHANNEL and buttons and not shown:
        about_it = f" @{message.chat.username or 'channel'}" if context.takes_channel else ""
        hint = context.t(IN_PRIVATE, command=code(f"{message.text or ''}{about_it}"))
        text = Safe(f"{text}\n\n{hint}")
    payload = text_of(
        _headed(context, text),
        shown,
        reply_to=reply_to,
        force_reply=force_reply,
    )
    await enqueue_reply(context, target_of(update), payload)


async def enqueue_reply(context: Context, target: Target, payload: Payload) -> None:
    """Answer, once the update's work holds; what can't leave then goes when it can."""
    payload = {**payload, "language": context.t.language, "trace": logging.trace()}
    if not unit_of_work.owe(target, payload):
        await context.services.replies.send(target, payload)


async def rewrite(
    update: Update, context: Context, text: str, buttons: Buttons | None = None
) -> None:
    """Put a new text and new buttons in place of the message whose button was pressed."""
    query = update.callback_query
    shown = query.message if query else None
    if shown is None or (isinstance(shown, Message) and not shown.text):
        await say(update, context, text, buttons)  # a photo can't become words
        return
    payload = edit_of(
        shown.message_id,
        _headed(context, text),
        fitting(update, context, buttons or []),
    )
    await enqueue_reply(context, target_of(update), payload)


class SignsOfWork:
    """The signs of work in one chat: "is sending a photo…", and a sentence when it takes long."""

    def __init__(self, update: Update, context: Context, sentence: str) -> None:
        """Prepare to say ``sentence`` (HTML)."""
        self._update = update
        self._context = context
        self._bot = context.bot
        self._target = target_of(update)
        self._sentence = sentence
        self._message: Message | None = None

    async def tick(self) -> None:
        """Show the signs until cancelled; a failure here must not spoil the work.

        They go beside the work: no transaction of it waits for them.
        """
        with contextlib.suppress(TelegramError, DatabaseUnavailableError), holding.watched(None):
            await self._act()
            await asyncio.sleep(self._context.services.timing.work_s)
            await answer(self._update, self._context)
            self._message = await self._bot.send_message(
                self._target.chat_id,
                self._sentence,
                parse_mode=ParseMode.HTML,
                message_thread_id=self._target.thread_id,
                disable_notification=True,
            )
            while True:
                await self._act()
                await asyncio.sleep(ACTION_S)

    async def close(self) -> None:
        """Take the sentence away; not while others wait for what the update has changed."""
        if self._message:
            await unit_of_work.later(self._delete)

    async def _delete(self) -> None:
        if self._message:
            with contextlib.suppress(TelegramError, DatabaseUnavailableError):
                await self._message.delete()

    async def _act(self) -> None:
        await self._bot.send_chat_action(
            self._target.chat_id,
            ChatAction.UPLOAD_PHOTO,
            message_thread_id=self._target.thread_id,
        )


@asynccontextmanager
async def working(update: Update, context: Context, sentence: str) -> AsyncIterator[None]:
    """Show the signs of work while the body runs; its errors come through as they are."""
    progress = SignsOfWork(update, context, sentence)
    try:
        async with beside(progress.tick()):
            yield
    except Exception:
        await progress.close()
        raise
    await progress.close()
