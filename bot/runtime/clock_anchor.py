"""The decision what time it is, from the machine's clock and the clocks of two servers.

All times are seconds ahead of the machine's clock, so the machine's clock itself is 0.
"""

from dataclasses import dataclass
from statistics import median

AGREE_S = 5.0
"""Two clocks that differ by no more agree; one of them is then right."""
QUICK_S = 2.0
"""An answer that took longer tells no time: its ``Date`` may be that old."""
JUMP_S = 1.0
"""A change of the machine's clock, against the count of seconds, from which it was set."""


@dataclass(frozen=True, slots=True)
class Witness:
    """The clock of a server, as its last answer told it."""

    has_answered: bool = False
    ahead_s: float | None = None
    """None where no quick answer had a ``Date``."""


@dataclass(frozen=True, slots=True)
class Decision:
    """How many seconds the right time is ahead of the machine's clock; None: not known."""

    ahead_s: float | None = None
    needs_api: bool = False
    """Whether the Stories API must be asked before there is a decision."""
    reason: str = ""
    """Why the time is not known."""


_ASK = Decision(needs_api=True, reason="the Stories API is not asked yet")


def decide(
    telegram: Witness, api: Witness | None = None, *, count_s: float | None = None
) -> Decision:
    """Return what time it is; ``api`` is None while the Stories API was not asked.

    ``count_s`` is the clock of this process, which went on with the count of the event loop. It is
    None where that clock was never right.
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
    """Return what time it is where Telegram tells none, as a Bot API server of one's own."""
    agreed = _agreed(api, count_s)
    if agreed is not None:
        return Decision(agreed)
    if api.ahead_s is not None:
        return Decision(
            reason=f"{_differ('the Stories API', api.ahead_s)}, and Telegram tells none"
        )
    if telegram.has_answered:  # there is no witness
        return Decision(0.0)
    return Decision(reason="Telegram does not answer, so nobody tells what time it is")


def _agreed(witness: Witness, count_s: float | None) -> float | None:
    """Return the clock of ours with which a witness agrees, the machine's first."""
    ours = (0.0,) if count_s is None else (0.0, count_s)
    told = witness.ahead_s
    return next((one for one in ours if told is not None and abs(told - one) <= AGREE_S), None)


def _differ(who: str, ahead_s: float) -> str:
    return f"{who} tells a time {abs(ahead_s):.0f} s from the machine's"
