"""The rate limit of API calls, and the detection of an outage of the API.

The present time is passed as an argument. Times are seconds of any monotonic clock.
"""

from bot.domain.model import TooLong, Unknown

_MINUTE = 60.0


class CallRate:
    """A rate limiter that spaces calls evenly, without bursts.

    After a 429 response, ``pause`` delays all further calls.
    """

    def __init__(self, rate: float) -> None:
        """Create a limiter for ``rate`` calls per second."""
        self.rate = rate
        self.next_at = 0.0

    def reserve_turn_and_return_wait_s(
        self, now: float, *, within: float, replicas: int = 1
    ) -> float | TooLong:
        """Reserve a time for the next call, and return the wait until this time in seconds.

        If the wait would be ``within`` seconds or more, reserve nothing and return None.
        ``replicas`` is the number of processes that share the rate.
        """
        at = max(now, self.next_at)
        if at - now >= within:
            return None
        self.next_at = at + replicas / self.rate
        return at - now

    def pause(self, until: float) -> None:
        """Delay all further calls until the time ``until``."""
        self.next_at = max(self.next_at, until)


class OutageDetector:
    """Detects an outage of the API: failed calls about three subjects within a minute.

    The first call that shows that the API works ends the outage. Calls are allowed during an
    outage, because the detection may be wrong.
    """

    SUBJECTS = 3
    WINDOW = _MINUTE

    def __init__(self) -> None:
        """Create a detector that has recorded no failed call yet."""
        self.is_on = False
        self.suspects: dict[str, float] = {}  # time of the last failed call about each subject
        self.answered_at: float | None = None

    def record_failure(self, subject: str, now: float) -> None:
        """Record a failed call about ``subject``."""
        lately = {suspect: at for suspect, at in self.suspects.items() if at > now - self.WINDOW}
        self.suspects = {**lately, subject: now}
        self.is_on = self.is_on or len(self.suspects) >= self.SUBJECTS

    def record_answer(self, now: float) -> None:
        """Record an answer, which proves that the API works."""
        self.suspects.clear()
        self.is_on = False
        self.answered_at = now

    def is_failing(self, now: float, *, within: float) -> bool | Unknown:
        """Return whether the API is down, or None if unknown.

        The result is unknown if this process has detected no outage and has received no answer in
        the last ``within`` seconds.
        """
        if self.is_on:
            return True
        is_known = self.answered_at is not None and now - self.answered_at < within
        return False if is_known else None
