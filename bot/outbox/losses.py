"""Sends whose outcome is unknown, and deliveries that were given up."""

from bot.outbox.results import Tally
from bot.runtime.metrics import Metrics


class Losses:
    """Metrics of lost answers and given-up deliveries, and the chats with a deferred notice.

    A deferred notice is a row of the outbox that waits until Telegram answers in the chat again.
    """

    def __init__(self, metrics: Metrics) -> None:
        """Create two counters in ``metrics``. No chat has a deferred notice yet."""
        self._unknown = metrics.counter(
            "delivery_unknown_total", "Sends of alerts whose answer was lost."
        )
        self._dead_letters = metrics.counter(
            "delivery_parked_total", "Alerts given up after copies."
        )
        self._deferred: set[int] = set()

    def record_tally(self, chat_id: int, tally: Tally) -> None:
        """Add the unknown outcomes and dead letters in ``tally`` to the counters.

        After a dead letter, ``has_deferred_notice`` is True for the chat until
        ``clear_deferred_notice`` is called. All data is in memory.
        """
        self._unknown.inc(tally.unknown)
        self._dead_letters.inc(tally.dead_letters)
        if tally.dead_letters:
            self._deferred.add(chat_id)

    def record_unreadable(self, count: int) -> None:
        """Add rows that can't be read to the counter of dead letters.

        Nobody gets a notice about such rows.
        """
        self._dead_letters.inc(count)

    def has_deferred_notice(self, chat_id: int) -> bool:
        """Return whether a chat had a dead letter after the last ``clear_deferred_notice``."""
        return chat_id in self._deferred

    def clear_deferred_notice(self, chat_id: int) -> None:
        """Record that the deferred notices of a chat are due now."""
        self._deferred.discard(chat_id)
