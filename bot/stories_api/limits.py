"""How fast a process may call, and when not at all: pure state, the clock is an argument.

Seconds are of any steady clock.
"""

_MINUTE = 60.0


class CallRate:
    """Calls one after the other at an even rate, without bursts; a 429 holds all of them."""

    def __init__(self, rate: float) -> None:
        """Let ``rate`` calls a second through."""
        self.rate = rate
        self.next_at = 0.0

    def reserve_turn(self, now: float, *, within: float, replicas: int = 1) -> float | None:
        """Reserve a turn, the rate being shared; return the seconds until it comes.

        None where that is not ``within`` so many seconds: then none is reserved.
        """
        at = max(now, self.next_at)
        if at - now >= within:
            return None
        self.next_at = at + replicas / self.rate
        return at - now

    def pause(self, until: float) -> None:
        """Give no place before ``until``."""
        self.next_at = max(self.next_at, until)


class Failing:
    """Whether the API fails for everybody: calls about three subjects in a row, within a minute.

    Whoever asks is let through all the same, and the first answer ends it: one may name three
    accounts that the API always fails at. The schedule asks rarely meanwhile.
    """

    SUBJECTS = 3
    WINDOW = _MINUTE

    def __init__(self) -> None:
        """Begin without a failure."""
        self.is_on = False
        self.suspects: dict[str, float] = {}  # when the last call about each failed
        self.answered_at: float | None = None

    def record_failure(self, subject: str, now: float) -> None:
        """Record a call that failed."""
        lately = {one: at for one, at in self.suspects.items() if at > now - self.WINDOW}
        self.suspects = {**lately, subject: now}
        self.is_on = self.is_on or len(self.suspects) >= self.SUBJECTS

    def record_answer(self, now: float) -> None:
        """Record an answer: the API works."""
        self.suspects.clear()
        self.is_on = False
        self.answered_at = now

    def is_failing(self, now: float, *, within: float) -> bool | None:
        """Return whether the API fails; None without a failure or an answer ``within`` seconds.

        A process that asks nothing does not know what another replica meets.
        """
        if self.is_on:
            return True
        is_known = self.answered_at is not None and now - self.answered_at < within
        return False if is_known else None
