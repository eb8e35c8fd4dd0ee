"""The choice of the correct time from the system clock and the clocks of two servers.

All times in this module are given as seconds ahead of the system clock, so the time of the system
clock itself is 0.
"""

from dataclasses import dataclass
from statistics import median

AGREE_S = 5.0
"""The maximum difference between two clocks that agree, in seconds.

Two clocks that agree are considered correct.
"""
QUICK_S = 2.0
"""The maximum duration of a call whose ``Date`` header is used, in seconds.

The ``Date`` header of a slower call can be too old.
"""
JUMP_S = 1.0
"""The minimum change of the system clock that counts as a step, in seconds.

The change is measured relative to the monotonic clock.
"""


@dataclass(frozen=True, slots=True)
class ServerClock:
    """The clock of a server, known from the server's answers.

    ``has_answered`` is True after any answer. ``ahead_s`` is known only from a quick answer.
    """

    has_answered: bool = False
    ahead_s: float | None = None
    """The seconds by which the server's clock is ahead of the system clock.

    The value is None if no quick answer of the server contained a valid time.
    """


@dataclass(frozen=True, slots=True)
class Decision:
    """The decision about the correct time."""

    ahead_s: float | None = None
    """The correct time as seconds ahead of the system clock, or None if the time is unknown."""
    needs_api: bool = False
    """Whether the Stories API must be called before the time can be decided."""
    reason: str = ""
    """The reason why the time is unknown."""


_ASK = Decision(needs_api=True, reason="the Stories API is not asked yet")


def choose_correct_time(
    telegram: ServerClock,
    api: ServerClock | None = None,
    *,
    process_clock_ahead_s: float | None = None,
) -> Decision:
    """Choose the correct time from the clocks of Telegram, the Stories API and this process.

    If the Stories API was not called yet, ``api`` is None. ``process_clock_ahead_s`` is in seconds
    ahead of the system clock, or None if this clock was never confirmed.
    """
    agreed = _agreeing_clock_ahead_s(telegram, process_clock_ahead_s)
    if agreed is not None:
        return Decision(agreed)
    if api is None:
        return _ASK
    if telegram.ahead_s is not None and api.ahead_s is not None:
        return Decision(median((0.0, telegram.ahead_s, api.ahead_s)))
    if telegram.ahead_s is None:
        return _choose_time_without_telegram(telegram, api, process_clock_ahead_s)
    return Decision(
        reason=f"{_clock_gap_text('Telegram', telegram.ahead_s)}, and the Stories API tells none"
    )


def _choose_time_without_telegram(
    telegram: ServerClock, api: ServerClock, process_clock_ahead_s: float | None
) -> Decision:
    """Choose the correct time if Telegram has sent no usable time.

    For example, the answers of a local Bot API server may contain no time.
    """
    agreed = _agreeing_clock_ahead_s(api, process_clock_ahead_s)
    if agreed is not None:
        return Decision(agreed)
    if api.ahead_s is not None:
        return Decision(
            reason=f"{_clock_gap_text('the Stories API', api.ahead_s)}, and Telegram tells none"
        )
    # No server has sent a usable time. If Telegram has answered at all, the time of the system
    # clock is used.
    if telegram.has_answered:
        return Decision(0.0)
    return Decision(reason="Telegram does not answer, so nobody tells what time it is")


def _agreeing_clock_ahead_s(
    server_clock: ServerClock, process_clock_ahead_s: float | None
) -> float | None:
    """Return the time of the system clock or of this process that a server's clock confirms.

    The result is in seconds ahead of the system clock. None means that neither time agrees.
    """
    offsets_s = (0.0,) if process_clock_ahead_s is None else (0.0, process_clock_ahead_s)
    ahead_s = server_clock.ahead_s
    return next(
        (
            offset_s
            for offset_s in offsets_s
            if ahead_s is not None and abs(ahead_s - offset_s) <= AGREE_S
        ),
        None,
    )


def _clock_gap_text(source: str, ahead_s: float) -> str:
    return f"{source} tells a time {abs(ahead_s):.0f} s from the machine's"
