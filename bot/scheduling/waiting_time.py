"""The time at which the expected waiting of a profile's new stories reaches a target.

The expected waiting is the total for all stories that were probably posted since the last check.
An echo is an increase of the posting rate for some hours after a story.
"""

from collections.abc import Sequence
from math import exp

HOUR = 3600.0
DAY = 86400.0

Echo = tuple[float, float, float, float]
"""The numbers ``a, p, b, q`` of the echo a x exp(-p u) + b x exp(-q u), with ``u`` in hours."""


def rhythm_at(shape: Sequence[float], at: float) -> float:
    """Return the rhythm at the time ``at`` in Unix seconds.

    ``shape`` has the rhythm in the middle of each hour of the day (UTC). Between the middles of
    two hours, the rhythm is interpolated linearly.
    """
    place = (at / HOUR - 0.5) % 24 % 24  # the second % is needed, because -1e-17 % 24 is 24.0
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
    """Return the number of hours from ``seen_at`` until the expected waiting reaches ``target``.

    ``seen_at`` is in Unix seconds, and ``target`` in stories times hours. The posting rate is
    ``rate`` stories per hour times the rhythm ``shape``, plus ``echo``. The result is at most
    ``most``.
    """
    place = (seen_at / HOUR - 0.5) % 24 % 24  # the second % is needed, because -1e-17 % 24 is 24.0
    hour = int(place)
    begin = place - hour
    here = shape[hour]
    slope = shape[hour - 23] - here
    level = rate * (here + slope * begin)
    slope *= rate
    first_part, first, second_part, second = echo
    first_part /= first
    second_part /= second

    # ``total`` is the expected number of stories from ``seen_at`` to the start of the current
    # hour. ``waited`` is the sum of the hours for which these stories have waited. Both exclude
    # the echoes.
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
        hour = hour + 1 if hour < 23 else 0  # noqa: PLR2004 - the last hour of the day
        level = rate * shape[hour]
        slope = rate * shape[hour - 23] - level
        left = 1.0
    # Newton's method starts at the end of the hour. Each step is limited to the hour, because a
    # falling rate can make a step too long.
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
