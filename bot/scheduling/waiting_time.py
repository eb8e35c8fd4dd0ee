"""When the stories that may have come since a check have waited long enough for the next one.

The arithmetic of an intensity that follows a daily rhythm, with an echo of what came before. Pure.
"""

from collections.abc import Sequence
from math import exp

HOUR = 3600.0
DAY = 86400.0

Echo = tuple[float, float, float, float]
"""Two exponentials ``a, p, b, q``: a x exp(-p u) + b x exp(-q u), u in hours."""


def rhythm_at(shape: Sequence[float], at: float) -> float:
    """Return the rhythm at a time: straight lines between the middles of the hours."""
    place = (at / HOUR - 0.5) % 24 % 24  # twice: of -1e-17 the first makes 24.0
    hour = int(place)
    return shape[hour] + (place - hour) * (shape[hour - 23] - shape[hour])


def hours_to_target(
    seen_at: float,
    rate: float,
    shape: Sequence[float],
    echo: Echo,
    *,
    target: float,
    most: float,
) -> float:
    """Return after how many hours since ``seen_at`` the expected waiting crosses ``target``.

    The intensity u hours later is ``rate`` stories an hour x the rhythm ``shape`` + ``echo`` of
    u; the waiting is its second integral, in closed form for each stretch of an hour.
    """
    place = (seen_at / HOUR - 0.5) % 24 % 24  # as above
    hour = int(place)
    begin = place - hour
    here = shape[hour]
    slope = shape[hour - 23] - here
    level = rate * (here + slope * begin)
    slope *= rate
    first_part, first, second_part, second = echo
    first_part /= first
    second_part /= second

    # Of the rhythm alone: stories and story hours of waiting up to the hour's beginning.
    total = waited = begun = 0.0
    left = 1.0 - begin
    while True:
        end = begun + left
        ended = waited + left * (total + left * (level / 2 + slope * left / 6))
        echoed = first_part * (end - (1.0 - exp(-first * end)) / first)
        echoed += second_part * (end - (1.0 - exp(-second * end)) / second)
        if ended + echoed >= target:
            break
        if end >= most:
            return most
        total += left * (level + slope * left / 2)
        waited = ended
        begun = end
        hour = hour + 1 if hour < 23 else 0  # noqa: PLR2004 - the last hour
        level = rate * shape[hour]
        slope = rate * shape[hour - 23] - level
        left = 1.0
    # Newton from the right, kept within the stretch: where the intensity falls, it may overshoot.
    after = high = left
    low = 0.0
    for _ in range(20):
        end = begun + after
        one = 1.0 - exp(-first * end)
        two = 1.0 - exp(-second * end)
        value = (
            waited
            + after * (total + after * (level / 2 + slope * after / 6))
            + first_part * (end - one / first)
            + second_part * (end - two / second)
        )
        gain = total + after * (level + slope * after / 2) + first_part * one + second_part * two
        if value < target:
            low = after
        else:
            high = after
        step = (value - target) / gain if gain > 0 else left
        if not low <= after - step <= high:
            step = after - (low + high) / 2
        after -= step
        if abs(step) < 1e-4:  # noqa: PLR2004 - a third of a second
            break
    return min(begun + after, most)
