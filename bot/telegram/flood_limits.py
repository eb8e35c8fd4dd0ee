"""The computation of waits from Telegram's flood limits. All times are in seconds.

The Bots FAQ ("My bot is hitting limits") documents the limits, but not how an album counts. Each
item of an album counts as a message here.
"""

import math
from collections import deque
from dataclasses import dataclass, field
from typing import Any, Literal

Lane = Literal["reply", "alert"]

# The largest burst in a private chat: the number of messages that may be ahead of the rate of 1
# message per second. For example, 2.8 allows 3 messages at once.
_BURST: dict[Lane, float] = {"reply": 30.0, "alert": 2.8}
# After a 429 response in a private chat, this burst replaces ``_BURST`` in the chat for an hour.
_STRICT_BURST = 2.8
_ROUNDING_S = 0.001  # a shorter wait is a rounding error, and counts as no wait
_GROUP_WINDOW_S = 60.5  # seconds; a minute and half a second, because of the network's delay
_STRICT_FOR_S = 3600.0
_LATEST_ANSWER_S = 2.0  # seconds; a call without an answer counts as answered after this time
_CATCH_UP_S = 0.1  # if messages are late, the next messages may make up at most this many seconds
_ASK_AGAIN_S = 0.02  # seconds between two checks whether an outstanding answer has come


@dataclass(frozen=True, slots=True)
class ChatLimits:
    """The limits of a chat."""

    gap_s: float = 1.0
    """The time in seconds between two messages in a private chat."""
    group: int = 20
    """The number of messages per minute in a group or channel."""


DOCUMENTED = ChatLimits()


@dataclass(slots=True)
class ChatFlood:
    """The recent messages to a chat, from which the time of the next message is computed."""

    limits: ChatLimits = DOCUMENTED
    drained_at: float = 0.0
    """The time at which a private chat has room for a full burst."""
    sent: list[tuple[float, int]] = field(default_factory=list)
    """The times and numbers of recent messages in a group or channel."""
    closed_until: float = 0.0
    """The time before which no message may be sent."""
    strict_until: float = 0.0
    """The time before which a private chat allows only small bursts."""

    def seconds_to_wait(self, now: float, weight: int, lane: Lane, *, is_group: bool) -> float:
        """Return the seconds until the chat may get ``weight`` messages. 0 means now.

        If ``weight`` is 0, only ``closed_until`` counts. In a private chat, an album may exceed
        the limit of a burst. In a group, a ``weight`` above the limit counts as the limit.
        """
        closed = self.closed_until - now
        if not weight:
            return max(closed, 0.0)
        if is_group:
            return max(closed, self._seconds_to_wait_in_group(now, weight), 0.0)
        burst = _STRICT_BURST if self.strict_until > now else _BURST[lane]
        early = self.drained_at - now - burst * self.limits.gap_s
        return max(closed, early if early > _ROUNDING_S else 0.0, 0.0)

    def count_sent(self, now: float, weight: int, *, is_group: bool) -> None:
        """Record that ``weight`` messages are sent now."""
        if is_group:
            self.sent = [entry for entry in self.sent if entry[0] > now - _GROUP_WINDOW_S]
            self.sent.append((now, weight))
        else:
            self.drained_at = max(self.drained_at, now) + weight * self.limits.gap_s

    def forbid_messages(self, now: float, seconds: float) -> None:
        """Forbid messages for ``seconds``. In a private chat, forbid large bursts for an hour."""
        self.closed_until = max(self.closed_until, now + seconds)
        self.strict_until = now + _STRICT_FOR_S

    @property
    def deletable_at(self) -> float:
        """Return the time after which the state has no effect and may be deleted."""
        last = self.sent[-1][0] + _GROUP_WINDOW_S if self.sent else 0.0
        return max(self.drained_at, self.closed_until, self.strict_until, last)

    def dump(self) -> dict[str, Any]:
        """Return the state as a JSON object."""
        return {
            "drained_at": self.drained_at,
            "sent": self.sent,
            "closed_until": self.closed_until,
            "strict_until": self.strict_until,
        }

    @classmethod
    def load(cls, limits: ChatLimits, value: dict[str, Any]) -> "ChatFlood":
        """Return the state from a result of ``dump``."""
        return cls(limits, **{**value, "sent": [(at, weight) for at, weight in value["sent"]]})

    def _seconds_to_wait_in_group(self, now: float, weight: int) -> float:
        room = self.limits.group - min(weight, self.limits.group)
        held = sum(n for at, n in self.sent if at > now - _GROUP_WINDOW_S)
        for at, n in self.sent:
            if held <= room:
                break
            if at > now - _GROUP_WINDOW_S:
                held -= n
                if held <= room:
                    return at + _GROUP_WINDOW_S - now
        return 0.0


@dataclass(slots=True)
class Ticket:
    """The messages of a call, which count towards the limit of the whole bot.

    The messages count from the request until a second after the answer.
    """

    weight: int
    left_at: float
    free_at: float | None = None

    def stops_counting_at(self) -> float:
        """Return the time at which the messages stop counting towards the limit of the whole bot.

        An answer counts as received after 2 seconds at the latest.
        """
        late = self.left_at + _LATEST_ANSWER_S + 1.0
        return late if self.free_at is None else min(self.free_at, late)


@dataclass(slots=True)
class BotWindow:
    """The messages of this process that count towards the limit of the whole bot now."""

    next_at: float = 0.0
    """The time before which no message is sent, so that the messages are evenly spaced."""
    held: int = 0
    """The number of messages in ``tickets``."""
    tickets: deque[Ticket] = field(default_factory=deque)

    def drop_old_tickets_and_get_wait_s(self, now: float, weight: int, rate: float) -> float:
        """Remove old tickets. Return the seconds until ``weight`` messages may be sent.

        If the result is not 0, call this method again after the wait. ``rate`` is in messages per
        second. A ``weight`` above ``rate`` counts as ``rate``, rounded down to at least 1.
        """
        spaced = max(self.next_at - now, 0.0)
        if math.isinf(rate):
            return spaced
        while self.tickets and self.tickets[0].stops_counting_at() <= now:
            self.held -= self.tickets.popleft().weight
        most = max(int(rate), 1)
        excess = self.held + min(weight, most) - most
        for ticket in self.tickets:
            if excess <= 0:
                break
            excess -= ticket.weight
            # If Telegram has not answered the call of the ticket yet, the answer may make the
            # returned time earlier, so check again soon.
            still = ticket.stops_counting_at() - now
            spaced = max(spaced, min(still, _ASK_AGAIN_S) if ticket.free_at is None else still)
        return spaced

    def count_sent(self, now: float, weight: int, rate: float) -> Ticket:
        """Record that ``weight`` messages are sent now, and return the ticket of the messages.

        ``rate`` is in messages per second.
        """
        self.next_at = max(self.next_at, now - _CATCH_UP_S) + weight / rate
        ticket = Ticket(weight, now)
        if not math.isinf(rate):
            self.tickets.append(ticket)
            self.held += weight
        return ticket
