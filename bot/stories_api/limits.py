"""The rate limit of API calls, and the detection of an outage.

Pure state; the clock is an argument. Times are seconds of any steady clock.
"""

_MINUTE = 60.0


class CallRate:
    """A limiter that spaces calls evenly, without bursts. A 429 delays all calls."""

    def __init__(self, rate: float) -> None:
        """Create a limiter for ``rate`` calls per second."""
        self.rate = rate
        self.next_at = 0.0

    def reserve_turn(self, now: float, *, within: float, replicas: int = 1) -> float | None:
        """Reserve the next turn, and return the seconds until the turn.

        ``replicas`` processes share the rate. Return None, and reserve nothing, if the turn is not
        ``within`` the given number of seconds.
        """
        at = max(now, self.next_at)
        if at - now >= within:
            return None
        self.next_at = at + replicas / self.rate
        return at - now

    def pause(self, until: float) -> None:
        """Delay all further calls until ``until``."""
        self.next_at = max(self.next_at, until)


class Failing:
    """Detector of an API outage: failed calls about three subjects in a row, within a minute.

    During a suspected outage calls are still allowed, and the first answer ends the outage. A
    person may ask about three accounts for which the API always fails. The schedule checks rarely
    during an outage.
    """

    SUBJECTS = 3
    WINDOW = _MINUTE

    def __init__(self) -> None:
        """Create a detector without failures."""
        self.is_on = False
        self.suspects: dict[str, float] = {}  # the time of the last failed call about each subject
        self.answered_at: float | None = None

    def record_failure(self, subject: str, now: float) -> None:
        """Record a failed call about ``subject``."""
        lately = {one: at for one, at in self.suspects.items() if at > now - self.WINDOW}
        self.suspects = {**lately, subject: now}
        self.is_on = self.is_on or len(self.suspects) >= self.SUBJECTS

    def record_answer(self, now: float) -> None:
        """Record an answer, which proves that the API works."""
        self.suspects.clear()
        self.is_on = False
        self.answered_at = now

    def is_failing(self, now: float, *, within: float) -> bool | None:
        """Return whether the API fails, or None without an outage and without a recent answer.

        ``within`` is the age in seconds up to which an answer is recent. A process without calls
        does not know the results of a different replica.
        """
        if self.is_on:
            return True
        is_known = self.answered_at is not None and now - self.answered_at < within
        return False if is_known else None
