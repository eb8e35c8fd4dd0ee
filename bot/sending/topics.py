"""The topics that the bot makes in a chat, each for one profile, at the request of a person.

The Bot API can't list the topics of a chat (tdlib/telegram-bot-api#634), so the database stores
these topics.
"""

import asyncio
from collections.abc import Callable, Collection
from datetime import datetime, timedelta
from typing import Any, Literal

import structlog
from telegram import Chat, ChatFullInfo
from telegram.error import BadRequest, Forbidden, RetryAfter, TelegramError
from telegram.ext import ExtBot

from bot.domain.errors import (
    NO_CHANNEL_TOPICS,
    NO_GROUP_TOPICS,
    NO_PRIVATE_TOPICS,
    TOPIC_RIGHT_MISSING,
    AskAgainError,
    BotError,
    SubscriptionError,
)
from bot.domain.model import Target
from bot.domain.records import MAIN
from bot.runtime.clock import utc_now
from bot.store import chats
from bot.store import topics as store
from bot.store.engine.database import Database
from bot.telegram.request import LateFloodError

log = structlog.get_logger()

_LONGEST_NAME = 128  # maximum number of characters (Bot API)
CLAIMED_FOR = timedelta(seconds=60)
_CALL_S = 50.0  # maximum seconds of a call with all waits; CLAIMED_FOR must be longer
_FLOOD_S = 30.0  # maximum seconds that a call waits for a flood limit of the chat
# If the response to the call that makes a topic was lost, the topic may exist, and an update may
# still report the topic. The bot waits for this time before it makes the topic again.
_DOUBTED_FOR = timedelta(seconds=5)
_NO_FORUM = {Chat.PRIVATE: NO_PRIVATE_TOPICS, Chat.CHANNEL: NO_CHANNEL_TOPICS}


TopicState = Literal["deleted", "off", "unknown"]
"""The state of a topic that Telegram can't find.

- "deleted" means that the topic was deleted.
- "off" means that the topics of the chat are turned off now, so the topic is not lost.
- "unknown" means that the topic may exist.
"""


class Topics:
    """Makes topics for profiles. All calls are free."""

    def __init__(
        self,
        db: Database,
        bot: ExtBot[Any],
        *,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        """Use ``bot`` to make topics."""
        self._db = db
        self._bot = bot
        self._now = now

    async def read_own_topics(self, chat_id: int, usernames: Collection[str]) -> dict[str, Target]:
        """Return the stored topics of profiles in a chat, by username.

        Telegram is not asked, so some of the topics may have been deleted.
        """
        threads = await self._db.fetch(lambda tx: store.thread_by_username(tx, chat_id, usernames))
        return {name: Target(chat_id, thread_id) for name, thread_id in threads.items()}

    async def fetch_and_check_right_to_make_topic(self, chat_id: int) -> None:
        """Check by calls to Telegram that the bot has the right to make topics in a chat.

        Raises:
            SubscriptionError: The chat has no topics, the bot has no right to make topics, or
                Telegram refuses the calls.
            AskAgainError: A call failed for a different reason.
        """
        may_make = True
        try:
            chat = await self._bot.get_chat(chat_id)
            has_topics = await self._fetch_has_topics(chat)
            if chat.type != Chat.PRIVATE:
                # The Bot API does not report whether an ordinary member has the right to make
                # topics. For this reason, the bot must be an administrator.
                me = await self._bot.get_chat_member(chat_id, self._bot.id)
                may_make = getattr(me, "can_manage_topics", False)
        except (BadRequest, Forbidden) as error:
            raise SubscriptionError(str(error), text=TOPIC_RIGHT_MISSING) from error
        except TelegramError as error:
            raise AskAgainError(str(error)) from error
        if not has_topics:
            raise SubscriptionError(text=_NO_FORUM.get(chat.type, NO_GROUP_TOPICS))
        if not may_make:
            raise SubscriptionError(text=TOPIC_RIGHT_MISSING)

    async def fetch_lost_topic_state(self, chat_id: int, thread_id: int) -> TopicState:
        """Fetch the state of a topic after Telegram's error "message thread not found".

        After this error, the topic may still exist (Client.cpp, ``check_message_topic``). The
        error of an edit of the topic's first message shows whether the topic exists.
        """
        try:
            if not await self._fetch_has_topics(await self._bot.get_chat(chat_id)):
                return "off"
            await self._bot.edit_message_reply_markup(chat_id, thread_id)
        except BadRequest as error:
            return "deleted" if "message to edit not found" in str(error).lower() else "unknown"
        except TelegramError as error:
            log.info("it is not known what became of a topic", chat=chat_id, reason=str(error))
        return "unknown"

    async def _fetch_has_topics(self, chat: ChatFullInfo) -> bool:
        if chat.type == Chat.PRIVATE:
            return bool((await self._bot.get_me()).has_topics_enabled)
        return bool(chat.is_forum)

    async def ensure_own_topic(self, chat_id: int, profile_id: str, username: str) -> Target:
        """Return the topic of a profile in a chat. If the profile has no topic, make a topic.

        The caller must have no open transaction, because this method waits for Telegram.

        Raises:
            SubscriptionError: Telegram refuses the topic.
            AskAgainError: Telegram does not answer, demands a wait, or needs more than 50 seconds,
                or a different call makes or may have made the topic.
        """
        now = self._now()
        async with self._db.begin() as tx:
            await chats.lock(tx, [chat_id])
            topic = await store.get(tx, chat_id, profile_id)
            if topic and topic.thread_id != MAIN:
                return Target(chat_id, topic.thread_id)
            if topic and topic.claimed_until and topic.claimed_until > now:
                raise AskAgainError("its topic is being made")
            until = now + CLAIMED_FOR
            await store.set_creation_claim(
                tx, chat_id, profile_id, _topic_name(username), until=until
            )
        return await self._make_and_store_topic(chat_id, profile_id, username)

    async def _make_and_store_topic(self, chat_id: int, profile_id: str, username: str) -> Target:
        limits: Any = {"longest_wait_s": _FLOOD_S} if self._bot.rate_limiter is not None else None
        try:
            async with asyncio.timeout(_CALL_S):
                made = await self._bot.create_forum_topic(
                    chat_id, _topic_name(username), rate_limit_args=limits
                )
        except (BadRequest, Forbidden) as error:
            async with self._db.begin() as tx:
                await store.remove_unmade(tx, chat_id, profile_id)
            log.info("a topic can't be made", chat=chat_id, reason=str(error))
            raise _error_for_refused_topic(error, chat_id) from error
        except (TelegramError, TimeoutError) as error:
            is_flood = isinstance(error, RetryAfter)
            # ``is_sure`` is True if the topic was certainly not made.
            is_sure = is_flood and not isinstance(error, LateFloodError)
            doubted = None if is_sure else self._now() + _DOUBTED_FOR
            async with self._db.begin() as tx:
                await store.change(tx, chat_id, profile_id, claimed_until=doubted)
            raise AskAgainError(str(error)) from error
        thread_id = made.message_thread_id
        async with self._db.begin() as tx:
            await store.change(tx, chat_id, profile_id, thread_id=thread_id, claimed_until=None)
        return Target(chat_id, thread_id)

    async def store_topic_if_being_made(
        self, chat_id: int, topic_name: str, thread_id: int
    ) -> None:
        """Store the thread of a new topic from an update, if the bot is making this topic.

        The response to the call that makes the topic also contains the thread, but may be lost.
        """
        async with self._db.begin() as tx:
            await store.record_thread_of_new_topic(tx, chat_id, topic_name, thread_id)


def _topic_name(username: str) -> str:
    return username[:_LONGEST_NAME]


def _error_for_refused_topic(error: TelegramError, chat_id: int) -> BotError:
    """Return the error that explains to a person why Telegram refused a topic."""
    if "not a forum" in str(error).lower():
        return SubscriptionError(text=NO_PRIVATE_TOPICS if chat_id > 0 else NO_GROUP_TOPICS)
    return SubscriptionError(str(error), text=TOPIC_RIGHT_MISSING)
