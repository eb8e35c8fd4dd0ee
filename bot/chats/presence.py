"""Checks of the bot's presence and rights in a chat.

A message from a closed or muted chat triggers the checks.
"""

from collections.abc import Callable
from contextlib import suppress
from datetime import datetime

from bot.chats.payers import open_chat_and_reschedule_checks
from bot.domain.errors import BlockedError
from bot.domain.model import AskPresence, Moved
from bot.domain.records import Mute
from bot.store import chat_queues, chats, moves, mutes
from bot.store.engine.database import Database
from bot.updates import unit_of_work
from bot.updates.unit_of_work import join_or_begin_read, join_or_begin_transaction


class ChatPresence:
    """The use cases for chats that are closed or in which the bot lacks a right.

    All use cases cost 0 credits.
    """

    def __init__(
        self,
        db: Database,
        ask: AskPresence,
        *,
        most_earlier_checks: int,
        wake: Callable[[], None],
        now: Callable[[], datetime],
    ) -> None:
        """Create the use cases.

        ``ask`` asks Telegram about a chat. ``most_earlier_checks`` is explained in
        ``Subscriptions``. ``wake`` is called when work may be due.
        """
        self._db = db
        self._ask = ask
        self._most_earlier = most_earlier_checks
        self._wake = wake
        self._now = now

    async def recheck_presence_and_return_mutes(self, chat_id: int) -> tuple[Mute, ...]:
        """Ask Telegram about a closed or muted chat, store the result, and return the mutes.

        The alerts of a reopened chat restart with stories posted from now on. In a unit of work
        with a transaction or replies, the stored mutes are returned, and Telegram is asked after
        the unit.
        """
        async with join_or_begin_read(self._db) as tx:
            chat = await chats.get(tx, chat_id)
            muted = await mutes.of_chat(tx, chat_id)
        if chat is None or not (muted or chat.state == "closed"):
            return ()
        unit = unit_of_work.current_unit()
        if unit is not None and (unit.is_open or unit.replies):
            await unit_of_work.call_after_replies(
                lambda: self.recheck_presence_and_return_mutes(chat_id)
            )
            return muted
        if chat.state == "closed" and await self._ask(chat_id, "text") != "away":
            with suppress(BlockedError):  # a chat that the access list blocks stays closed
                async with self._db.begin() as tx:
                    await open_chat_and_reschedule_checks(
                        tx, chat_id, most_earlier_checks=self._most_earlier, now=self._now()
                    )
            self._wake()
        for mute in muted:
            if mute.mutes_whole_chat:
                await self._ask_for_right_and_update_mute(mute)
        return await self.read_mutes(chat_id)

    async def record_return_to_blocked_chat(self, chat_id: int) -> None:
        """Record that the bot is a member of a blocked chat again.

        The end of the block then opens the chat.
        """
        async with join_or_begin_transaction(self._db) as tx:
            await chats.lock(tx, [chat_id])
            await chats.change(tx, chat_id, is_away=False)

    async def read_mutes(self, chat_id: int) -> tuple[Mute, ...]:
        """Return the recorded mutes of a chat and of the topics in the chat."""
        async with join_or_begin_read(self._db) as tx:
            return await mutes.of_chat(tx, chat_id)

    async def unmute_topic(self, chat_id: int, thread_id: int) -> None:
        """End the mute of a topic, because Telegram has reported that the topic is open."""
        async with join_or_begin_transaction(self._db) as tx:
            await chat_queues.lock(tx, chat_id)
            await moves.end_mute(tx, chat_id, thread_id, now=self._now())
        self._wake()

    async def _ask_for_right_and_update_mute(self, mute: Mute) -> None:
        presence = await self._ask(mute.chat_id, mute.missing)
        if presence == "may not" or isinstance(presence, Moved):
            # The mute stays. If the bot still lacks the right to send, the next check of the right
            # follows a later message in the chat. If the group has become a supergroup, Telegram
            # reports the new id in a separate message.
            return
        async with self._db.begin() as tx:
            await moves.lock_for_presence(tx, mute.chat_id, presence)
            await moves.apply_presence(tx, mute, presence, now=self._now())
        self._wake()
