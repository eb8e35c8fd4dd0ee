"""Questions that people answer by a reply. Telegram opens the reply field.

The bot reads the question from the message to which a person replies, and stores no state. Each
replica therefore understands an answer.
"""

import re
from collections.abc import Sequence
from functools import cache

from telegram import Message
from telegram.ext import filters

from bot.context import Context
from bot.domain.everyday_words import is_cancellation
from bot.domain.records import Subscription
from bot.domain.sentences import N_
from bot.presentation.actions import RUN, Buttons, button, grid, split_off_chat_id
from bot.presentation.html import paragraphs, plain
from bot.presentation.translation import LANGUAGES, translator_for
from handlers.press_answers import UNCHANGED
from handlers.replies import WasAnswered, say, say_message

MOST = 60  # maximum number of buttons under a question; further profiles are not shown
A_ROW = 2
EXAMPLE_NAME = "natgeo"  # the profile in the examples of all languages
HOW_TO_ANSWER = N_(
    "Any public Instagram profile will do. Its name is the part of its link after "
    "<code>instagram.com/</code>. You can also send me several names at once."
)
TO_STOP = N_("Which alerts should I stop?")
TO_EXPLAIN = N_("Which profile do you want to know about?")
TO_SHOW_RULES = N_("Whose rules do you want to see?")
TO_SHOW_PAST = N_("Whose stories would you like to see again?")
CHOICES = {
    TO_STOP: "unsubscribe",
    TO_EXPLAIN: "why",
    TO_SHOW_RULES: "rules",
    TO_SHOW_PAST: "past",
}
"""The command of each question that has a button for each followed profile."""
FIELD = {"force_reply": True, "selective": True, "input_field_placeholder": EXAMPLE_NAME}


async def ask_or_send_usage(context: Context, question: str, usage: str) -> None:
    """Ask ``question``, which a person answers by a reply, or send ``usage`` instead.

    ``question`` and ``usage`` are message ids. Channels get ``usage``, because channels have no
    reply field (td, ReplyMarkup.cpp). A message about a managed chat also gets ``usage``.
    """
    if context.is_channel or context.about is not None:
        await say_message(context, usage)
    else:
        await say(context, context.t(question), markup=FIELD)


async def ask_again(context: Context, question: str) -> None:
    """Explain what a profile name is, and repeat ``question``, so that the question stays open."""
    await say(context, paragraphs(context.t(HOW_TO_ANSWER), context.t(question)), markup=FIELD)


async def answer_if_cancellation(
    context: Context, text: str, *, is_answer: bool = False
) -> WasAnswered:
    """Return whether a text cancels a request. If so, reply that nothing has changed.

    A cancellation removes the stored question of a private chat. With ``is_answer``, texts such as
    "no" are also cancellations.
    """
    if not is_cancellation(text, context.t.language, is_answer=is_answer):
        return False
    await context.set_question(None)
    await say_message(context, UNCHANGED)
    return True


def command_buttons_of_subscriptions(result: Sequence[Subscription], command: str) -> Buttons:
    """Return buttons for at most 60 profiles. A press runs ``command`` with the profile."""
    names = list(dict.fromkeys(subscription.username for subscription in result))[:MOST]
    return grid([button(name, RUN(command, name)) for name in names], A_ROW)


def filter_for_answers_to(*questions: str) -> filters.BaseFilter:
    """Return a filter that accepts text replies to the bot's ``questions``."""
    is_text = filters.UpdateType.MESSAGE & filters.TEXT & ~filters.COMMAND
    return is_text & filters.REPLY & _Answers(*questions)


class _Answers(filters.MessageFilter):
    """A filter that accepts only the replies to the given questions."""

    def __init__(self, *questions: str) -> None:
        """Create a filter for the replies to ``questions``.

        The questions are message ids of texts without fields.
        """
        super().__init__()
        self._questions = questions

    def filter(self, message: Message) -> bool:
        """Return whether ``message`` answers one of the questions."""
        return question_of(message, self._questions) is not None


def question_of(message: Message, questions: Sequence[str]) -> str | None:
    """Return the question that ``message`` answers, or None.

    A message answers a question if the message is a reply to a bot's text that ends with the
    question, in any language.
    """
    asked = message.reply_to_message
    if asked is None or asked.from_user is None or not asked.from_user.is_bot:
        return None
    words = _comparable_text(asked.text or "")
    return next(
        (question for question in questions if words.endswith(_in_all_languages(question))), None
    )


def managed_chat_of_replied_page(message: Message) -> int | None:
    """Return the ID of the chat that a page manages, or None.

    The page is the message to which ``message`` replies. The ID is in the callback data of the
    first button of the page.
    """
    page = message.reply_to_message
    markup = page.reply_markup if page else None
    data = markup.inline_keyboard[0][0].callback_data if markup else None
    return split_off_chat_id(data)[0] if isinstance(data, str) else None


@cache
def _in_all_languages(question: str) -> tuple[str, ...]:
    return tuple(_comparable_text(plain(translator_for(code)(question))) for code in LANGUAGES)


def _comparable_text(text: str) -> str:
    """Return a text without the chat name in the first line and without direction marks."""
    return re.sub("^📣 .*\n|[\u200e\u200f\u2066-\u2069]", "", text).strip()
