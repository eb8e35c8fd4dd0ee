"""Results for several profiles, combined in a single message."""

from collections.abc import Iterable, Mapping, Sequence

from bot.context import Context
from bot.domain.command_words import MOST, Wanted
from bot.domain.errors import BotError, NoSuchProfileError, ProfileUnavailableError
from bot.domain.sentences import N_, NN_
from bot.presentation.html import Safe, bold, truncate_plain, visible_length
from handlers.errors import translated_error_text

LEFT_OUT = NN_(
    "I can take up to {n} name at a time; please send the rest separately.",
    "I can take up to {n} names at a time; please send the rest separately.",
)
UNREAD = N_(
    "“{word}” isn't an Instagram username. It's the name in a profile's link, like natgeo."
)
WORD = 40  # maximum characters of a quoted word

_ROOM = 3_500  # maximum characters of the lines; Bot API, sendMessage: at most 4,096 after parsing
_TOGETHER = (ProfileUnavailableError, NoSuchProfileError)
"""Errors whose messages can name several profiles."""

Failures = Sequence[tuple[str, BotError]]


def first_names_in_bold(names: Sequence[str], context: Context) -> Safe:
    """Return a text with the first ten names in bold and the number of further names."""
    shown = context.t.names(names[:MOST], bold)
    rest = len(names) - MOST
    if rest <= 0:
        return shown
    return Safe(f"{shown} <b>(+{context.t.number(rest)})</b>")


def lines_by_sentence(
    names_and_sentences: Iterable[tuple[str, str]], context: Context
) -> list[str]:
    """Return a line for each different sentence. The profiles of a sentence share a line."""
    alike: dict[str, list[str]] = {}
    for name, sentence in names_and_sentences:
        alike.setdefault(sentence, []).append(name)
    return [
        context.t.labelled(first_names_in_bold(names, context), Safe(sentence))
        for sentence, names in alike.items()
    ]


def failure_lines(failed: Failures, wanted: Wanted, context: Context) -> list[str]:
    """Return the error messages of profiles, and lines about unreadable and omitted words.

    Profiles with the same error share a line if the error message allows a shared line.
    """
    nameless: list[tuple[str, str]] = []
    lines: list[str] = []
    together: dict[type[BotError], list[str]] = {kind: [] for kind in _TOGETHER}
    for name, error in failed:
        if type(error) in together:
            together[type(error)].append(name)
    lines += _lines_of_shared_error(ProfileUnavailableError, together, context)
    for name, error in failed:
        sentence = translated_error_text(error, context)
        if "{username}" not in error.msgid:
            nameless.append((name, sentence))
        elif type(error) not in together:
            lines.append(sentence)
    lines += _lines_of_shared_error(NoSuchProfileError, together, context)
    lines += lines_by_sentence(nameless, context)
    lines += [context.t(UNREAD, word=truncate_plain(word, WORD)) for word, _ in wanted.unread]
    if wanted.left_out:
        lines.append(context.t(LEFT_OUT, n=MOST))
    return lines


def _lines_of_shared_error(
    kind: type[BotError], together: Mapping[type[BotError], Sequence[str]], context: Context
) -> list[str]:
    """Return a list with one message for all profiles with an error of the type ``kind``, if any.

    The message contains the first ten names and the number of further names.
    """
    if not together[kind]:
        return []
    names = first_names_in_bold(together[kind], context)
    # The error message already has a bold tag before and after the names.
    inside = Safe(names.removeprefix("<b>").removesuffix("</b>"))
    return [context.t(kind.text, n=len(together[kind]), username=inside)]


def lines_that_fit(lines: Sequence[str], context: Context) -> list[str]:
    """Return the lines that fit into 3,500 characters.

    If lines are dropped, the last line contains their number.
    """
    kept: list[str] = []
    length = 0
    for line in lines:
        length += visible_length(line) + 1
        if length > _ROOM:
            rest = context.t.number(len(lines) - len(kept))
            return [*kept, f"… +{rest}"]
        kept.append(line)
    return kept
