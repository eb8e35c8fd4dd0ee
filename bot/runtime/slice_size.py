"""How much of a long piece of writing is done at once, so that nobody waits long for it."""

SMALLEST = 10  # rows
LARGEST = 5_000
_LONGEST_S = 0.03  # SQLite has one writer: a reply waits for a slice


def next_limit(limit: int, took: float) -> int:
    """Return the rows of the next slice, after one of ``limit`` rows that took so many seconds."""
    if took > _LONGEST_S:
        return max(SMALLEST, limit // 2)
    return min(LARGEST, limit * 2) if took < _LONGEST_S / 3 else limit
