"""The decision which time is correct, based on the system clock and the clocks of two servers.

A time is given as seconds ahead of the system clock. The system clock itself is therefore 0.
"""

from dataclasses import dataclass
from statistics import median

AGREE_S = 5.0
"""Maximum difference in seconds between two clocks that agree.

Two clocks that agree are taken as correct.
"""
QUICK_S = 2.0
"""Maximum duration in seconds of a call whose ``Date`` is used. A slower ``Date`` may be old."""
JUMP_S = 1.0
"""Minimum change of the system clock in seconds that counts as a step.

The change is measured relative to the monotonic clock.
"""


@dataclass(frozen=True, slots=True)
class Witness:
    """The clock of a server, known from the server's last answer."""

    has_answered: bool = False
    ahead_s: float | None = None
    """Seconds by which the server's clock is ahead of the system clock.

    The value is None without an answer that came quickly and contained a ``Date``.
    """


@dataclass(frozen=True, slots=True)
class Decision:
    """The decided time, as seconds ahead of the system clock.

    None means that the time is unknown.
    """

    ahead_s: float | None = None
    needs_api: bool = False
    """Whether the Stories API must be called before the time can be decided."""
    reason: str = ""
    """The reason why the time is unknown."""


_ASK = Decision(needs_api=True, reason="the Stories API is not asked yet")


def decide(
    telegram: Witness, api: Witness | None = None, *, count_s: float | None = None
) -> Decision:
    """Decide which time is correct. ``api`` is None if the Stories API was not called yet.

    ``count_s`` is this process's own clock, in seconds ahead of the system clock. ``count_s`` is
    None if the own clock was never confirmed.
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
    """Decide the time if Telegram sends no time. An example is a local Bot API server."""
    agreed = _agreed(api, count_s)
    if agreed is not None:
        return Decision(agreed)
    if api.ahead_s is not None:
        return Decision(
            reason=f"{_differ('the Stories API', api.ahead_s)}, and Telegram tells none"
        )
    if telegram.has_answered:  # neither Telegram nor the Stories API has sent a time
        return Decision(0.0)
    return Decision(reason="Telegram does not answer, so nobody tells what time it is")


def _agreed(witness: Witness, count_s: float | None) -> float | None:
    """Return the own clock that agrees with the server's clock, in seconds ahead, or None.

    The system clock is compared first, then this process's clock ``count_s``.
    """
    offsets_s = (0.0,) if count_s is None else (0.0, count_s)
    ahead_s = witness.ahead_s
    return next(
        (
            offset_s
            for offset_s in offsets_s
            if ahead_s is not None and abs(ahead_s - offset_s) <= AGREE_S
        ),
        None,
    )


def _differ(source: str, ahead_s: float) -> str:
    return f"{source} tells a time {abs(ahead_s):.0f} s from the machine's"
