"""Random error messages: known to the bot, avoidable by an upload, or unknown to the bot."""

import random
from collections.abc import Collection

from bot.telegram.outcomes import REFUSALS

# Scopes of error messages about the file itself, whether uploaded, by URL or by file_id.
FILES = frozenset({"fetch", "photo", "size", "file", "any file"})
_CURED = [*REFUSALS["fetch"], *REFUSALS["any file"]]
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ_"


def refusal(chance: random.Random, item: int, *, without: Collection[str] = ()) -> tuple[str, str]:
    """Return an error message and the affected source (empty: all sources).

    ``without`` excludes scopes of the known error messages.
    """
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
