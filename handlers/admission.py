"""Access check before all handlers: updates from people without access are refused.

A person or chat without access usually gets one refusal. Messages of other bots get no answer,
because each bot of a person would have separate limits.
"""

from datetime import timedelta
from functools import partial

import structlog
from telegram import Message, MessageEntity, Update
from telegram.constants import ParseMode
from telegram.error import TelegramError
from telegram.ext import ApplicationHandlerStop, filters

from bot.chats.access import INVITE, OWNER
from bot.context import Context
from bot.domain.access import Judged, Subject
from bot.domain.errors import BlockedError
from bot.domain.identity import is_bot_but_no_service_account
from bot.domain.model import Moved, Muted, PermanentFailure, TryLater
from bot.domain.sentences import N_
from bot.presentation.actions import ASK_ACCESS
from bot.presentation.html import Safe, plain
from bot.presentation.translation import translator_for
from bot.sending.replies import text_payload
from bot.telegram.outcomes import outcome_of
from bot.telegram.presence import AWAY
from bot.updates import unit_of_work
from handlers.links import links_of
from handlers.members import record_return_to_blocked_chat
from handlers.press_answers import answer_press
from handlers.repeats import is_channel_copy_or_own_forward
from handlers.replies import edit_pressed, say_message

log = structlog.get_logger()

STRANGER = N_(
    "Sorry, this bot is private. If you know its owner, ask for an invitation and send them "
    "this ID: <code>{id}</code>"
)
STRANGER_CHAT = N_(
    "Sorry, this bot is private, and nobody with access has added me here. If you know its "
    "owner, send them this chat's ID: <code>{id}</code>"
)
DIRECT_MESSAGES = N_(
    "Sorry, I don't work in a channel's direct messages. Please message me in our private chat."
)
OVER = N_("This invitation is no longer valid. Please ask for a new one.")
ASK_OWNER = N_("Ask the bot's owner")
ASKED = N_("I've asked the bot's owner. I'll write to you here when you can use the bot.")
SAID_AGAIN = timedelta(days=1)
# A refusal that is being sent prevents a second refusal for at most this time.
SENDING = timedelta(minutes=1)
BLOCKED_UNTIL = N_("Sorry, the bot's owner has blocked you until {until}.")
REASON = N_("The reason: {reason}")


async def admit_or_refuse_and_stop(_: Update, context: Context) -> None:
    """Stop updates that ``admit_or_refuse`` refuses.

    Raises:
        ApplicationHandlerStop: Access is refused. The exception keeps the update from all other
            handlers.
    """
    if not await admit_or_refuse(context):
        raise ApplicationHandlerStop


async def admit_or_refuse(context: Context) -> bool:
    """Return whether handlers may process the update. If not, refuse access.

    An update about the bot's removal or a new chat ID, and a stranger's /start with a valid link,
    need no access. The attributes ``is_owner``, ``known``, ``is_muted`` and ``question`` of the
    context are set for each admitted update.
    """
    if _is_non_service_message_of_other_bot(context):
        return False
    where = context.event.effective_chat
    judgement = await context.services.access.read_and_judge_access(
        context.user_id, where.id if where else None, as_chat=context.sender_chat_id
    )
    judged = judgement.judged
    if where and where.is_direct_messages:
        if judged.verdict != "blocked":
            await _explain_direct_messages_once_a_day(context)
        return False
    context.is_owner = judgement.is_owner
    context.known, context.is_muted = judgement.chat, judgement.is_muted
    context.question = judgement.question
    if (
        judged.verdict == "let"
        or _is_bot_removal_or_chat_move(context)
        or _is_by_this_bot(context)
    ):
        await _store_member_name_if_addressed(context)
        return True
    if judged.verdict == "blocked":
        await record_return_to_blocked_chat(context)
    if judged.verdict == "stranger" and await _has_valid_entry_link(context):
        return True
    await _send_first_refusal(context, judged)
    return False


async def _explain_direct_messages_once_a_day(context: Context) -> None:
    """Explain that the bot does not work in a channel's direct messages.

    A process usually explains this limit once a day to a person in a channel. Each direct message
    needs a topic ID (Bot API 9.2), which the bot does not store. No credits are spent for these
    chats.
    """
    message = context.event.message
    services = context.services
    topic = message.direct_messages_topic if message else None
    if message is None or topic is None or not _is_addressed_to_bot_or_has_link(message, context):
        return
    key = ("direct messages", message.chat.id, topic.topic_id)
    if services.cache.get(key, now=context.now):
        return
    text = translator_for(context.language_code)(DIRECT_MESSAGES)

    async def explain() -> None:
        try:
            await context.bot.send_message(
                message.chat.id,
                text,
                parse_mode=ParseMode.HTML,
                direct_messages_topic_id=topic.topic_id,
            )
        except TelegramError as error:
            log.warning("direct messages are not explained", why=str(error))
            if not isinstance(outcome_of(error), PermanentFailure | Muted):
                return  # the explanation is not recorded, so the next message gets the explanation
        services.cache.put(key, value=True, until=context.now + SAID_AGAIN)

    await unit_of_work.call_after_replies(explain)


def _is_addressed_to_bot_or_has_link(message: Message, context: Context) -> bool:
    """Return whether a message is a command for this bot, replies to the bot, or has a link."""
    return _is_addressed_to_bot(context) or bool(links_of(message, context.bot.username))


async def _store_member_name_if_addressed(context: Context) -> None:
    """Store the name of a person who addresses the bot in a group or channel, for /people."""
    user = context.event.effective_user
    if user and context.user_id and not context.is_private and _is_addressed_to_bot(context):
        await context.services.access.store_person_name(user.id, user.full_name)


def entry_link_payload(context: Context) -> str | None:
    """Return the payload of a /start with an owner link or an invitation link.

    Return None for any other update, and for a /start outside a private chat.
    """
    message = context.event.message
    if message is None or not context.is_private:
        return None
    match (message.text or "").split():
        case [word, payload] if word.partition("@")[0] == "/start":
            return payload if payload.startswith((OWNER, INVITE)) else None
        case _:
            return None


async def _has_valid_entry_link(context: Context) -> bool:
    payload = entry_link_payload(context)
    return payload is not None and await context.services.access.is_entry_link_valid(payload)


def _is_bot_removal_or_chat_move(context: Context) -> bool:
    change = context.event.my_chat_member
    message = context.event.message
    if message and (message.migrate_to_chat_id or message.migrate_from_chat_id):
        return True
    return change is not None and change.new_chat_member.status in AWAY


async def _send_first_refusal(context: Context, judged: Judged) -> None:
    """Send a refusal of access, usually one to each person or chat.

    An invalid invitation always gets an error message. Each press of a button is answered, because
    Telegram shows a loading indicator until the answer (Bot API, CallbackQuery).
    """
    known = context.known
    code = context.language_code
    context.t = translator_for(known.effective_language if known else code)
    if not _is_addressed_to_bot(context):
        return
    if judged.is_silent:
        await answer_press(context)
        return
    if judged.verdict == "stranger" and (entry_link_payload(context) or "").startswith(INVITE):
        await say_message(context, OVER, [[context.button(ASK_OWNER, ASK_ACCESS())]])
        return
    if judged.verdict == "stranger" and _is_access_request(context):
        await _record_and_confirm_access_request(context, judged)
        return
    if judged.entry and judged.entry.refused_at:
        await answer_press(context)
        return
    text = _refusal_sentence(judged, context)
    if context.query is None:
        await unit_of_work.call_after_replies(
            partial(_send_and_record_refusal, context, judged, text)
        )
    elif await _record_refusal_if_new(context, judged):
        await answer_press(context, plain(text), alert=True)
    else:
        await answer_press(context)


async def _send_and_record_refusal(context: Context, judged: Judged, text: Safe) -> None:
    """Send a refusal. Record the refusal, unless a later attempt may succeed.

    While a refusal is being sent, the process usually sends no second refusal to the same person
    or chat.
    """
    cache = context.services.cache
    key = ("refusal", judged.about)
    if cache.get(key, now=context.now):
        return
    cache.put(key, value=True, until=context.now + SENDING)
    message = context.message
    reply_to = message.message_id if message and not context.is_private else None
    payload = text_payload(text, reply_to=reply_to)
    outcome = await context.services.replies.send(context.reply_target, payload)
    if isinstance(outcome, TryLater | Moved):
        cache.remove(key)
    else:
        await _record_refusal_if_new(context, judged)


async def _record_refusal_if_new(context: Context, judged: Judged) -> bool:
    """Record the refusal of a person or chat. Return False if a refusal is already recorded."""
    return await context.services.access.record_first_refusal(
        judged.about,
        name=_name_of_refused(context, judged),
        language_code=context.language_code or "",
    )


def _is_access_request(context: Context) -> bool:
    query = context.query
    return query is not None and ASK_ACCESS.matches(query.data)


async def _record_and_confirm_access_request(context: Context, judged: Judged) -> None:
    """Record a request for access, and show a confirmation in the message with the button.

    ``bot.operations.visitors`` reports the request to the owners, unless the access list already
    has a refusal of the person.
    """
    await _record_refusal_if_new(context, judged)
    await answer_press(context)
    await edit_pressed(context, context.t(ASKED))


def _name_of_refused(context: Context, judged: Judged) -> str:
    """Return the name of the refused person, or the title of the refused chat.

    The refused chat can be the channel or group in whose name the person writes.
    """
    person = context.event.effective_user
    if person and judged.about.kind == "person":
        return person.full_name
    message = context.event.effective_message
    writer = message.sender_chat if message else None
    if writer and judged.about == Subject.of_chat(writer.id):
        return writer.title or ""
    return context.update_chat.title or ""


def _refusal_sentence(judged: Judged, context: Context) -> Safe:
    t = context.t
    entry = judged.entry
    if judged.verdict == "stranger":
        return t(STRANGER if judged.about.kind == "person" else STRANGER_CHAT, id=judged.about.id)
    text = t(BlockedError.text)
    if entry and entry.blocked_until:
        text = t(BLOCKED_UNTIL, until=t.moment(entry.blocked_until, context.now))
    if entry and entry.reason:
        text = Safe(f"{text}\n{t(REASON, reason=entry.reason)}")
    return text


def _is_non_service_message_of_other_bot(context: Context) -> bool:
    """Return whether another bot wrote the message of the update.

    Return False for service messages, and for messages of Telegram's own accounts, such as the
    account of anonymous admins.
    """
    message = context.event.message or context.event.edited_message
    sender = message.from_user if message else None
    if sender is None or sender.id == context.bot.id:
        return False
    if not is_bot_but_no_service_account(sender.id, is_bot=sender.is_bot):
        return False
    return not filters.StatusUpdate.ALL.check_update(context.event)


def _is_by_this_bot(context: Context) -> bool:
    """Return whether the bot itself caused the update, for example by creating a topic."""
    message = context.event.message
    sender = message.from_user if message else None
    return sender is not None and sender.id == context.bot.id


def _is_addressed_to_bot(context: Context) -> bool:
    """Return whether an update is addressed to the bot.

    Conversations between the members of a group are not addressed to the bot.
    """
    if context.query:
        return True
    message = context.event.message or context.event.channel_post
    if message is None or is_channel_copy_or_own_forward(message, context.bot.id):
        return False
    if message.chat.type == message.chat.PRIVATE:
        return True
    replied = message.reply_to_message
    to_us = bool(replied and replied.from_user and replied.from_user.id == context.bot.id)
    return to_us or _is_our_command(message, context)


def _is_our_command(message: Message, context: Context) -> bool:
    """Return whether a message begins with a command for this bot.

    A command without the name of a bot is also for this bot.
    """
    text = message.text or message.caption or ""
    entities = message.entities or message.caption_entities
    if not any(
        entity.type == MessageEntity.BOT_COMMAND and entity.offset == 0 for entity in entities
    ):
        return False
    _, _, name = text.split(maxsplit=1)[0].partition("@")
    return not name or name.lower() == context.bot.username.lower()
