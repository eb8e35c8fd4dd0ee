"""The decision about the correct time, from the system clock and the clocks of two servers.

All times are seconds ahead of the system clock, so the system clock itself is 0.
"""

from dataclasses import dataclass
from statistics import median

AGREE_S = 5.0
"""Maximum difference of two clocks that agree. Agreement is taken as proof of the time."""
QUICK_S = 2.0
"""Maximum duration of an answer whose ``Date`` is used. A slower ``Date`` may be out of date."""
JUMP_S = 1.0
"""Minimum change of the system clock, relative to the monotonic clock, that counts as a step."""


@dataclass(frozen=True, slots=True)
class Witness:
    """The clock of a server according to its last answer."""

    has_answered: bool = False
    ahead_s: float | None = None
    """Seconds ahead of the system clock, or None without a quick answer with a ``Date``."""


@dataclass(frozen=True, slots=True)
class Decision:
    """The seconds by which the correct time is ahead of the system clock, or None if unknown."""

    ahead_s: float | None = None
    needs_api: bool = False
    """Whether the Stories API must be called before a decision is possible."""
    reason: str = ""
    """The reason why the time is unknown."""


_ASK = Decision(needs_api=True, reason="the Stories API is not asked yet")


def decide(
    telegram: Witness, api: Witness | None = None, *, count_s: float | None = None
) -> Decision:
    """Decide the correct time. ``api`` is None if the Stories API was not called.

    ``count_s`` is this process's clock, which followed the event loop's time, or None if that
    clock was never correct.
    """
    agreed = _agreed(telegram, count_s)
    if agreed is not None:
        return Decision(agreed)
    if api is None:
        return _ASK
    if telegram.ahead_s is not None and api.ahead_s is not None:
        return Decision(median((0.0, telegram.ahead_s, api.ahead_s)))
    if telegram.ahead_s is None:
        return _decide_without_telegram(telegram, api, count_s)
    return Decision(
        reason=f"{_differ('Telegram', telegram.ahead_s)}, and the Stories API tells none"
    )


def _decide_without_telegram(telegram: Witness, api: Witness, count_s: float | None) -> Decision:
    """Decide the correct time if Telegram states none, for example a local Bot API server."""
    agreed = _agreed(api, count_s)
    if agreed is not None:
        return Decision(agreed)
    if api.ahead_s is not None:
        return Decision(
            reason=f"{_differ('the Stories API', api.ahead_s)}, and Telegram tells none"
        )
    if telegram.has_answered:  # Telegram answers, but no server states a time
        return Decision(0.0)
    return Decision(reason="Telegram does not answer, so nobody tells what time it is")


def _agreed(witness: Witness, count_s: float | None) -> float | None:
    """Return the own clock with which a witness agrees, the system clock first, or None."""
    ours = (0.0,) if count_s is None else (0.0, count_s)
    told = witness.ahead_s
    return next((one for one in ours if told is not None and abs(told - one) <= AGREE_S), None)


def _differ(who: str, ahead_s: float) -> str:
    return f"{who} tells a time {abs(ahead_s):.0f} s from the machine's"
