"""Several profiles at once: what became of each, in one message."""

from collections.abc import Iterable, Sequence

from bot.context import Context
from bot.domain.command_words import MOST, Wanted
from bot.domain.errors import BotError, ProfileUnavailableError
from bot.domain.sentences import N_, NN_
from bot.presentation.html import Safe, bold, shorten
from handlers.errors import sentence_for

LEFT_OUT = NN_(
    "I can take up to {n} name at a time; please send the rest separately.",
    "I can take up to {n} names at a time; please send the rest separately.",
)
UNREAD = N_("“{word}” isn't the name of an Instagram profile.")
WORD = 40  # characters of what somebody wrote

Failures = Sequence[tuple[str, BotError]]


def lines_by_sentence(said: Iterable[tuple[str, str]], context: Context) -> list[str]:
    """Return a line for each different sentence, after the names of all whom it is about."""
    alike: dict[str, list[str]] = {}
    for name, sentence in said:
        alike.setdefault(sentence, []).append(name)
    return [
        Safe(f"{context.t.names(names, bold)}: {sentence}") for sentence, names in alike.items()
    ]


def failure_lines(failed: Failures, wanted: Wanted, context: Context) -> list[str]:
    """Return lines on what could not be done, and why; equal reasons share a line."""
    nameless: list[tuple[str, str]] = []
    lines: list[str] = []
    hidden = [name for name, error in failed if isinstance(error, ProfileUnavailableError)]
    if hidden:
        names = context.t.bold_names(hidden)
        lines.append(context.t(ProfileUnavailableError.text, username=names))
    for name, error in failed:
        sentence = sentence_for(error, context)
        if "{username}" not in error.sentence:
            nameless.append((name, sentence))
        elif name not in hidden:
            lines.append(sentence)
    lines += lines_by_sentence(nameless, context)
    lines += [context.t(UNREAD, word=shorten(word, WORD)) for word, _ in wanted.unread]
    if wanted.left_out:
        lines.append(context.t(LEFT_OUT, n=MOST))
    return lines
