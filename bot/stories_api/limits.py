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


class Breaker:
    """Holds paid calls back while the API fails for everybody, which only a probe can tell.

    It is suspicious when calls about ``SUBJECTS`` different subjects fail within a minute and none
    is answered between them. That is no proof, for a person may name three accounts that the API
    always fails at: so one probe is made, a call of our own, and the breaker opens if that fails
    too. While it is open a probe is made every 30 seconds, until one is answered. After
    ``MOST_ANSWERED`` answered probes within 10 minutes none is made for a while, since each may
    cost a credit.
    """

    SUBJECTS = 3
    WINDOW = _MINUTE
    PROBE_EVERY = 30.0
    MOST_ANSWERED, ANSWERED_WITHIN = 3, 10 * _MINUTE

    def __init__(self) -> None:
        """Begin closed."""
        self.suspects: dict[str, float] = {}  # when the last call about each failed
        self.probe_at: float | None = None  # None: closed
        self.answered_at: list[float] = []  # when the last probes were answered

    @property
    def is_open(self) -> bool:
        """Return whether calls are held back."""
        return self.probe_at is not None

    def failed(self, subject: str, now: float) -> bool:
        """Note a call that failed; return whether a probe must tell if the API is down."""
        self.suspects[subject] = now
        return self.is_suspicious(now)

    def is_suspicious(self, now: float) -> bool:
        """Return whether enough different subjects failed, and it is not open yet."""
        self.suspects = {one: at for one, at in self.suspects.items() if at > now - self.WINDOW}
        lately = [at for at in self.answered_at if at > now - self.ANSWERED_WITHIN]
        may_probe = not self.is_open and len(lately) < self.MOST_ANSWERED
        return may_probe and len(self.suspects) >= self.SUBJECTS

    def probe_answered(self, now: float) -> None:
        """Note that a probe was answered."""
        self.succeeded()
        self.answered_at = [*self.answered_at, now][-self.MOST_ANSWERED :]

    def open(self, now: float) -> None:
        """Hold calls back: the probe failed."""
        self.probe_at = now + self.PROBE_EVERY

    def takes_probe(self, now: float) -> bool:
        """Return whether it is time for the next probe: once in 30 seconds, while it is open."""
        if self.probe_at is None or now < self.probe_at:
            return False
        self.probe_at = now + self.PROBE_EVERY
        return True

    def succeeded(self) -> None:
        """Note an answer: the API works."""
        self.suspects.clear()
        self.probe_at = None


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

    def count(self, now: float) -> int:
        """Return how many subjects are refused."""
        return sum(until > now for _, until in self.rows.values())

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
