"""Confirmation, by a button, of a command that contains common words such as "please"."""

from collections.abc import Sequence

from bot.context import Context
from bot.domain.command_words import MOST, Wanted, escape_names_as_arguments
from bot.domain.sentences import N_
from bot.presentation.actions import RUN, RUN_FOR_MANY, button, grid
from bot.presentation.html import Safe, code
from handlers.profile_lists import LEFT_OUT, failure_lines
from handlers.replies import say

WHICH_OF_MANY = N_("Do you want to see the stories from {names} now, or get every new one?")
MEANT = N_("Did you mean this?")
A_ROW = 2
ONE = {
    "stories": N_("Show stories"),
    "highlights": N_("Highlights"),
    "subscribe": N_("Subscribe"),
    "unsubscribe": N_("Unsubscribe"),
}
"""The label of the button for one profile, by command."""
MANY = {"stories": N_("Show all"), "subscribe": N_("Subscribe to all")}
"""The label of the button for several profiles, by command."""
FOR_ONE_PROFILE = frozenset({"highlights", "why", "rules", "past"})
"""The commands that accept the name of one profile only."""


async def offer_understood_command(context: Context, command: str, wanted: Wanted) -> None:
    """Show a command with the recognised names and options, and a button that runs the command.

    Several names can get separate buttons, for example if the command accepts one profile only.
    """
    has_options = bool(wanted.channel or wanted.words or wanted.count)
    is_prose = wanted.is_prose and not has_options
    is_each = command in FOR_ONE_PROFILE or (is_prose and command in MANY)
    if is_each and len(wanted.names) > 1 and not context.is_channel:
        each = [button(name, RUN(command, name)) for name in wanted.names]
        lines = [context.t(MEANT), *failure_lines([], wanted, context)]
        await say(context, Safe("\n".join(lines)), grid(each, A_ROW))
        return
    arguments = " ".join(_arguments_without_everyday_words(wanted, context.t.language))
    line = code(f"/{command} {arguments}")
    lines = [context.t(MEANT), context.t.isolate(line), *failure_lines([], wanted, context)]
    labels = ONE if len(wanted.names) == 1 else {**ONE, **MANY}
    run = button(context.t.plain(labels[command]), RUN_FOR_MANY(command))
    buttons = None if context.is_channel else [[run]]
    await say(context, Safe("\n".join(lines)), buttons)


async def offer_commands_for_names(
    context: Context, names: Sequence[str], commands: Sequence[str] = tuple(MANY)
) -> None:
    """Show at most ten profile names, and a button for each command in ``commands``.

    A button runs the command for all shown names. The handler of the button reads the names from
    the message.
    """
    t = context.t
    quoted = [t.isolate(code(name)) for name in names[:MOST]]
    shown = Safe(t.listed(quoted))
    text: str = t(WHICH_OF_MANY, names=shown) if len(commands) > 1 else shown
    if len(names) > MOST:
        text = Safe(f"{text}\n{t(LEFT_OUT, n=MOST)}")
    row = [context.button(MANY[word], RUN_FOR_MANY(word)) for word in commands]
    await say(context, text, [row])


def _arguments_without_everyday_words(wanted: Wanted, language: str) -> list[str]:
    """Return the names and options of a command, without words such as "please"."""
    count = [str(wanted.count)] if wanted.count else []
    channel = [wanted.channel] if wanted.channel else []
    return [
        *escape_names_as_arguments(wanted.names, language),
        *channel,
        *count,
        *sorted(wanted.words),
    ]
