"""Membership events of chats, topic events, and the migration of a group to a supergroup."""

import contextlib
from functools import partial

import structlog
from telegram import (
    Chat,
    ChatMember,
    ChatMemberUpdated,
    InlineKeyboardMarkup,
    Update,
)
from telegram.constants import ParseMode
from telegram.error import TelegramError
from telegram.ext import ChatMemberHandler, MessageHandler, filters

from bot.context import Context
from bot.domain.errors import NoPayerError
from bot.domain.identity import identifies_no_person
from bot.domain.records import MAIN
from bot.domain.sentences import N_
from bot.presentation.actions import Buttons, link_button
from bot.presentation.buttons import options_link
from bot.presentation.html import Safe, paragraphs
from bot.updates import unit_of_work
from handlers.guard import on_event
from handlers.payers import LEFT, become_payer_buttons
from handlers.replies import say

log = structlog.get_logger()
HTML = ParseMode.HTML
GENERAL = 1  # the ID of the General topic, which sendMessage does not accept
HERE = {ChatMember.OWNER, ChatMember.ADMINISTRATOR, ChatMember.MEMBER, ChatMember.RESTRICTED}


GREETING = N_(
    "👋 Hi! I bring Instagram stories here. /stories <i>name</i> shows a profile's "
    "stories, and /subscribe <i>name</i> sends every new one to this group (admins "
    "only). I need to be allowed to send photos and videos."
)
GREETING_CHANNEL = N_(
    "👋 Hi! I can post the new stories of Instagram profiles in this channel. Its admins choose "
    "them in a private chat with me. I need to be an admin who can post messages."
)
HIDDEN = N_(
    "In groups I only see commands, replies to me and messages that mention me. If you want "
    "me to open pasted links too, make me an admin."
)


@on_event(lambda run: ChatMemberHandler(run, ChatMemberHandler.MY_CHAT_MEMBER))
async def open_and_greet_or_close_chat(context: Context) -> None:
    """Handle a change of the bot's own membership in a chat.

    A chat that blocks or removes the bot is closed, and gets no alerts. Any other chat is opened.
    The person who added the bot is recorded.

    Raises:
        BlockedError: The access list blocks the chat or the responsible person.
    """
    change = context.event.my_chat_member
    if change is None:
        return
    if _is_member(change.new_chat_member):
        if not _is_member(change.old_chat_member):
            await _allow_chat_if_adder_has_access(context, change)
            await record_payer_of_added_chat(context)
        was_closed = await context.services.subscriptions.reopen_chat_and_drop_pending(
            change.chat.id, alerts_since=change.date
        )
        if not _is_member(change.old_chat_member):
            await _greet_or_report_missing_payer(context, change, was_closed=was_closed)
        # The bot's rights may have changed with the membership, so the rights are checked again.
        await context.services.presence.recheck_presence_and_return_mutes(change.chat.id)
    else:
        await context.services.subscriptions.close_chat(change.chat.id)


async def _allow_chat_if_adder_has_access(context: Context, change: ChatMemberUpdated) -> None:
    """Give a group or channel access if a person with access added the bot.

    If a group became a supergroup, Telegram names no person, and the access entry is moved
    instead.
    """
    if change.chat.type != Chat.PRIVATE and not identifies_no_person(change.from_user.id):
        name = change.chat.effective_name or ""
        await context.services.access.allow_if_adder_has_access(
            change.chat.id, change.from_user.id, chat_title=name
        )


async def record_return_to_blocked_chat(context: Context) -> None:
    """Record that a blocked chat has the bot again, or that a blocked person added the bot.

    A blocked chat opens at the end of the block. Any other chat to which a blocked person adds the
    bot usually opens at once, if the payer is not blocked.
    """
    change = context.event.my_chat_member
    if change is not None and _is_member(change.new_chat_member):
        await context.services.presence.record_return_to_blocked_chat(change.chat.id)
        await record_payer_of_added_chat(context)


async def record_payer_of_added_chat(context: Context) -> None:
    """Record that a person added the bot to a group or channel.

    The person usually becomes the payer (``Payers.record_bot_added_and_set_payer``). Other changes
    of the membership are ignored.
    """
    change = context.event.my_chat_member
    if change is None or change.chat.type == Chat.PRIVATE or _is_member(change.old_chat_member):
        return
    if not _is_member(change.new_chat_member):
        return
    person = change.from_user
    await context.services.payers.record_bot_added_and_set_payer(
        change.chat.id,
        None if identifies_no_person(person.id) else person.id,
        kind=change.chat.type,
        title=change.chat.effective_name or "",
        language_code=context.language_code,
    )


async def _greet_or_report_missing_payer(
    context: Context, change: ChatMemberUpdated, *, was_closed: bool
) -> None:
    """Greet a new group or channel, or report that a chat with subscriptions has no payer.

    A chat that was closed until this change (``was_closed``) gets no greeting.
    """
    if change.chat.type == Chat.PRIVATE:
        return
    if not await context.services.subscriptions.all_of_chat(change.chat.id):
        if not was_closed:
            await _greet_new_chat(context, change)
        return
    if await context.services.payers.has_payer(change.chat.id):
        return
    text = context.t(LEFT)
    buttons = become_payer_buttons(change.chat.id, change.chat.type, context)
    if change.chat.type == Chat.CHANNEL:
        tell = partial(_notify_who_added, context, change, text, buttons)
        await unit_of_work.call_after_replies(tell)
    else:
        await say(context, text, buttons)


async def _greet_new_chat(context: Context, change: ChatMemberUpdated) -> None:
    """Greet a new group, or the person who added the bot to a new channel.

    In a chat without a payer, the greeting has a button to become the payer.
    """
    text, buttons = greeting_page(change.chat, context)
    if not await context.services.payers.has_payer(change.chat.id):
        text = paragraphs(text, context.t(NoPayerError.text))
        buttons = [*buttons, *become_payer_buttons(change.chat.id, change.chat.type, context)]
    if change.chat.type == Chat.CHANNEL:
        greet = partial(_notify_who_added, context, change, text, buttons)
        await unit_of_work.call_after_replies(greet)
        return
    sees_all = change.new_chat_member.status == ChatMember.ADMINISTRATOR
    if not (sees_all or context.bot.can_read_all_group_messages):
        text = paragraphs(text, context.t(HIDDEN))
    await say(context, text, buttons)


async def _notify_who_added(
    context: Context, change: ChatMemberUpdated, text: Safe, buttons: Buttons
) -> None:
    """Send a text to the person who added the bot.

    If Telegram refuses or does not answer, post the text without buttons in the channel. A failure
    of this post is ignored.
    """
    keyboard = InlineKeyboardMarkup.de_json({"inline_keyboard": buttons}, context.bot)
    person = change.from_user.id
    try:
        await context.bot.send_message(person, text, parse_mode=HTML, reply_markup=keyboard)
    except TelegramError as error:
        log.info("the person who added the bot can't be told", reason=str(error))
        with contextlib.suppress(TelegramError):
            await context.bot.send_message(change.chat.id, text, parse_mode=HTML)


def greeting_page(chat: Chat, context: Context) -> tuple[Safe, Buttons]:
    """Return the greeting for a group or channel, with a link to the list of its subscriptions."""
    link = link_button(
        context.t.plain("Set it up"), url=options_link(context.bot.username, chat.id)
    )
    return context.t(GREETING_CHANNEL if chat.type == Chat.CHANNEL else GREETING), [[link]]


async def cancel_question_and_recheck_chat(update: Update, context: Context) -> None:
    """After a command, cancel a pending question for a setting or a followed profile.

    Also recheck whether the bot may write: in a closed chat after each message and each press, and
    in a muted chat after a command.
    """
    is_command = bool(filters.COMMAND.check_update(update))
    if is_command and not {"setting", "command"}.isdisjoint(context.question or {}):
        await context.set_question(None)
    is_closed = context.known is not None and context.known.state == "closed"
    speaks = update.effective_message is not None
    if (is_closed and speaks) or (is_command and context.is_muted):
        await context.services.presence.recheck_presence_and_return_mutes(context.update_chat.id)


@on_event(lambda run: MessageHandler(filters.StatusUpdate.FORUM_TOPIC_REOPENED, run))
async def unmute_topic(context: Context) -> None:
    """Resume the alerts of a topic or of the General topic."""
    message = context.message
    if message:
        thread_id = message.message_thread_id if message.is_topic_message else None
        place = MAIN if thread_id in {None, GENERAL} else thread_id
        await context.services.presence.unmute_topic(message.chat.id, place or MAIN)


@on_event(lambda run: MessageHandler(filters.StatusUpdate.FORUM_TOPIC_CREATED, run))
async def record_topic_being_made(context: Context) -> None:
    """Record the topic that the bot is making, because Telegram's response may have been lost.

    Nothing is recorded unless the bot is now making a topic with this name in the chat.
    """
    message = context.message
    if message is None or message.from_user is None or message.from_user.id != context.bot.id:
        return
    made = message.forum_topic_created
    thread_id = message.message_thread_id
    if made and thread_id:
        await context.services.topics.store_topic_if_being_made(
            message.chat.id, made.name, thread_id
        )


@on_event(lambda run: MessageHandler(filters.StatusUpdate.MIGRATE, run))
async def move_group_data(context: Context) -> None:
    """Move all data of a group to the new ID when the group becomes a supergroup."""
    message = context.message
    if message is None:
        return
    if message.migrate_to_chat_id:
        await context.services.subscriptions.move_chat(message.chat.id, message.migrate_to_chat_id)
    elif message.migrate_from_chat_id:
        await context.services.subscriptions.move_chat(
            message.migrate_from_chat_id, message.chat.id
        )


def _is_member(member: ChatMember) -> bool:
    if member.status == ChatMember.RESTRICTED:
        return bool(getattr(member, "is_member", False))
    return member.status in HERE
