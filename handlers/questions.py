"""Questions that people answer by a reply, whose field Telegram opens for them.

Which question it is, is read off the message that is replied to. So nothing is stored, and an
answer is understood after a restart, too, and by another replica.
"""

import re
from collections.abc import Sequence
from functools import cache

from telegram import Message
from telegram.ext import filters

from bot.context import Context
from bot.domain.records import Subscription
from bot.presentation.actions import RUN, Buttons, button, grid, split_chat
from bot.presentation.html import plain
from bot.presentation.translation import LANGUAGES, translator_for
from handlers.replies import say

MOST = 60  # buttons under a question; a chat may have more subscriptions
A_ROW = 2
FIELD = {"force_reply": True, "selective": True, "input_field_placeholder": "natgeo"}


async def ask(context: Context, question: str, usage: str) -> None:
    """Ask ``question``; the answer comes as a reply to it.

    The field for it opens for who asked only: in a group for the one replied to. In a channel
    there is none (td, ReplyMarkup.cpp), so ``usage`` is said there. Both are message ids.
    """
    if context.is_channel or context.about is not None:
        await say(context, context.t(usage))
    else:
        await say(context, context.t(question), markup=FIELD)


def subscription_buttons(result: Sequence[Subscription], command: str) -> Buttons:
    """Return a button for each profile that a chat has, which does ``command`` with it."""
    names = list(dict.fromkeys(one.username for one in result))[:MOST]
    return grid([button(name, RUN(command, name)) for name in names], A_ROW)


def answers_to(*questions: str) -> filters.BaseFilter:
    """Return the filter of what people write as a reply to one of our ``questions``."""
    is_text = filters.UpdateType.MESSAGE & filters.TEXT & ~filters.COMMAND
    return is_text & filters.REPLY & _Answers(*questions)


class _Answers(filters.MessageFilter):
    """A reply to one of our questions, and to no other message of ours."""

    def __init__(self, *questions: str) -> None:
        """``questions`` are message ids without fields."""
        super().__init__()
        self._questions = questions

    def filter(self, message: Message) -> bool:
        """Return whether ``message`` answers one of them."""
        return question_of(message, self._questions) is not None


def question_of(message: Message, questions: Sequence[str]) -> str | None:
    """Return which of our ``questions`` ends the message that is replied to, in any language."""
    asked = message.reply_to_message
    if asked is None or asked.from_user is None or not asked.from_user.is_bot:
        return None
    words = _comparable_text(asked.text or "")
    return next((one for one in questions if words.endswith(_in_all_languages(one))), None)


def chat_asked_about(message: Message) -> int | None:
    """Return the other chat that the page which a message replies to is about, by its buttons."""
    page = message.reply_to_message
    markup = page.reply_markup if page else None
    data = markup.inline_keyboard[0][0].callback_data if markup else None
    return split_chat(data)[0] if isinstance(data, str) else None


@cache
def _in_all_languages(question: str) -> tuple[str, ...]:
    return tuple(_comparable_text(plain(translator_for(code)(question))) for code in LANGUAGES)


def _comparable_text(text: str) -> str:
    """Return a text without the name of the chat above it, and without marks of direction."""
    return re.sub("^📣 .*\n|[\u200e\u200f\u2066-\u2069]", "", text).strip()
