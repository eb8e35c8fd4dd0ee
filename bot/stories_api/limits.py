"""How fast a process may call, and when not at all: pure state, the clock is an argument.

Seconds are of any steady clock.
"""

from collections.abc import Iterable

_MINUTE = 60.0


class CallRate:
    """Calls one after the other at an even rate, without bursts; a 429 holds all of them."""

    def __init__(self, rate: float) -> None:
        """Let ``rate`` calls a second through."""
        self.rate = rate
        self.next_at = 0.0

    def turn(self, now: float, *, within: float, replicas: int = 1) -> float | None:
        """Take a place, the rate being shared; return the seconds until our turn.

        None where that is not ``within`` so many seconds: then no place is taken.
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

    def failed(self, subject: str, now: float) -> None:
        """Note a call that failed."""
        lately = {one: at for one, at in self.suspects.items() if at > now - self.WINDOW}
        self.suspects = {**lately, subject: now}
        self.is_on = self.is_on or len(self.suspects) >= self.SUBJECTS

    def answered(self) -> None:
        """Note an answer: the API works."""
        self.suspects.clear()
        self.is_on = False


class Refused:
    """Subjects that the API failed at: to ask again is refused, at no cost, for a minute or more.

    ``rows`` holds for each how often in a row it failed, and until when it is refused.
    """

    FIRST, LONGEST = _MINUTE, 30 * _MINUTE
    MOST = 10_000

    def __init__(self) -> None:
        """Begin with none."""
        self.rows: dict[str, tuple[int, float]] = {}

    def is_refused(self, subject: str, now: float) -> bool:
        """Return whether a call about the subject is refused now."""
        return self.rows.get(subject, (0, now))[1] > now

    def failed(self, subject: str, now: float) -> None:
        """Refuse the subject for a minute, twice as long at each failure in a row."""
        failures = self.rows.pop(subject, (0, now))[0] + 1
        while len(self.rows) >= self.MOST:
            del self.rows[next(iter(self.rows))]
        wait = min(self.FIRST * 2 ** min(failures - 1, 16), self.LONGEST)
        self.rows[subject] = (failures, now + wait)

    def forgive(self, subjects: Iterable[str]) -> None:
        """Forget the failures of subjects: they answered, or it was not their fault."""
        for subject in subjects:
            self.rows.pop(subject, None)
