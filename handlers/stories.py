"""/stories NAME [COUNT]: all stories of a profile, or the latest few."""

from telegram import Update
from telegram.ext import filters

from bot.context import Context
from bot.domain import links
from bot.domain.errors import N_
from bot.domain.links import Link
from handlers.guard import Handler, command, heard, pressed, replied_to
from handlers.links import HIGHLIGHT, NOT_OURS, OTHER_KIND, SERVED, links_of
from handlers.questions import Answers, ask
from handlers.replies import say
from handlers.show import show_profile

ASK = N_("Whose stories? Send me a name like <code>natgeo</code>, or a link to a profile.")
USAGE = N_(
    "Write it like this: /stories <i>name</i>, or /stories <i>name</i> 3 for the latest three."
)
MOST = 100


@command("stories")
async def stories(update: Update, context: Context) -> None:
    """Show a profile's stories: of the argument, or of the message that this one replies to."""
    arguments = list(context.args or [])
    count = _count(arguments)
    message = update.effective_message
    asked = replied_to(message) if message else None
    if not arguments and asked:
        pasted = links_of(asked, context.bot.username)
        link = links.verdict(pasted)
    elif not arguments:
        await ask(update, context, ASK, USAGE)
        return
    elif len(arguments) > 1:
        await say(update, context, context.t(USAGE))
        return
    else:
        link = links.parse_argument(arguments[0])
    await serve_argument(update, context, link, count)


async def serve_argument(
    update: Update, context: Context, link: Link | None, count: int | None = None
) -> None:
    """Show what an argument names; a story's link stands for its profile's stories."""
    if link is None:
        await say(update, context, context.t(USAGE))
    elif link.username and link.kind in SERVED:
        await show_profile(update, context, link.username, count)
    else:
        text = {"highlight": HIGHLIGHT, "unsupported": OTHER_KIND}.get(link.kind, NOT_OURS)
        await say(update, context, context.t(text))


@pressed("stories:", r"stories:")
async def all_stories(update: Update, context: Context, data: str) -> None:
    """Show the profile of the button that was pressed."""
    link = links.parse_argument(data.partition(":")[2])
    if link and link.username:
        await show_profile(update, context, link.username)


@heard(
    "an answer to our question",
    filters.UpdateType.MESSAGE & filters.TEXT & filters.REPLY & Answers(ASK) & ~filters.COMMAND,
)
async def take_answer(update: Update, context: Context) -> None:
    """Take a bare name that answers our question."""
    message = update.effective_message
    if message and message.text:
        await serve_argument(update, context, links.parse_argument(message.text))


def _count(arguments: list[str]) -> int | None:
    """Take the number off the end of the arguments, if there is one."""
    last = arguments[-1] if len(arguments) > 1 else ""
    if last.isascii() and last.isdigit() and 1 <= int(last[:4]) <= MOST:
        arguments.pop()
        return int(last)
    return None


def handlers() -> list[Handler]:
    """Return this module's handlers, in order."""
    return [stories.handler, all_stories.handler, take_answer.handler]
