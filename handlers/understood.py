"""Confirmation of a command with everyday words: the command as understood, and one button."""

from collections.abc import Sequence

from bot.context import Context
from bot.domain.command_words import MOST, OURS, Wanted
from bot.domain.everyday_words import is_everyday_word, is_time
from bot.domain.sentences import N_
from bot.presentation.actions import RUN_FOR_MANY, button
from bot.presentation.html import Safe, code
from handlers.profile_lists import LEFT_OUT, failure_lines
from handlers.replies import say

WHICH_OF_MANY = N_("Do you want to see the stories from {names} now, or get every new one?")
MEANT = N_("Did you mean this?")
ONE = {
    "stories": N_("Show stories"),
    "highlights": N_("Highlights"),
    "subscribe": N_("Subscribe"),
    "unsubscribe": N_("Unsubscribe"),
}
"""The button for one profile, by command."""
MANY = {"stories": N_("Show all"), "subscribe": N_("Subscribe to all")}
"""The button for several profiles, by command."""


async def offer_understood(context: Context, command: str, wanted: Wanted) -> None:
    """Show a command with the recognised names and options, and a button that runs the command.

    The button reads the command from the message. A channel gets no button; people copy the
    command.
    """
    line = code(f"/{command} {' '.join(_arguments(wanted, context.t.language))}")
    lines = [context.t(MEANT), context.t.isolate(line), *failure_lines([], wanted, context)]
    label = (ONE if len(wanted.names) == 1 else {**ONE, **MANY})[command]
    run = button(context.t.plain(label), RUN_FOR_MANY(command))
    await say(context, Safe("\n".join(lines)), None if context.is_channel else [[run]])


async def offer_for_many(
    context: Context, names: Sequence[str], commands: Sequence[str] = tuple(MANY)
) -> None:
    """Offer the commands for a list of profiles; a press reads the names from the message."""
    t = context.t
    shown = Safe(t.listed([t.isolate(code(name)) for name in names[:MOST]]))
    text: str = t(WHICH_OF_MANY, names=shown) if len(commands) > 1 else shown
    if len(names) > MOST:
        text = Safe(f"{text}\n{t(LEFT_OUT, n=MOST)}")
    row = [context.button(MANY[word], RUN_FOR_MANY(word)) for word in commands]
    await say(context, text, [row])


def _arguments(wanted: Wanted, language: str) -> list[str]:
    """Return the arguments of the same command without everyday words."""
    names = [_written(name, language) for name in wanted.names]
    names.sort(key=lambda name: not name.startswith("@"))  # a final @name is read as a channel
    count = [str(wanted.count)] if wanted.count else []
    channel = [wanted.channel] if wanted.channel else []
    return [*names, *channel, *count, *sorted(wanted.words)]


def _written(name: str, language: str) -> str:
    """Return a name as an argument that the command reads as a profile name."""
    is_other = name in OURS or is_everyday_word(name, language) or is_time(name)
    return f"@{name}" if is_other else name
