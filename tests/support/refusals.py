"""Refusals at random: words of the bot's list, of files that an upload cures, and made-up ones."""

import random
from collections.abc import Collection

from bot.telegram.outcomes import REFUSALS

# What is a file's stays so whatever its source; the rest is somebody else's, or nobody knows.
FILES = frozenset({"fetch", "photo", "size", "file", "any file"})
_CURED = [*REFUSALS["fetch"], *REFUSALS["any file"]]
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ_"


def refusal(chance: random.Random, item: int, *, without: Collection[str] = ()) -> tuple[str, str]:
    """Words, and the source that they hit (empty: each); ``without`` some scopes of the list."""
    kind = chance.choice(["list", "file", "new"])
    if kind == "file":
        words, source = chance.choice(_CURED), "url"
    elif kind == "list":
        left = REFUSALS.keys() - FILES - set(without)
        words, source = chance.choice([one for it in sorted(left) for one in REFUSALS[it]]), ""
    else:
        words, source = "NEW_" + "".join(chance.choices(_LETTERS, k=8)), chance.choice(["", "url"])
    if chance.random() < 0.5:
        number = item if kind == "file" else 1
        words = f'failed to send message #{number} with the error message "{words}"'
    return words, source
