"""/stories NAME [COUNT]: all stories of a profile, or the latest few."""

import re
from functools import cache

from telegram import Chat, Message, Update
from telegram.ext import filters

from bot.context import Context
from bot.domain import links
from bot.domain.errors import N_
from bot.domain.links import Link
from bot.presentation.translation import LANGUAGES, translator_for
from handlers.guard import Handler, answer, command, heard, pressed, replied_to
from handlers.links import HIGHLIGHT, NOT_OURS, OTHER_KIND, SERVED, links_of
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
        found = links_of(asked, context.bot.username)
        link = links.verdict(found)
    elif not arguments:
        await ask(update, context)
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


async def ask(update: Update, context: Context) -> None:
    """Ask for the name; the answer comes as a reply to this question.

    The field for it opens for who asked only: in a group for the one replied to. In a channel
    there is none (td, ReplyMarkup.cpp).
    """
    message = update.effective_message
    if message is None or message.chat.type == Chat.CHANNEL:
        await say(update, context, context.t(USAGE))
        return
    await say(update, context, context.t(ASK), force_reply="natgeo")


@pressed("stories:", r"stories:")
async def all_stories(update: Update, context: Context, data: str) -> None:
    """Show the profile of the button that was pressed."""
    where = update.effective_chat
    if where and where.type != Chat.CHANNEL:  # in a channel a failure is told by the pop-up only
        await answer(update, context)
    link = links.parse_argument(data.partition(":")[2])
    if link and link.username:
        await show_profile(update, context, link.username)


@cache
def _questions() -> frozenset[str]:
    """Return our question in every language, as Telegram gives it back: without markup."""
    return frozenset(re.sub("<[^>]+>", "", translator_for(code)(ASK)) for code in LANGUAGES)


class _AnswersUs(filters.MessageFilter):
    """A reply to our question, and to no other message of ours: a bare name costs money."""

    def filter(self, message: Message) -> bool:
        """Tell whether ``message`` answers it."""
        asked = message.reply_to_message
        return bool(
            asked and asked.from_user and asked.from_user.is_bot and asked.text in _questions()
        )


@heard(
    "an answer to our question",
    filters.UpdateType.MESSAGE & filters.TEXT & filters.REPLY & _AnswersUs() & ~filters.COMMAND,
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
