"""The state of the flood limits of each chat.

If several processes exist, the process that claims a chat's queue loads the state, and stores the
state for the next process when the lease ends. Messages without a lease count only in the process
that sends them.
"""

from collections.abc import Callable

from bot.domain.records import FloodLimitState
from bot.telegram.flood_limits import DOCUMENTED, ChatFlood, ChatLimits, Lane

# With more chats in memory than this number, states that no longer have an effect are deleted.
_REMEMBERED = 20_000
# A loaded ``drained_at`` may be at most this many seconds in the future. Without this maximum, a
# chat could get no messages for a long time after the clock was set back.
_MOST_AHEAD_S = 300.0


class ChatFloods:
    """The flood limits of all chats, as known to this process."""

    def __init__(
        self,
        clock: Callable[[], float],
        limits: ChatLimits = DOCUMENTED,
        *,
        remembered: int = _REMEMBERED,
    ) -> None:
        """Create an empty state. ``clock`` returns seconds that agree in all processes.

        If more than ``remembered`` chats are in memory, states that no longer have an effect are
        deleted.
        """
        self._clock = clock
        self._limits = limits
        self._remembered = remembered
        self._chats: dict[int | str, ChatFlood] = {}

    def count_messages_or_get_wait_s(self, chat: int | str, weight: int, lane: Lane) -> float:
        """Count ``weight`` messages and return 0, if the chat may get these messages now.

        Otherwise count nothing, and return the seconds until the chat may get the messages.
        """
        now, flood = self._clock(), self._ensure_flood(chat)
        wait = flood.seconds_to_wait(now, weight, lane, is_group=_is_group(chat))
        if not wait:
            flood.count_sent(now, weight, is_group=_is_group(chat))
        return wait

    def seconds_until_messages_allowed(self, chat: int | str) -> float:
        """Return the seconds for which Telegram still refuses messages to the chat."""
        flood = self._chats.get(chat)
        return max(flood.closed_until - self._clock(), 0.0) if flood else 0.0

    def forbid_messages(self, chat: int | str, seconds: float) -> None:
        """Forbid messages to a chat for ``seconds``, because Telegram demands this wait.

        In a private chat, also forbid large bursts for an hour.
        """
        self._ensure_flood(chat).forbid_messages(self._clock(), seconds)

    def load_stored_state(self, chat: int, state: FloodLimitState | None) -> None:
        """Replace the state of a chat in memory by the stored state ``state`` (``state_of``).

        The later ``closed_until`` is kept. ``drained_at`` is reduced to at most 300 seconds in the
        future. If ``state`` is None, nothing changes.
        """
        if state is not None:
            flood, latest = ChatFlood.load(self._limits, state), self._clock() + _MOST_AHEAD_S
            flood.drained_at = min(flood.drained_at, latest)
            flood.closed_until = max(flood.closed_until, self._ensure_flood(chat).closed_until)
            self._chats[chat] = flood

    def state_of(self, chat: int) -> FloodLimitState | None:
        """Return the state of a chat as JSON. Return None if the state no longer has an effect."""
        flood = self._chats.get(chat)
        return flood.dump() if flood and flood.deletable_at > self._clock() else None

    def _ensure_flood(self, chat: int | str) -> ChatFlood:
        if len(self._chats) >= self._remembered and chat not in self._chats:
            now = self._clock()
            self._chats = {k: v for k, v in self._chats.items() if v.deletable_at > now}
        return self._chats.setdefault(chat, ChatFlood(self._limits))


def _is_group(chat: int | str) -> bool:
    """Return whether ``chat`` is a group or a channel: a negative id, or a public name."""
    return isinstance(chat, str) or chat < 0
