"""Questions that are answered by a reply: the field for it opens, and the answer is known by them.

What is asked is read off the message that somebody replies to, so no state is kept: an answer
that comes after a restart, or to another replica, is understood all the same.
"""

import re
from collections.abc import Sequence
from functools import cache

from telegram import Chat, Message, Update
from telegram.ext import filters

from bot.context import Context
from bot.domain.records import Subscription
from bot.presentation.actions import RUN, Buttons, button, grid
from bot.presentation.html import plain
from bot.presentation.translation import LANGUAGES, translator_for
from handlers.replies import say

MOST = 60  # buttons under a question; a chat may have more subscriptions
A_ROW = 2


async def ask(update: Update, context: Context, question: str, usage: str) -> None:
    """Ask ``question``; the answer comes as a reply to it.

    The field for it opens for who asked only: in a group for the one replied to. In a channel
    there is none (td, ReplyMarkup.cpp), so ``usage`` is said there. Both are message ids.
    """
    where = update.effective_chat
    if where is None or where.type == Chat.CHANNEL or context.about is not None:
        await say(update, context, context.t(usage))
        return
    await say(update, context, context.t(question), force_reply="natgeo")


def choices(result: Sequence[Subscription], command: str) -> Buttons:
    """Return a button for each profile that a chat has, which does ``command`` with it."""
    names = list(dict.fromkeys(one.username for one in result))[:MOST]
    return grid([button(name, RUN(command, name)) for name in names], A_ROW)


class Answers(filters.MessageFilter):
    """A reply to one of our questions, and to no other message of ours."""

    def __init__(self, *questions: str) -> None:
        """``questions`` are message ids without fields."""
        super().__init__()
        self._questions = questions

    def filter(self, message: Message) -> bool:
        """Return whether ``message`` answers one of them."""
        asked = message.reply_to_message
        return bool(
            asked
            and asked.from_user
            and asked.from_user.is_bot
            and any(asks(asked, question) for question in self._questions)
        )


def asks(asked: Message, question: str) -> bool:
    """Return whether a message of ours asks ``question``, in any language."""
    return _words(asked.text or "") in _shown(question)


@cache
def _shown(question: str) -> frozenset[str]:
    return frozenset(_words(plain(translator_for(code)(question))) for code in LANGUAGES)


def _words(text: str) -> str:
    """Return a text without marks of direction, which a release may add or take away."""
    return re.sub("[\u200e\u200f\u2066-\u2069]", "", text).strip()
