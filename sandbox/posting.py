"""When profiles post: pure arithmetic on a seeded generator."""

import random

DAY = 86_400.0
_EVEN = 0.25  # intervals differ from their mean by this share at most


def next_post(rng: random.Random, last: float, posts_per_day: float) -> float:
    """When a profile that posted at `last` posts again: about every `DAY / posts_per_day` s."""
    return last + DAY / posts_per_day * rng.uniform(1 - _EVEN, 1 + _EVEN)
