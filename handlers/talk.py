"""What is no command of ours and no link: in a private chat it is answered all the same.

A name gets its two buttons, a mistyped command the one that was meant, at no cost until one is
pressed. All else gets one short line with an example, once a minute at most. In groups people talk
with each other, so nothing is said there.
"""

from collections.abc import Sequence
from datetime import timedelta
from functools import partial

from telegram import Message, MessageOriginChannel, Update
from telegram.ext import filters

from bot.context import Context
from bot.domain import links, talk
from bot.domain.errors import N_
from bot.domain.wanted import MOST, OURS
from bot.presentation import actions
from bot.presentation.actions import Buttons, button
from bot.presentation.html import Safe, code, shorten
from bot.updates import unit_of_work
from handlers import (
    card,
    exchange,
    highlights,
    privacy,
    rules,
    settings,
    stories,
    subscriptions,
    usage,
    why,
)
from handlers.errors import SAME_AGAIN, react
from handlers.exchange import HOW
from handlers.guard import UNCHANGED, UNKNOWN_BUTTON, Guarded, Handler, heard, pressed, record
from handlers.replies import say
from handlers.rights import TABLE, Need
from handlers.several import LEFT_OUT

_EXAMPLE = "natgeo"

HEARD = "👍"
ONCE_IN = timedelta(minutes=1)
ALBUM = timedelta(minutes=10)  # within which the photos of one album arrive
BUTTON = 24  # characters that a phone shows of a button

WHICH_OF_MANY = N_("Do you want to see the stories from {names} now, or get every new one?")
MEANT = N_("Did you mean this?")
UNKNOWN = N_("I don't know the command {command}. /help shows what I can do.")
MEANT_COMMAND = N_("Did you mean {command}?")
EXAMPLE = N_(
    "I bring Instagram stories. Send me the name of a profile or a link to a story, or tap the "
    "example."
)
CANCEL = "cancel"  # what a page had asked for was forgotten when the command came
FILES = (".json",)

COMMANDS: dict[str, Guarded] = {
    "stories": stories.stories,
    "highlights": highlights.highlights,
    "subscribe": subscriptions.subscribe,
    "unsubscribe": subscriptions.unsubscribe,
    "why": why.why,
    "rules": rules.rules,
}
"""Commands that take a name, which a button can run."""

ALONE: dict[str, Guarded] = {
    "usage": usage.usage,
    "export": exchange.export,
    "privacy": privacy.privacy,
}
"""Commands that a button runs as they are."""


@pressed(actions.RUN)
async def run_command(update: Update, context: Context, word: str, name: str) -> None:
    """Do what a command with a name does, as its own row of rights lets."""
    context.args = [name]
    await COMMANDS[word](update, context)


@pressed(actions.DO)
async def do_command(update: Update, context: Context, word: str) -> None:
    """Do what a command without a name does, as its own row of rights lets."""
    context.args = []
    await ALONE[word](update, context)


@heard(
    "what asks for nothing",
    filters.ChatType.PRIVATE
    & filters.UpdateType.MESSAGE
    & (filters.TEXT | filters.ATTACHMENT)
    & ~filters.StatusUpdate.ALL
    & ~filters.VIA_BOT,
)
async def answer_talk(update: Update, context: Context) -> None:
    """Answer a message that no other handler takes."""
    message = update.effective_message
    if message is None:
        return
    text = message.text or ""
    if message.document and (message.document.file_name or "").lower().endswith(FILES):
        await say(update, context, context.t(HOW))
    elif await settings.take_typed(update, context, text):
        return
    elif command := talk.command_in(text):
        await _answer_command(update, context, *command)
    elif names := talk.names_in(text or message.caption or ""):
        await _show_list(update, context, names)
    elif name := talk.name_in(text or message.caption or ""):
        await say(update, context, *await card.card(context, name))
    elif await settings.ask_again(update, context, text):
        return
    elif name := talk.joined_in(text):
        meant = button(name, actions.STORIES(name))
        await say(update, context, context.t(MEANT), [[meant]])
    else:
        await _give_example(update, context)


async def _show_list(update: Update, context: Context, names: Sequence[str]) -> None:
    """Offer what can be done with a list of profiles; a press reads the names off the message."""
    t = context.t
    shown = Safe(t.listed([t.apart(code(name)) for name in names[:MOST]]))
    text: str = t(WHICH_OF_MANY, names=shown)
    if len(names) > MOST:
        text = Safe(f"{text}\n{t(LEFT_OUT, limit=MOST)}")
    show = context.button(N_("Show all"), actions.RUN_FOR_MANY("stories"))
    follow = context.button(N_("Subscribe to all"), actions.RUN_FOR_MANY("subscribe"))
    await say(update, context, text, [[show, follow]])


@pressed(actions.RUN_FOR_MANY)
async def run_for_many(update: Update, context: Context, word: str) -> str | None:
    """Do what a command does with the names that the message lists."""
    query = update.callback_query
    message = query.message if query else None
    names: list[str] = []
    if isinstance(message, Message):
        names = [message.parse_entity(one) for one in message.entities if one.type == one.CODE]
    if not names:  # the message is gone, or too old to be told of
        return context.t.plain(UNKNOWN_BUTTON)
    # Only where a command would take it for something else: a last @name may be a channel.
    context.args = [f"@{name}" if _is_taken(name, word) else name for name in names]
    await COMMANDS[word](update, context)
    return None


def _is_taken(name: str, word: str) -> bool:
    """Return whether a command may take a profile's name for a word of ours, or for a number."""
    return name.isdigit() if word == "stories" else name in OURS


def example(context: Context) -> Buttons:
    """Return a button that shows a real album."""
    text = shorten(context.t.plain(N_("Show {username}"), username=_EXAMPLE), BUTTON)
    return [[button(text, actions.STORIES(_EXAMPLE))]]


async def _answer_command(update: Update, context: Context, word: str, rest: str) -> None:
    known = {
        name[1:]
        for name, row in TABLE.items()
        if name.startswith("/") and row.private is not Need.OPERATOR
    }
    if word == CANCEL:
        await say(update, context, context.t(UNCHANGED))
        return
    meant = talk.command_meant(word, known)
    link = links.parse_argument(rest) if rest else None
    if meant is None:
        await say(update, context, context.t(UNKNOWN, command=code(f"/{word}")))
    elif meant in COMMANDS and link and link.username:
        run = button(f"/{meant} {link.username}", actions.RUN(meant, link.username))
        await say(update, context, context.t(MEANT), [[run]])
    else:
        await say(update, context, context.t(MEANT_COMMAND, command=Safe(f"/{meant}")))


async def _give_example(update: Update, context: Context) -> None:
    """Say the short line; after it react for a minute, and keep silent at the rest of an album."""
    message, lately, now = update.effective_message, context.services.lately, context.now
    chat_id = context.chat.id
    album = (chat_id, "album", message.media_group_id if message else None)
    if message is None or lately.get(album, within=ALBUM, now=now):
        return
    if await _is_from_our_channel(message, context):
        return
    if lately.get((chat_id, "example"), within=ONCE_IN, now=now):
        sign = HEARD if talk.is_small_talk(message.text or "") else SAME_AGAIN
        await unit_of_work.later(partial(react, context, message, sign))
        return
    await say(update, context, context.t(EXAMPLE), example(context))
    await record(context, (chat_id, "example"))


async def _is_from_our_channel(message: Message, context: Context) -> bool:
    """Return whether it is a post of a channel where we are: it may be a word of our own.

    Posts of channels name no author (Bot API, MessageOriginChannel).
    """
    origin = message.forward_origin
    if not isinstance(origin, MessageOriginChannel):
        return False
    return await context.services.chats.get(origin.chat.id) is not None


def handlers() -> list[Handler]:
    """Return this module's handlers, in order; they are asked after all others."""
    ours = (run_command, do_command, run_for_many, answer_talk)
    return [one.handler for one in ours]
