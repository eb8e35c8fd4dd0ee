"""Where the flood limits are kept: in memory for one process, in the database for several."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from bot.domain.errors import DatabaseUnavailableError
from bot.domain.records import Flood
from bot.runtime.batching import BatchingQueue
from bot.store import chat_queues, leases
from bot.store.database import Database, Tx
from bot.telegram.flood_limits import DOCUMENTED, ChatFlood, ChatLimits, Lane

_REMEMBERED = 20_000  # chats; then those that a fresh one equals are forgotten
_MOST_AHEAD_S = 300.0  # a clock that was set back must not close the bot
_BLOCK_S = 0.25  # seconds of the bot's rate that one replica takes at once


class LocalLimitState:
    """The limits of the only process."""

    are_shared = False

    def __init__(
        self,
        clock: Callable[[], float],
        limits: ChatLimits = DOCUMENTED,
        *,
        remembered: int = _REMEMBERED,
    ) -> None:
        """Remember nothing yet, then ``remembered`` chats; ``clock`` never goes back."""
        self._clock = clock
        self._limits = limits
        self._remembered = remembered
        self._chats: dict[int | str, ChatFlood] = {}
        self._stopped_until = 0.0

    async def enter(self, chat: int | str, weight: int, lane: Lane) -> float:
        """Count messages for a chat and return 0, or count nothing: the seconds to wait."""
        now, flood = self._clock(), self._flood(chat)
        wait = flood.wait(now, weight, lane, is_group=_is_group(chat))
        if not wait:
            flood.take(now, weight, is_group=_is_group(chat))
        return wait

    async def closed_for(self, chat: int | str) -> float:
        """Return the seconds for which Telegram wants nothing in this chat."""
        flood = self._chats.get(chat)
        return max(flood.closed_until - self._clock(), 0.0) if flood else 0.0

    async def close(self, chat: int | str, seconds: float) -> None:
        """Close a chat, as Telegram told us."""
        self._flood(chat).close(self._clock(), seconds)

    async def slots(self, weight: int, wanted: int, rate: float) -> tuple[float, int]:  # noqa: ARG002 - as replicas need them
        """Reserve messages of the bot's rate: (seconds until the first, how many).

        The only process needs no reservation, it spaces its messages itself.
        """
        return max(self._stopped_until - self._clock(), 0.0), weight

    async def stop(self, seconds: float) -> None:
        """Let nothing out of the whole bot for so long."""
        self._stopped_until = max(self._stopped_until, self._clock() + seconds)

    def _flood(self, chat: int | str) -> ChatFlood:
        if len(self._chats) >= self._remembered and chat not in self._chats:
            now = self._clock()
            self._chats = {k: v for k, v in self._chats.items() if v.until > now}
        return self._chats.setdefault(chat, ChatFlood(self._limits))


@dataclass(slots=True, eq=False)
class _Count:
    """What is to count in a chat instead of what was seen there; ``is_done`` when it does."""

    chat: int
    seen: Flood
    after: ChatFlood
    is_done: bool = False


class SharedLimitState:
    """The limits of several processes: what each chat has had stands in the row of its queue.

    Nobody holds a row while it thinks: who counts names the version that it has seen, and looks
    again when another was quicker. What was seen last is tried first, with what else is counted
    at that moment.
    """

    are_shared = True

    def __init__(
        self,
        db: Database,
        bot_id: int,
        now: Callable[[], datetime],
        limits: ChatLimits = DOCUMENTED,
    ) -> None:
        """Use the limits of one bot in ``db``; all replicas' clocks should agree."""
        self._db = db
        self._limits = limits
        self._prefix = f"bot:{bot_id}"
        self._now = now
        self._seen: dict[int, Flood] = {}
        self._entries = BatchingQueue(self._count_all, outages=(DatabaseUnavailableError,))

    def see(self, chat: int, flood: Flood) -> None:
        """Take over what was read of a chat's row, if that is news: it need not be read again."""
        if chat not in self._seen or self._seen[chat][1] < flood[1]:
            self._see(chat, flood)

    async def enter(self, chat: int | str, weight: int, lane: Lane) -> float:
        """See LocalLimitState."""
        wait = 0.0

        def count(flood: ChatFlood, now: float) -> bool:
            nonlocal wait
            flood.drained_at = min(flood.drained_at, now + _MOST_AHEAD_S)
            wait = flood.wait(now, weight, lane, is_group=_is_group(chat))
            if not wait:
                flood.take(now, weight, is_group=_is_group(chat))
            return not wait

        await self._change(chat, count)
        return wait

    async def closed_for(self, chat: int | str) -> float:
        """See LocalLimitState."""
        async with self._db.read() as tx:
            flood = await chat_queues.flood(tx, chat) if isinstance(chat, int) else None
            if isinstance(chat, int) and flood is not None:
                self._see(chat, flood)
            state = flood[0] if flood else await leases.peek(tx, self._key(chat))
        return max(ChatFlood.load(self._limits, state).closed_until - self._now().timestamp(), 0.0)

    async def close(self, chat: int | str, seconds: float) -> None:
        """See LocalLimitState."""

        def close(flood: ChatFlood, now: float) -> bool:
            flood.close(now, seconds)
            return True

        await self._change(chat, close)

    async def slots(self, weight: int, wanted: int, rate: float) -> tuple[float, int]:
        """See LocalLimitState; as many as are wanted, up to a quarter of a second of the rate."""
        now = self._now().timestamp()
        count = max(weight, min(wanted, int(rate * _BLOCK_S)))
        start = now

        def reserve(state: Any | None) -> tuple[Any, datetime]:  # noqa: ANN401 - JSON
            nonlocal start
            state = state or {"next_at": 0.0, "stopped_until": 0.0}
            start = max(min(state["next_at"], now + _MOST_AHEAD_S), state["stopped_until"], now)
            return state | {"next_at": start + count / rate}, _time(start + _MOST_AHEAD_S)

        async with self._db.statements() as tx:
            await leases.change(tx, self._prefix, reserve)
        return start - now, count

    async def stop(self, seconds: float) -> None:
        """See LocalLimitState."""
        until = self._now().timestamp() + seconds

        def stop(state: Any | None) -> tuple[Any, datetime]:  # noqa: ANN401 - JSON
            state = state or {"next_at": 0.0, "stopped_until": 0.0}
            latest = max(state["stopped_until"], until)
            return state | {"stopped_until": latest}, _time(latest + _MOST_AHEAD_S)

        async with self._db.statements() as tx:
            await leases.change(tx, self._prefix, stop)

    async def _change(self, chat: int | str, apply: Callable[[ChatFlood, float], bool]) -> None:
        """Change what counts in a chat by ``apply``, which says whether there is a change."""
        now = self._now()
        if isinstance(chat, int) and (seen := self._seen.get(chat)):
            flood = ChatFlood.load(self._limits, seen[0])
            if not apply(flood, now.timestamp()):  # others can only have made it later
                return
            entry = _Count(chat, seen, flood)
            with suppress(RuntimeError):  # who wrote for all was cancelled: each does it alone
                await self._entries([entry])
            if entry.is_done:
                return
        async with self._db.statements() as tx:
            for _ in range(leases.TRIES):
                result = await chat_queues.flood(tx, chat) if isinstance(chat, int) else None
                if not isinstance(chat, int) or result is None:
                    await self._change_lease(tx, chat, apply, now)
                    return
                self._see(chat, result)
                flood = ChatFlood.load(self._limits, result[0])
                if not apply(flood, now.timestamp()):
                    return
                if await self._counted(tx, chat, flood, result[1], now):
                    return
        raise DatabaseUnavailableError("others were quicker each time")

    async def _count_all(self, entries: list[_Count]) -> None:
        """Count in many chats at once, once in each."""
        by_chat = {entry.chat: entry for entry in reversed(entries)}
        floods = {chat: (entry.after.dump(), entry.seen[1]) for chat, entry in by_chat.items()}
        async with self._db.statements() as tx:
            done = await chat_queues.set_floods(tx, floods)
        for chat, (state, version) in floods.items():
            self._seen.pop(chat, None)
            if chat in done:
                by_chat[chat].is_done = True
                self._see(chat, (state, version + 1))

    async def _counted(
        self, tx: Tx, chat: int, flood: ChatFlood, version: int, now: datetime
    ) -> bool:
        state = flood.dump()
        done = await chat_queues.set_flood(tx, chat, state, version, now=now)
        if done:
            self._see(chat, (state, version + 1))
        else:
            self._seen.pop(chat, None)
        return done

    async def _change_lease(
        self, tx: Tx, chat: int | str, apply: Callable[[ChatFlood, float], bool], now: datetime
    ) -> None:
        """Count for a chat that we don't know, in a row of its own."""

        def decide(state: Any | None) -> tuple[Any, datetime] | None:  # noqa: ANN401 - JSON
            flood = ChatFlood.load(self._limits, state)
            if not apply(flood, now.timestamp()):
                return None
            return flood.dump(), _time(flood.until)

        await leases.change(tx, self._key(chat), decide)

    def _see(self, chat: int, flood: Flood) -> None:
        if len(self._seen) >= _REMEMBERED:
            self._seen.clear()
        self._seen[chat] = flood

    def _key(self, chat: int | str) -> str:
        return f"{self._prefix}:{chat}"[:64]


LimitState = LocalLimitState | SharedLimitState


def _is_group(chat: int | str) -> bool:
    """Return whether a chat is a group or a channel: those have negative ids, or a public name."""
    return isinstance(chat, str) or chat < 0


def _time(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
