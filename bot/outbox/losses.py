"""Counters of the sends with a lost answer, and of the deliveries that were given up."""

from bot.outbox.results import Tally
from bot.runtime.metrics import Metrics


class Losses:
    """Counts lost answers and dead letters, and remembers the chats with a deferred notice.

    A deferred notice is about a dead letter, and waits until Telegram answers in the chat again,
    or for ``UNTOLD_FOR``.
    """

    def __init__(self, metrics: Metrics) -> None:
        """Create two counters in ``metrics``."""
        self._unknown = metrics.get_or_create_counter(
            "delivery_unknown_total", "Sends of alerts whose answer was lost."
        )
        self._dead_letters = metrics.get_or_create_counter(
            "delivery_parked_total", "Alerts given up after copies."
        )
        self._deferred: set[int] = set()

    def add_to_counters(self, chat_id: int, tally: Tally) -> None:
        """Add the lost answers and dead letters of a chat to the counters, in memory.

        If ``tally`` has a dead letter, ``has_deferred_notice`` returns True for the chat.
        """
        self._unknown.inc(tally.unknown)
        self._dead_letters.inc(tally.dead_letters)
        if tally.dead_letters:
            self._deferred.add(chat_id)

    def add_unreadable_to_counter(self, count: int) -> None:
        """Add ``count`` unreadable rows to the counter of dead letters. Nobody gets a notice."""
        self._dead_letters.inc(count)

    def has_deferred_notice(self, chat_id: int) -> bool:
        """Return whether a chat had a dead letter after the last ``forget_deferred_notice``."""
        return chat_id in self._deferred

    def forget_deferred_notice(self, chat_id: int) -> None:
        """Record, in memory, that no notice of a chat is deferred any more."""
        self._deferred.discard(chat_id)
