"""The recent messages to each chat, measured against the chat's flood limits.

Only the holder of the lease of a chat's queue sends to the chat. Among replicas the state is
therefore passed on with the lease. A claim reads the state, and the end of the lease stores the
state.
"""

from collections.abc import Callable
from typing import Any

from bot.telegram.flood_limits import DOCUMENTED, ChatFlood, ChatLimits, Lane

# Number of chats. Above this number, the states without an effect on further calls are deleted.
_REMEMBERED = 20_000
# In seconds. Without this limit, a clock that was set back could block a chat for long.
_MOST_AHEAD_S = 300.0


class ChatFloods:
    """The flood limits of all chats in this process."""

    def __init__(
        self,
        clock: Callable[[], float],
        limits: ChatLimits = DOCUMENTED,
        *,
        remembered: int = _REMEMBERED,
    ) -> None:
        """Create an empty state for at most ``remembered`` chats.

        ``clock`` is in seconds. Replicas share a common clock, because the state passes between
        replicas.
        """
        self._clock = clock
        self._limits = limits
        self._remembered = remembered
        self._chats: dict[int | str, ChatFlood] = {}

    def count_or_wait(self, chat: int | str, weight: int, lane: Lane) -> float:
        """Count messages to a chat and return 0, or only return the seconds to wait."""
        now, flood = self._clock(), self._flood_of(chat)
        wait = flood.seconds_to_wait(now, weight, lane, is_group=_is_group(chat))
        if not wait:
            flood.count_sent(now, weight, is_group=_is_group(chat))
        return wait

    def closed_for(self, chat: int | str) -> float:
        """Return the seconds for which Telegram accepts no messages in the chat."""
        flood = self._chats.get(chat)
        return max(flood.closed_until - self._clock(), 0.0) if flood else 0.0

    def close(self, chat: int | str, seconds: float) -> None:
        """Close a chat for ``seconds``, as requested by Telegram."""
        self._flood_of(chat).close(self._clock(), seconds)

    def take_over(self, chat: int, state: Any | None) -> None:  # noqa: ANN401 - JSON
        """Load the state of a chat from ``state_of`` of the replica that held the lease before."""
        if state is not None:
            flood, latest = ChatFlood.load(self._limits, state), self._clock() + _MOST_AHEAD_S
            flood.drained_at = min(flood.drained_at, latest)
            flood.closed_until = max(flood.closed_until, self._flood_of(chat).closed_until)
            self._chats[chat] = flood

    def state_of(self, chat: int) -> Any | None:  # noqa: ANN401 - JSON
        """Return the state of a chat as JSON, or None if the state equals a new state."""
        flood = self._chats.get(chat)
        return flood.dump() if flood and flood.forgettable_at > self._clock() else None

    def _flood_of(self, chat: int | str) -> ChatFlood:
        if len(self._chats) >= self._remembered and chat not in self._chats:
            now = self._clock()
            self._chats = {k: v for k, v in self._chats.items() if v.forgettable_at > now}
        return self._chats.setdefault(chat, ChatFlood(self._limits))


def _is_group(chat: int | str) -> bool:
    """Return whether a chat is a group or a channel: a negative id, or a public name."""
    return isinstance(chat, str) or chat < 0
