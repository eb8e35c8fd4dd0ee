"""Telegram's flood limits as arithmetic; no clock, no I/O. Times are seconds, ``now`` is given.

Documented (Bots FAQ, "My bot is hitting limits"): about 30 messages a second in all, one a second
in a chat with short bursts above it, 20 a minute in a group. That an album weighs its items is
not documented; the server itself counts them so.
"""

import math
from collections import deque
from dataclasses import dataclass, field
from typing import Any, Literal

Lane = Literal["reply", "alert"]

# How many messages may go at once before one a second holds: more for answers than for alerts.
_BURST: dict[Lane, float] = {"reply": 30.0, "alert": 2.8}
_STRICT_BURST = 2.8  # for an hour after a 429, answers included
_ROUNDING_S = 0.001
_GROUP_WINDOW_S = 60.5  # a minute, and half a second for what is late on its way
_STRICT_FOR_S = 3600.0
_LATEST_ANSWER_S = 2.0  # an answer that takes longer counts as if it had come then
_CATCH_UP_S = 0.1  # how far the even spacing may run behind and catch up
_ASK_AGAIN_S = 0.02


@dataclass(frozen=True, slots=True)
class ChatLimits:
    """What Telegram takes in one chat: in a private one a message every ``gap_s`` in the long run.

    In a group ``group`` a minute.
    """

    gap_s: float = 1.0
    group: int = 20


DOCUMENTED = ChatLimits()


@dataclass(slots=True)
class ChatFlood:
    """What one chat has had lately, against its ``limits``.

    ``drained_at`` is when all that was sent would have gone at one message a second; ``sent`` are
    (time, messages) of a group's last minute; nothing goes before ``closed_until``.
    """

    limits: ChatLimits = DOCUMENTED
    drained_at: float = 0.0
    sent: list[tuple[float, int]] = field(default_factory=list)
    closed_until: float = 0.0
    strict_until: float = 0.0

    def seconds_to_wait(self, now: float, weight: int, lane: Lane, *, is_group: bool) -> float:
        """Return for how many seconds the chat takes nothing of this weight; 0 for none."""
        closed = self.closed_until - now
        if not weight:
            return max(closed, 0.0)
        if is_group:
            return max(closed, self._seconds_to_wait_in_group(now, weight), 0.0)
        burst = _STRICT_BURST if self.strict_until > now else _BURST[lane]
        early = self.drained_at - now - burst * self.limits.gap_s
        return max(closed, early if early > _ROUNDING_S else 0.0, 0.0)

    def count_sent(self, now: float, weight: int, *, is_group: bool) -> None:
        """Count what is sent now."""
        if is_group:
            self.sent = [entry for entry in self.sent if entry[0] > now - _GROUP_WINDOW_S]
            self.sent.append((now, weight))
        else:
            self.drained_at = max(self.drained_at, now) + weight * self.limits.gap_s

    def close(self, now: float, seconds: float) -> None:
        """Send nothing for so long, and be careful for an hour."""
        self.closed_until = max(self.closed_until, now + seconds)
        self.strict_until = now + _STRICT_FOR_S

    @property
    def forgettable_at(self) -> float:
        """Return when it may be forgotten: from then on a fresh one would say the same."""
        last = self.sent[-1][0] + _GROUP_WINDOW_S if self.sent else 0.0
        return max(self.drained_at, self.closed_until, self.strict_until, last)

    def dump(self) -> dict[str, Any]:
        """Return it as JSON."""
        return {
            "drained_at": self.drained_at,
            "sent": self.sent,
            "closed_until": self.closed_until,
            "strict_until": self.strict_until,
        }

    @classmethod
    def load(cls, limits: ChatLimits, value: dict[str, Any]) -> "ChatFlood":
        """Return it from JSON."""
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
    """Messages on their way: they count from their leaving to a second after the answer.

    They arrived at some moment between the two, so no second of Telegram's has too many.
    """

    weight: int
    left_at: float
    free_at: float | None = None

    def frees_at(self) -> float:
        """Return when they no longer count; a very late answer counts as one after 2 s."""
        late = self.left_at + _LATEST_ANSWER_S + 1.0
        return late if self.free_at is None else min(self.free_at, late)


@dataclass(slots=True)
class BotWindow:
    """What the bot has sent within a second, evenly spaced."""

    next_at: float = 0.0
    held: int = 0
    tickets: deque[Ticket] = field(default_factory=deque)

    def seconds_to_wait(self, now: float, weight: int, rate: float) -> float:
        """Return the seconds until so many messages may leave; 0 for now."""
        spaced = max(self.next_at - now, 0.0)
        if math.isinf(rate):
            return spaced
        while self.tickets and self.tickets[0].frees_at() <= now:
            self.held -= self.tickets.popleft().weight
        most = max(int(rate), 1)
        excess = self.held + min(weight, most) - most
        for ticket in self.tickets:
            if excess <= 0:
                break
            excess -= ticket.weight
            # Unanswered, it may free its place sooner than its latest moment.
            still = ticket.frees_at() - now
            spaced = max(spaced, min(still, _ASK_AGAIN_S) if ticket.free_at is None else still)
        return spaced

    def count_sent(self, now: float, weight: int, rate: float) -> Ticket:
        """Count messages that leave now."""
        self.next_at = max(self.next_at, now - _CATCH_UP_S) + weight / rate
        ticket = Ticket(weight, now)
        if not math.isinf(rate):
            self.tickets.append(ticket)
            self.held += weight
        return ticket
