"""Replies of the bot: messages, edits, and the sign that the bot is working."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

import structlog
from telegram import InlineKeyboardMarkup, Message
from telegram.error import TelegramError

from bot.context import Context
from bot.domain.model import Target
from bot.domain.sentences import N_
from bot.presentation.actions import Button, Buttons, buttons_acting_on_chat
from bot.presentation.html import Safe, bold, code, foreign_html, paragraphs
from bot.runtime import logging
from bot.runtime.background import running_after
from bot.sending.replies import (
    ACTION_S,
    Payload,
    edit_payload,
    keep_showing_uploading,
    text_payload,
)
from bot.updates import unit_of_work
from handlers.press_answers import answer_press

WasAnswered = bool
"""True if the message needs no other answer, because the bot has sent or queued an answer."""

log = structlog.get_logger()

_SHOWN_AFTER_S = 0.2  # seconds; a chat action would delay an answer that takes less time
IN_PRIVATE = N_("I can't show buttons in channels. Send me this in a private chat: {command}")


def buttons_for_current_chat(context: Context, buttons: Buttons) -> Buttons:
    """Return the buttons that the chat of the update can show.

    A channel can show only the rows that begin with a link. In a private chat that manages another
    chat, the buttons act on the managed chat.
    """
    if context.is_channel:
        return [row for row in buttons if row and "callback_data" not in row[0]]
    return buttons if context.about is None else buttons_acting_on_chat(buttons, context.about)


def _with_title_of_managed_chat(context: Context, text: str) -> str:
    """Return a text with the title of the managed chat above the text.

    If the update applies to no managed chat, return the text without a title.
    """
    if context.about is None:
        return text
    title = bold(foreign_html(context.chat.title, rtl=context.t.is_rtl))
    return Safe(f"📣 {title}\n{text}")


async def say(
    context: Context,
    text: str,
    buttons: Buttons | None = None,
    *,
    markup: dict[str, Any] | None = None,
    reply_to: int | None = None,
) -> None:
    """Send an HTML message to the chat of the update.

    - ``reply_to`` is the ID of the message to reply to. By default, a message in a group or
      channel replies to the message of the update, except after the press of a button.
    - ``markup`` is a "reply_markup" of the Bot API, used only if no buttons are shown.
    - If ``Context.in_place`` is True, the message replaces the pressed message once.
    """
    if context.in_place and not (markup or reply_to):
        context.in_place = False
        await edit_pressed(context, text, buttons)
        return
    message = context.message
    if message and context.query is None and not context.is_private and reply_to is None:
        reply_to = message.message_id
    shown = buttons_for_current_chat(context, buttons or [])
    if message and context.is_channel and buttons and not shown:
        hint = context.t(IN_PRIVATE, command=code(_command_for_private_chat(context, message)))
        text = paragraphs(text, hint)
    payload = text_payload(
        _with_title_of_managed_chat(context, text), shown, reply_to=reply_to, markup=markup
    )
    await enqueue_reply(context, context.reply_target, payload)


async def say_message(
    context: Context, message: str, buttons: Buttons | None = None, /, **fields: object
) -> None:
    """Translate a message, and send it with ``say``.

    ``fields`` are the values of the placeholders in ``message``.
    """
    await say(context, context.t(message, **fields), buttons)


def _command_for_private_chat(context: Context, message: Message) -> str:
    """Return the command of a channel post in the form for a private chat.

    The command names a public channel by ``@name``, and a private channel by its ID.
    """
    words = (message.text or message.caption or "").split()
    if context.channel_after is not None:
        name = message.chat.username
        channel = f"@{name}" if name else str(message.chat.id)
        words.insert(1 + context.channel_after, channel)
    return " ".join(words)


async def enqueue_reply(context: Context, target: Target, payload: Payload) -> None:
    """Queue a reply, which is sent after the commit of the update, and is retried on failure.

    A reply without a unit of work, or to a chat that is not in the database, is not retried.
    """
    payload = {**payload, "language": context.t.language, "trace": logging.current_trace()}
    if not unit_of_work.add_reply_if_in_unit(target, payload):
        await context.services.replies.send(target, payload)


async def edit_pressed(context: Context, text: str, buttons: Buttons | None = None) -> None:
    """Replace the text and the buttons of the message whose button was pressed.

    If no button was pressed, or the pressed message has no text, send a new message instead.
    """
    shown = context.query.message if context.query else None
    if shown is None or (isinstance(shown, Message) and not shown.text):
        await say(context, text, buttons)  # Telegram cannot turn a photo into a text
        return
    text = _with_title_of_managed_chat(context, text)
    buttons = buttons_for_current_chat(context, buttons or [])
    payload = edit_payload(shown.chat.id, shown.message_id, text, buttons)
    await enqueue_reply(context, context.reply_target, payload)


def code_texts(message: Message | None) -> list[str]:
    """Return the texts in code style of a message. Buttons use these texts as arguments.

    The list is empty if the message was deleted or is too old for the bot to read.
    """
    entities = message.entities if message else ()
    return [
        message.parse_entity(entity)
        for entity in entities
        if message and entity.type == entity.CODE
    ]


async def replace_pressed_button(context: Context, new: Button) -> bool:
    """Replace the pressed button under a photo, video or file by the button ``new``.

    The button is replaced after the replies. A failure is only logged. Return False if no button
    was pressed, or if the message is a text message or cannot be read.
    """
    query = context.query
    shown = query.message if query else None
    if query is None or not isinstance(shown, Message) or shown.text or not shown.reply_markup:
        return False
    rows: Buttons = []
    for row in shown.reply_markup.inline_keyboard:
        buttons: list[Button] = [key.to_dict() for key in row]
        for place, key in enumerate(row):
            if key.callback_data == query.data:
                buttons[place] = new
        rows.append(buttons)
    await unit_of_work.call_after_replies(partial(_change_buttons, context, shown, rows))
    return True


async def _change_buttons(context: Context, shown: Message, buttons: Buttons) -> None:
    """Replace the buttons of a message. Only log a failure, because a pop-up shows the result."""
    markup = InlineKeyboardMarkup.de_json({"inline_keyboard": buttons}, context.bot)
    try:
        await context.bot.edit_message_reply_markup(
            shown.chat.id, shown.message_id, reply_markup=markup
        )
    except TelegramError as error:
        log.info("buttons can't be changed", reason=str(error))


@asynccontextmanager
async def show_working(context: Context) -> AsyncIterator[None]:
    """Show a chat action if the body of the ``with`` block takes more than 0.2 seconds.

    A failure of the chat action does not affect the body. After some seconds, the pressed button
    is answered.
    """

    async def answer_in_time() -> None:
        with unit_of_work.with_current_unit(None):
            await answer_press(context)

    show = partial(keep_showing_uploading, context.bot, context.reply_target)
    async with (
        running_after(_SHOWN_AFTER_S, show),
        running_after(_SHOWN_AFTER_S + ACTION_S, answer_in_time),
    ):
        yield
