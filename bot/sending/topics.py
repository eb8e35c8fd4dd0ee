"""Topics of the bot's own, one a profile: made when somebody wants one, and again when it is lost.

Nobody can ask Telegram which topics a chat has (tdlib/telegram-bot-api#634), so the store knows
those that we made. Between Telegram's answer and the commit a crash may leave a topic too many,
unless the update that tells of it still finds our claim.
"""

import asyncio
from collections.abc import Callable, Collection
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

import structlog
from telegram import Chat, ChatFullInfo
from telegram.error import BadRequest, Forbidden, RetryAfter, TelegramError
from telegram.ext import ExtBot

from bot.domain.errors import (
    AskAgainError,
    BotError,
    NoChannelTopicsError,
    NoGroupTopicsError,
    NoPrivateTopicsError,
    TopicRightError,
)
from bot.domain.model import Target, TryLater
from bot.domain.records import MAIN, ChatQueue, Topic
from bot.store import chat_queues, chats, moves
from bot.store import topics as store
from bot.store.engine.database import Database
from bot.telegram.outcomes import wait_of

log = structlog.get_logger()

_LONGEST_NAME = 128  # characters; the Bot API's
CLAIMED_FOR = timedelta(seconds=60)
_CALL_S = 50.0  # with all its waits: after the claim's end another makes it, too
_FLOOD_S = 30.0  # that it waits for a chat that Telegram wants nothing in
_DOUBTED_FOR = timedelta(seconds=5)  # in which Telegram tells of a topic whose answer was lost
_PATIENCE = timedelta(seconds=5)
_ASK_AGAIN_S = 0.2
_NO_FORUM = {Chat.PRIVATE: NoPrivateTopicsError, Chat.CHANNEL: NoChannelTopicsError}


TopicState = Literal["deleted", "off", "unknown"]
"""What became of a topic; "off": its chat shows no topics, so none of them is lost."""


class Topics:
    """Makes the topics that profiles have of their own; all calls are free."""

    def __init__(
        self,
        db: Database,
        bot: ExtBot[Any],
        *,
        patience: timedelta = _PATIENCE,
        wake: Callable[[], None] = lambda: None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """Take the parts; ``patience`` is had with another process that makes the same topic.

        ``wake`` is called when alerts may go that waited for a topic.
        """
        self._db = db
        self._bot = bot
        self._patience = patience
        self._wake = wake
        self._now = now

    async def places(self, chat_id: int, usernames: Collection[str]) -> dict[str, Target]:
        """Return the topics that profiles of these names have already; a topic may be gone."""
        threads = await self._db.fetch(lambda tx: store.named(tx, chat_id, usernames))
        return {name: Target(chat_id, thread_id) for name, thread_id in threads.items()}

    async def check(self, chat_id: int) -> None:
        """Let a topic be made in a chat, as far as Telegram tells.

        Raises:
            NoTopicsError: The chat has none, or the bot may not make any.
            AskAgainError: Telegram does not answer.
        """
        may_make = True
        try:
            chat = await self._bot.get_chat(chat_id)
            has_topics = await self._has_topics(chat)
            if chat.type != Chat.PRIVATE:
                # The documented right, an administrator's, though members may be given it too.
                me = await self._bot.get_chat_member(chat_id, self._bot.id)
                may_make = getattr(me, "can_manage_topics", False)
        except (BadRequest, Forbidden) as error:
            raise TopicRightError(str(error)) from error
        except TelegramError as error:
            raise AskAgainError(str(error)) from error
        if not has_topics:
            raise _NO_FORUM.get(chat.type, NoGroupTopicsError)
        if not may_make:
            raise TopicRightError

    async def state(self, chat_id: int, thread_id: int) -> TopicState:
        """Return what became of a topic of which Telegram said "message thread not found".

        It says so for whatever kept it from looking (Client.cpp, ``check_message_topic``). A
        topic is deleted with all its messages, so its first one, whose number is its own, tells;
        nobody can edit that one. Asking leaves nothing in the chat.
        """
        try:
            if not await self._has_topics(await self._bot.get_chat(chat_id)):
                return "off"
            await self._bot.edit_message_reply_markup(chat_id, thread_id)
        except BadRequest as error:
            return "deleted" if "message to edit not found" in str(error).lower() else "unknown"
        except TelegramError as error:
            log.info("it is not known what became of a topic", chat=chat_id, reason=str(error))
        return "unknown"

    async def _has_topics(self, chat: ChatFullInfo) -> bool:
        if chat.type == Chat.PRIVATE:
            return bool((await self._bot.get_me()).has_topics_enabled)
        return bool(chat.is_forum)

    async def own(self, chat_id: int, profile_id: str, username: str) -> Target:
        """Return a profile's own topic in a chat, made where there is none.

        Nothing may be open in the store: it waits for Telegram, and a little for others who make
        it. Who made it and died is not waited for: the update that tells of it may come next.

        Raises:
            NoTopicsError: Telegram refuses it.
            AskAgainError: Telegram does not answer, or somebody else's call takes long.
        """
        until = self._now() + self._patience
        while True:
            now = self._now()
            async with self._db.begin() as tx:
                await chats.lock(tx, [chat_id])
                topic = await store.get(tx, chat_id, profile_id)
                if topic and topic.thread_id != MAIN:
                    return Target(chat_id, topic.thread_id)
                is_free = topic is None or (topic.claimed_until or now) <= now
                if is_free:
                    await store.claim(
                        tx,
                        chat_id,
                        profile_id,
                        _name(username),
                        former_id=topic.former_id if topic else MAIN,
                        until=now + CLAIMED_FOR,
                    )
            if is_free:
                return await self._make(chat_id, profile_id, username)
            if now >= until:
                raise AskAgainError("its topic is being made")
            await asyncio.sleep(_ASK_AGAIN_S)

    async def _make(self, chat_id: int, profile_id: str, username: str) -> Target:
        limits: Any = {"patience": _FLOOD_S} if self._bot.rate_limiter is not None else None
        try:
            async with asyncio.timeout(_CALL_S):
                made = await self._bot.create_forum_topic(
                    chat_id, _name(username), rate_limit_args=limits
                )
        except (BadRequest, Forbidden) as error:
            async with self._db.begin() as tx:
                await store.release(tx, chat_id, profile_id)
            log.info("a topic can't be made", chat=chat_id, reason=str(error))
            raise _refused(error, chat_id) from error
        except (TelegramError, TimeoutError) as error:
            is_sure = isinstance(error, RetryAfter)  # that it was not made
            doubted = None if is_sure else self._now() + _DOUBTED_FOR
            async with self._db.begin() as tx:
                await store.change(tx, chat_id, profile_id, claimed_until=doubted)
            raise AskAgainError(str(error)) from error
        thread_id = made.message_thread_id
        async with self._db.begin() as tx:
            await store.change(tx, chat_id, profile_id, thread_id=thread_id, claimed_until=None)
        return Target(chat_id, thread_id)

    async def adopt(self, chat_id: int, name: str, thread_id: int) -> None:
        """Note a topic of ours that Telegram tells of, where its answer did not reach us.

        The alerts that wait for it wait no longer.
        """
        now = self._now()
        async with self._db.begin() as tx:
            await chat_queues.lock(tx, chat_id)
            if await store.adopt(tx, chat_id, name, thread_id):
                await chat_queues.end_wait(tx, chat_id, now=now)
                await chat_queues.wake(tx, chat_id, due_at=now, now=now)
        self._wake()

    async def renamed(self, chat_id: int, thread_id: int, name: str) -> None:
        """Note what a topic is called now: Telegram tells of it, whoever named it."""
        async with self._db.begin() as tx:
            await store.rename(tx, chat_id, thread_id, _name(name))

    async def follow_name(self, target: Target, old: str, new: str) -> None:
        """Let a profile's own topic be called as it is called now, unless people named it."""
        if (thread_id := target.thread_id) is None:
            return
        topic = await self._db.fetch(lambda tx: store.of_thread(tx, target.chat_id, thread_id))
        if topic is None or topic.thread_id != thread_id or topic.name != _name(old):
            return
        try:
            await self._bot.edit_forum_topic(target.chat_id, thread_id, name=_name(new))
        except TelegramError as error:  # it keeps its name, and its alerts
            log.info("a topic can't be renamed", chat=target.chat_id, reason=str(error))
            return
        await self.renamed(target.chat_id, thread_id, new)

    async def replace(self, queue: ChatQueue, thread_id: int) -> TryLater | None:
        """Put a new topic in the place of one of ours that was deleted, once.

        What it followed and is owed goes there. ``TryLater`` while Telegram does not say whether
        it may be; None where it is done, or where nothing can be done: then what is left falls
        back as in any topic.
        """
        chat_id = queue.chat.id
        topic = await self._claim_again(queue, thread_id)
        if not isinstance(topic, Topic):
            return topic
        try:
            made = await self._make(chat_id, topic.profile_id, topic.name)
        except AskAgainError as error:
            cause = error.__cause__
            wait = wait_of(cause) if isinstance(cause, RetryAfter) else _DOUBTED_FOR
            return TryLater(wait, reason=str(error))
        except BotError:
            return None
        log.info("a topic was made again", chat=chat_id)
        async with self._db.begin() as tx:
            if await chat_queues.lock(tx, chat_id) == queue.token:
                to = made.thread_id or MAIN
                await moves.move_topic(tx, chat_id, thread_id, to=to, now=self._now())
        return None

    async def _claim_again(self, queue: ChatQueue, thread_id: int) -> Topic | TryLater | None:
        """Return the topic that is ours to make again; what else ``replace`` says if it is not."""
        chat_id, now = queue.chat.id, self._now()
        async with self._db.begin() as tx:
            await chats.lock(tx, [chat_id])
            topic = await store.of_thread(tx, chat_id, thread_id)
            if topic is None or await chat_queues.lock(tx, chat_id) != queue.token:
                return None
            if topic.thread_id not in {MAIN, thread_id}:  # it was made, and not all went there yet
                await moves.move_topic(tx, chat_id, thread_id, to=topic.thread_id, now=now)
                return None
            if topic.thread_id == MAIN and topic.claimed_until and topic.claimed_until > now:
                return TryLater(topic.claimed_until - now, reason="its topic is being made")
            if topic.thread_id == thread_id and topic.former_id != MAIN:
                return None  # the second that was deleted
            until = now + CLAIMED_FOR
            await store.claim(
                tx, chat_id, topic.profile_id, topic.name, former_id=thread_id, until=until
            )
            return topic


def _name(username: str) -> str:
    return username[:_LONGEST_NAME]


def _refused(error: TelegramError, chat_id: int) -> BotError:
    """Return what a refusal of Telegram's means to whoever wanted the topic."""
    if "not a forum" in str(error).lower():
        return NoPrivateTopicsError() if chat_id > 0 else NoGroupTopicsError()
    return TopicRightError(str(error))
