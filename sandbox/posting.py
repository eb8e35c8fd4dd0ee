"""Times of automatic posts, computed by a random generator with a seed."""

import random

DAY = 86_400.0
_EVEN = 0.25  # maximum deviation of an interval from the mean interval, as a fraction of the mean


def next_post(rng: random.Random, last: float, posts_per_day: float) -> float:
    """Return the time of the next post: about `DAY / posts_per_day` seconds after `last`.

    The deviation is at most a quarter, and is drawn from `rng`.
    """
    return last + DAY / posts_per_day * rng.uniform(1 - _EVEN, 1 + _EVEN)
