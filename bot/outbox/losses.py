"""Alerts whose outcome is unknown, and alerts that were given up."""

from bot.outbox.results import Tally
from bot.runtime.metrics import Metrics


class Losses:
    """Metrics of lost answers and given-up alerts, and the chats with a deferred notice."""

    def __init__(self, metrics: Metrics) -> None:
        """Create the counts. The numbers are added to the counters of ``metrics``."""
        self._unknown = metrics.counter(
            "delivery_unknown_total", "Sends of alerts whose answer was lost."
        )
        self._dead_letters = metrics.counter(
            "delivery_parked_total", "Alerts given up after copies."
        )
        self._deferred: set[int] = set()

    def count(self, chat_id: int, tally: Tally) -> None:
        """Count the unknown outcomes and dead letters of a chat.

        After a dead letter, the chat has a deferred notice until ``record_notice_written`` is
        called.
        """
        self._unknown.inc(tally.unknown)
        self._dead_letters.inc(tally.dead_letters)
        if tally.dead_letters:
            self._deferred.add(chat_id)

    def count_unreadable(self, count: int) -> None:
        """Count rows that can't be read and are given up. Nobody gets a notice about such rows."""
        self._dead_letters.inc(count)

    def has_deferred_notice(self, chat_id: int) -> bool:
        """Return whether a chat has a deferred notice about a dead letter."""
        return chat_id in self._deferred

    def record_notice_written(self, chat_id: int) -> None:
        """Record that the deferred notice of a chat is now a row of the outbox."""
        self._deferred.discard(chat_id)
