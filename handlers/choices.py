"""Typed answers to the questions that have a button for each followed profile.

An answer is a reply to the question or, in a private chat, the next message with the name of a
profile within five minutes.
"""

from collections.abc import Sequence

from bot.context import Context
from bot.domain.command_words import escape_names_as_arguments, parse
from bot.domain.everyday_words import FILLERS, is_connective, is_everyday_word, normalize_word
from bot.domain.foreign_text import main_part_beside_apostrophe, normalize_typed, typed_words
from bot.domain.links import parse_profile_username
from bot.domain.plain_requests import excludes_names
from handlers.confirmation import offer_understood_command
from handlers.guard import OBEYED
from handlers.options import EXPECTED
from handlers.questions import CHOICES, managed_chat_of_replied_page, question_of
from handlers.replies import WasAnswered

_ONE = frozenset({"one", "ones", "profile", "account"})
"""The words that people write beside a name, as in "the natgeo one"."""


async def store_expected_choice(context: Context, command: str) -> None:
    """Record that the next plain message of a private chat may name a profile for ``command``.

    The record expires after five minutes. A question about a managed chat is not recorded.
    """
    if context.about is None:
        await context.set_question({"command": command}, valid_for=EXPECTED)


def expected_command(context: Context) -> str | None:
    """Return the command of the question that a message can answer, or None."""
    message = context.message
    asked = question_of(message, list(CHOICES)) if message else None
    if message and asked:
        return None if managed_chat_of_replied_page(message) else CHOICES[asked]
    match context.question:
        case {"command": str(command)}:
            return command
        case _:
            return None


async def run_or_offer_for_followed_names(
    context: Context, command: str, text: str
) -> WasAnswered:
    """Run or offer ``command`` for the followed profiles that a text names.

    Return whether the text was answered. A text with any word besides names and words such as
    "please" is not answered. The command /unsubscribe is only offered.

    Raises:
        BotError: The command is refused or fails.
    """
    names = await _followed_names_if_no_other_words(context, normalize_typed(text))
    if not names:
        return False
    wanted = parse([f"@{name}" for name in names])
    # If the text has more than ten names, the bot asks for the other names. The question therefore
    # stays open.
    if not wanted.left_out:
        await context.set_question(None)
    if command == "unsubscribe" or len(names) > 1:
        await offer_understood_command(context, command, wanted)
    else:
        context.args = escape_names_as_arguments(names, context.t.language)
        await OBEYED[command].check_right_and_run(context)
    return True


async def _followed_names_if_no_other_words(context: Context, text: str) -> Sequence[str]:
    """Return the followed profiles in a text of names and words such as "please" or "and".

    If the text has any other word, return an empty list.
    """
    language = context.t.language
    followed = {subscription.username for subscription in await context.read_subscriptions()}
    names: dict[str, None] = {}
    for word in typed_words(text.replace(",", " ").replace(";", " ")):
        if name := _followed_name(word, followed):
            names.setdefault(name)
        elif not _may_stand_beside_name(word, language):
            return []
    return list(names)


def _followed_name(word: str, followed: set[str]) -> str | None:
    for part in (word, main_part_beside_apostrophe(word)):
        username = parse_profile_username(part)
        if username in followed:
            return username
    return None


def _may_stand_beside_name(word: str, language: str) -> bool:
    if excludes_names(word, language):  # such as "but" in "all but natgeo"
        return False
    plain = normalize_word(word)
    is_polite = not plain or plain in FILLERS or plain in _ONE
    return is_polite or is_connective(word, language) or is_everyday_word(word, language)
