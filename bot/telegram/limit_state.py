"""Where the flood limits are kept: in memory for one process, in the database for several."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Protocol

from bot.store import leases
from bot.store.database import Database
from bot.telegram.flood_limits import ChatFlood, Lane

REMEMBERED = 20_000  # chats; then those that a fresh one equals are forgotten
MOST_AHEAD_S = 300.0  # a clock that was set back must not close the bot
BLOCK_S = 0.25  # seconds of the bot's rate that one replica takes at once


class Gates(Protocol):
    """The limits that are shared."""

    are_shared: bool

    async def enter(self, chat: int | str, weight: int, lane: Lane) -> float:
        """Count messages for a chat and return 0, or count nothing: the seconds to wait."""
        ...

    async def closed_for(self, chat: int | str) -> float:
        """Return the seconds for which Telegram wants nothing in this chat."""
        ...

    async def close(self, chat: int | str, seconds: float) -> None:
        """Close a chat, as Telegram told us."""
        ...

    async def slots(self, weight: int, wanted: int, rate: float) -> tuple[float, int]:
        """Reserve messages of the bot's rate: (seconds until the first, how many)."""
        ...

    async def stop(self, seconds: float) -> None:
        """Let nothing out of the whole bot for so long."""
        ...


class LocalGates:
    """The gates of the only process."""

    are_shared = False

    def __init__(self, clock: Callable[[], float]) -> None:
        """Remember nothing yet; ``clock`` is in seconds and never goes back."""
        self._clock = clock
        self._chats: dict[int | str, ChatFlood] = {}
        self._stopped_until = 0.0

    async def enter(self, chat: int | str, weight: int, lane: Lane) -> float:
        """See Gates."""
        now, flood = self._clock(), self._flood(chat)
        wait = flood.wait(now, weight, lane, is_group=is_group(chat))
        if not wait:
            flood.take(now, weight, is_group=is_group(chat))
        return wait

    async def closed_for(self, chat: int | str) -> float:
        """See Gates."""
        found = self._chats.get(chat)
        return max(found.closed_until - self._clock(), 0.0) if found else 0.0

    async def close(self, chat: int | str, seconds: float) -> None:
        """See Gates."""
        self._flood(chat).close(self._clock(), seconds)

    async def slots(self, weight: int, wanted: int, rate: float) -> tuple[float, int]:  # noqa: ARG002 - the protocol's
        """See Gates; the only process needs no reservation, it spaces its messages itself."""
        return max(self._stopped_until - self._clock(), 0.0), weight

    async def stop(self, seconds: float) -> None:
        """See Gates."""
        self._stopped_until = max(self._stopped_until, self._clock() + seconds)

    def _flood(self, chat: int | str) -> ChatFlood:
        if len(self._chats) >= REMEMBERED and chat not in self._chats:
            now = self._clock()
            kept = {k: v for k, v in self._chats.items() if not v.is_forgettable(now)}
            self._chats = kept
        return self._chats.setdefault(chat, ChatFlood())


class SharedGates:
    """The gates of several processes: rows that one of them holds at a time."""

    are_shared = True

    def __init__(self, db: Database, bot_id: int, now: Callable[[], datetime]) -> None:
        """Use the gates of one bot in ``db``; all replicas' clocks should agree."""
        self._db = db
        self._prefix = f"bot:{bot_id}"
        self._now = now

    async def enter(self, chat: int | str, weight: int, lane: Lane) -> float:
        """See Gates."""
        key, now = self._key(chat), self._now().timestamp()
        async with self._db.begin() as tx:
            flood = ChatFlood.load(await leases.hold(tx, key))
            flood.drained_at = min(flood.drained_at, now + MOST_AHEAD_S)
            wait = flood.wait(now, weight, lane, is_group=is_group(chat))
            if not wait:
                flood.take(now, weight, is_group=is_group(chat))
            await leases.keep(tx, key, flood.dump(), until=_time(flood.until()))
        return wait

    async def closed_for(self, chat: int | str) -> float:
        """See Gates."""
        async with self._db.read() as tx:
            flood = ChatFlood.load(await leases.peek(tx, self._key(chat)))
        return max(flood.closed_until - self._now().timestamp(), 0.0)

    async def close(self, chat: int | str, seconds: float) -> None:
        """See Gates."""
        key, now = self._key(chat), self._now().timestamp()
        async with self._db.begin() as tx:
            flood = ChatFlood.load(await leases.hold(tx, key))
            flood.close(now, seconds)
            await leases.keep(tx, key, flood.dump(), until=_time(flood.until()))

    async def slots(self, weight: int, wanted: int, rate: float) -> tuple[float, int]:
        """See Gates; as many as are wanted here, up to a quarter of a second of the rate."""
        now = self._now().timestamp()
        count = max(weight, min(wanted, int(rate * BLOCK_S)))
        async with self._db.begin() as tx:
            state = await leases.hold(tx, self._prefix) or {"next_at": 0.0, "stopped_until": 0.0}
            free = min(state["next_at"], now + MOST_AHEAD_S)
            start = max(free, state["stopped_until"], now)
            state["next_at"] = start + count / rate
            await leases.keep(tx, self._prefix, state, until=_time(start + MOST_AHEAD_S))
        return start - now, count

    async def stop(self, seconds: float) -> None:
        """See Gates."""
        until = self._now().timestamp() + seconds
        async with self._db.begin() as tx:
            state = await leases.hold(tx, self._prefix) or {"next_at": 0.0, "stopped_until": 0.0}
            state["stopped_until"] = max(state["stopped_until"], until)
            await leases.keep(tx, self._prefix, state, until=_time(until + MOST_AHEAD_S))

    def _key(self, chat: int | str) -> str:
        return f"{self._prefix}:{chat}"[:64]


def is_group(chat: int | str) -> bool:
    """Tell whether a chat is a group or a channel: those have negative ids, or a public name."""
    return isinstance(chat, str) or chat < 0


def _time(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
