"""Messages without a command or a link: the bot answers in private chats.

Paid calls need a press of a button, a command in a caption, or an answer to a question. In groups,
only commands in captions and replies to the bot are handled.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from functools import partial

from telegram import Message
from telegram.ext import filters

from bot.context import Context
from bot.domain import talk
from bot.domain.command_words import Wanted, escape_names_as_arguments, parse
from bot.domain.common_words import is_common_word
from bot.domain.errors import UNKNOWN_COMMAND, BotError
from bot.domain.everyday_words import is_consent, is_unsure
from bot.domain.foreign_text import normalize_typed
from bot.domain.plain_requests import is_request_word, possible_names_in
from bot.domain.sentences import N_
from bot.presentation import actions
from bot.presentation.actions import Button, Buttons, button
from bot.presentation.html import Safe, code, truncate_plain
from bot.updates import unit_of_work
from handlers import (
    card,
    exchange,
    followed_accounts,
    highlights,
    settings,
    stories,
    subscriptions,
)
from handlers.choices import expected_command, run_or_offer_for_followed_names
from handlers.confirmation import (
    MANY,
    MEANT,
    ONE,
    offer_commands_for_names,
    offer_understood_command,
)
from handlers.errors import SAME_AGAIN, set_reaction
from handlers.guard import OBEYED, UNKNOWN_BUTTON, on_message, on_press
from handlers.help import help_page
from handlers.links import is_forward_of_our_post, username_shown_by
from handlers.options import SETTINGS
from handlers.plain_requests import (
    answer_request,
    is_other_request,
    keep_stored_or_example_names,
    known_names_in_short_text,
    react_if_only_thanks,
    run_why_if_asked,
)
from handlers.press_answers import UNCHANGED, PopUpText
from handlers.questions import (
    EXAMPLE_NAME,
    answer_if_cancellation,
    ask_again,
    filter_for_answers_to,
    question_of,
)
from handlers.repeats import NEW_MESSAGES, cache_after_commit, has_listing_file
from handlers.replies import WasAnswered, code_texts, say, say_message
from handlers.rights import COMMANDS, OWNER

# If a name is given, the answers of these commands replace the message whose button was pressed.
IN_PLACE = {"why", "rules", "unsubscribe"}
COMMAND_IN_CAPTION = r"^/[A-Za-z_]+(?:@\w+)?(?:\s|$)"
HEARD_SIGN = "👍"
ONCE_IN = timedelta(minutes=1)
_WORDS_OF_A_NAME = {2, 3}  # the numbers of words that can be the parts of one name
BUTTON = 24  # a phone shows this many characters of a button

MEANT_COMMAND = N_("Did you mean {command}?")
EXAMPLE = N_(
    "I bring you Instagram stories. Send me the name of a profile or a link to a story, or "
    "tap the example."
)
TAP = N_("To answer, tap a button under my message.")
# The name of the command /cancel. Every command, also /cancel, cancels the question of a settings
# page.
CANCEL = "cancel"

QUESTIONS = {
    stories.ASK: "stories",
    highlights.ASK: "highlights",
    subscriptions.ASK: "subscribe",
    subscriptions.FIRST: "subscribe",
}
"""The command of each question."""


@on_press(actions.RUN)
async def run_command(context: Context, word: str, name: str | None) -> PopUpText | None:
    """Run the command of a button, if the person has the right that the command needs.

    The costs are those of the command.

    Raises:
        BotError: The command is refused or fails.
    """
    if word not in OBEYED:
        return context.t.plain(UNKNOWN_BUTTON)
    context.args = escape_names_as_arguments([name], context.t.language) if name else []
    context.in_place = name is not None and word in IN_PLACE
    await OBEYED[word].check_right_and_run(context)
    return None


@on_message("a command as a caption", NEW_MESSAGES & filters.CaptionRegex(COMMAND_IN_CAPTION))
async def run_captioned_command(context: Context) -> None:
    """Run the command at the beginning of the caption of a photo or file.

    The costs are those of the command. A command for another bot is ignored. An unknown command is
    answered only in a private chat.

    Raises:
        BotError: The command is refused or fails, or the errors of
            ``_suggest_command_or_answer_request``.
    """
    caption = context.message.caption if context.message else None
    command = talk.split_command(normalize_typed(caption or ""))
    addressee = (caption or "").split()[0].partition("@")[2]
    if command is None or (addressee or context.bot.username).lower() != (
        context.bot.username.lower()
    ):
        return
    word, rest = command
    if word in OBEYED:
        context.args = rest.split()
        await OBEYED[word].check_right_and_run(context)
    elif context.is_private:
        await _suggest_command_or_answer_request(context, word, rest)


@on_message("an answer to our question", filter_for_answers_to(*QUESTIONS))
async def run_command_of_answered_question(context: Context) -> None:
    """Run the command of a question for the name in the answer, at the costs of the command.

    If the answer has several names or everyday words, send a button for 0 credits. After an
    unclear answer, the bot asks again.

    Raises:
        BotError: The command is refused or fails.
    """
    message = context.message
    question = question_of(message, list(QUESTIONS)) if message else None
    if message is None or question is None:
        return
    text = normalize_typed(message.text or "")
    language = context.t.language
    if await answer_if_cancellation(context, text, is_answer=True):
        return
    command = QUESTIONS[question]
    if talk.is_thanks_alone(text) and await react_if_only_thanks(context, text):
        return
    is_undecided = is_unsure(text, language)
    is_other = not is_undecided and is_other_request(context, text, {command})
    if is_other and await answer_request(context, text):
        return
    if is_undecided or talk.is_small_talk(text) or is_consent(text, language):
        await ask_again(context, question)
        return
    wanted = parse(
        text.split(),
        words=subscriptions.WORDS,
        takes_count=True,
        takes_channel=True,
        language=language,
        is_answer=True,
    )
    wanted = await _with_joined_name(context, text, wanted)
    is_several = command not in MANY and len(wanted.names) > 1
    if (wanted.everyday or is_several) and not talk.NO_NAMES.issuperset(wanted.names):
        await offer_understood_command(context, command, wanted)
        return
    is_more = wanted.unread or wanted.words or wanted.channel
    names = talk.names_listed_in(text if is_more else ", ".join(wanted.names), language)
    if names and command in MANY:
        await offer_commands_for_names(context, names, [command])
    # The answer is a sentence and not a list of names, so the question is repeated.
    elif wanted.everyday or len(wanted.names) + len(wanted.unread) > 1:
        await ask_again(context, question)
    else:
        context.args = text.split()
        await OBEYED[command].check_right_and_run(context)


@on_message(
    "what asks for nothing",
    filters.ChatType.PRIVATE
    & filters.UpdateType.MESSAGE
    & (filters.TEXT | filters.ATTACHMENT)
    & ~filters.StatusUpdate.ALL
    & ~filters.VIA_BOT,
)
async def answer_other_message(context: Context) -> None:
    """Answer a message that no other handler processes.

    Raises:
        BotError: The request in the message is refused or fails.
    """
    message = context.message
    if message is None:
        return
    text = normalize_typed(message.text or "")
    text_or_caption = text or normalize_typed(message.caption or "")
    if message.document and has_listing_file(message):
        await exchange.send_import_button_or_account_list(context, message, message.document)
    elif await _answer_if_expected(context, text):
        return
    elif command := talk.split_command(text):
        await _suggest_command_or_answer_request(context, *command)
    elif not await answer_if_cancellation(context, text):
        await _answer_words(context, text, text_or_caption)


async def _answer_words(context: Context, text: str, text_or_caption: str) -> None:
    """Answer a text without a slash. The first rule that applies determines the answer.

    No rule makes a paid call.

    Raises:
        BotError: The requested command is refused or fails.
    """
    if await react_if_only_thanks(context, text_or_caption):
        return
    if names := talk.names_listed_in(text_or_caption, context.t.language):
        await offer_commands_for_names(context, names)
    elif await _answer_place_or_request(context, text_or_caption):
        return
    # A reaction to a word of consent, such as "yes", would look like a confirmation.
    elif is_consent(text, context.t.language):
        await say_message(context, TAP)
    elif talk.is_small_talk(text_or_caption):
        await _react_or_give_example(context)
    elif name := talk.name_in(text_or_caption):
        await say(context, *await card.card_page(context, name))
    elif await _offer_names_between_words(context, text):
        return
    elif not await _answer_remark(context, text):
        await _react_or_give_example(context)


async def _answer_place_or_request(context: Context, text: str) -> WasAnswered:
    """Answer a statement such as "I live in Berlin", or a request.

    Return whether the text was answered.

    Raises:
        BotError: The requested command is refused or fails.
    """
    return await settings.offer_zone_of_place(context, text) or await answer_request(context, text)


async def _answer_remark(context: Context, text: str) -> WasAnswered:
    """Answer a text that names no profile and requests nothing.

    A reply to a story gets the card of the profile. A question gets the help. Return whether the
    text was answered.
    """
    language = context.t.language
    asked = context.replied_to
    if text and asked is not None and (name := await username_shown_by(asked, context)):
        await say(context, *await card.card_page(context, name, has_more=True))
    elif talk.is_about_bot(text, language) or talk.is_question(text, language):
        await say(context, *await help_page(context))
    else:
        return False
    return True


async def _answer_if_expected(context: Context, text: str) -> WasAnswered:
    """Answer a message that the bot expects. Return whether the message was answered.

    The bot expects a setting, a followed profile, or a search in the accounts of a file.

    Raises:
        RightsError: The errors of ``set_managed_chat`` for the chat of the page or list.
        BotError: The command of the question is refused or fails.
    """
    if await settings.set_setting_if_expected(context, text):
        return True
    if await _answer_choice_if_expected(context, text):
        return True
    return await followed_accounts.answer_search_if_expected(context, text)


async def _answer_choice_if_expected(context: Context, text: str) -> WasAnswered:
    """Answer a text that names the followed profiles for which a question has asked.

    The command of the question runs for these profiles, or is offered. Return whether the text was
    answered.

    Raises:
        BotError: The command of the question is refused or fails.
    """
    command = expected_command(context)
    if command is None or is_other_request(context, text, {command}):
        return False
    return await run_or_offer_for_followed_names(context, command, text)


async def _offer_names_between_words(context: Context, text: str) -> WasAnswered:
    """Offer actions for the profile names in a text. Return whether actions were offered.

    Stored names come first, then a single word that may be a name, then words that can be parts of
    one name.
    """
    language = context.t.language
    every = talk.words_that_may_be_names(text, language)
    names = [
        name
        for name in every
        if not (is_request_word(name, language) or is_common_word(name, language))
    ]
    known = await known_names_in_short_text(context, text)
    known = known or await keep_stored_or_example_names(context, possible_names_in(text, language))
    joined = talk.joined_name_in(text, language)
    if not joined:
        joined = next(iter(await _stored_joined_name(context, names)), None)
    if not known and talk.is_about_bot(text, language):
        return False
    if len(known) > 1:
        await offer_commands_for_names(context, known)
    elif known and await run_why_if_asked(context, text):
        return True
    elif known or len(names) == 1:
        await say(context, *await card.card_page(context, (known or names)[0]))
    elif joined and names:
        meant = button(joined, actions.RUN("stories", joined))
        await say_message(context, MEANT, [[meant]])
    else:
        return False
    return True


async def _with_joined_name(context: Context, text: str, wanted: Wanted) -> Wanted:
    """Return the arguments with several words replaced by the stored name that the words form.

    For example, "nat" and "geo" become "natgeo". The person must confirm the name.
    """
    joined = [] if "," in text else await _stored_joined_name(context, wanted.names)
    if not joined:
        return wanted
    return replace(wanted, names=tuple(joined), everyday=wanted.everyday or wanted.names)


async def _stored_joined_name(context: Context, names: Sequence[str]) -> list[str]:
    """Join two or three words, and return a list with the joined name if the name is stored.

    For example, return ["natgeo"] for "nat" and "geo". ``EXAMPLE_NAME`` counts as stored. In all
    other cases, return an empty list.
    """
    joined = "".join(names) if len(names) in _WORDS_OF_A_NAME else ""
    return await keep_stored_or_example_names(context, [joined]) if joined else []


@on_press(actions.RUN_FOR_MANY)
async def run_with_shown_arguments(
    context: Context, command: str, code_text_index: int | None
) -> PopUpText | None:
    """Run a command with arguments from the message whose button was pressed.

    The costs are those of the command. The arguments are texts in code format. ``code_text_index``
    selects the text with the whole command. If the message has no text in code format, return the
    text of a pop-up.

    Raises:
        BotError: The command is refused or fails.
    """
    shown = code_texts(context.message)
    if not shown:
        return context.t.plain(UNKNOWN_BUTTON)
    chosen = shown[code_text_index or 0 :]
    written = chosen[0].split() if chosen else []
    if written and written[0] == f"/{command}":
        context.args = written[1:]
    else:
        context.args = escape_names_as_arguments(shown, context.t.language)
    await OBEYED[command].check_right_and_run(context)
    return None


def example_button(context: Context) -> Buttons:
    """Return a button that shows the stories of an example profile."""
    text = truncate_plain(context.t.plain("Show {username}", username=EXAMPLE_NAME), BUTTON)
    return [[button(text, actions.RUN("stories", EXAMPLE_NAME))]]


def _main_page_buttons(context: Context) -> list[Button]:
    """Return the buttons of the subscriptions, the settings and the help."""
    return [
        subscriptions.subscriptions_list_button(context),
        context.button(N_("⚙️ Settings"), SETTINGS),
        context.button(N_("❓ Help"), actions.HELP()),
    ]


async def _suggest_command_or_answer_request(context: Context, word: str, rest: str) -> None:
    """Suggest the command that is similar to an unknown command.

    After /cancel, say that nothing has changed. If no command is similar, handle the text like a
    text without a command (``answer_request``).

    Raises:
        BotError: No command is similar, and the text requests nothing or the request fails.
    """
    if word == CANCEL:
        await say_message(context, UNCHANGED)
        return
    known = {name for name, command in COMMANDS.items() if command.right is not OWNER}
    meant = talk.command_meant(word, known)
    if meant is None:
        if await answer_request(context, f"{word} {rest}", is_command=True):
            return
        raise BotError(f"/{word}", text=UNKNOWN_COMMAND, command=code(f"/{word}"))
    wanted = parse(rest.split(), language=context.t.language)
    names = wanted.names
    if meant in ONE and len(names) > 1:
        await offer_understood_command(context, meant, wanted)
    elif COMMANDS[meant].accepts_name and len(names) == 1:
        run = button(f"/{meant} {names[0]}", actions.RUN(meant, names[0]))
        await say_message(context, MEANT, [[run]])
    else:
        await say_message(context, MEANT_COMMAND, command=Safe(f"/{meant}"))


async def _react_or_give_example(context: Context) -> None:
    """React to small talk. Answer other messages with an example and buttons, or with a shrug.

    If a message arrives within a minute after an example, the bot shrugs once. The photos of an
    album count as one message. A forwarded channel post of the bot gets no answer.
    """
    message = context.message
    cache = context.services.cache
    now = context.now
    chat_id = context.chat.id
    album = (chat_id, "album", message.media_group_id if message else None)
    if message is None or cache.get(album, now=now):
        return
    if await is_forward_of_our_post(message, context):
        return
    if talk.is_small_talk(normalize_typed(message.text or message.caption or "")):
        await unit_of_work.call_after_replies(partial(set_reaction, context, message, HEARD_SIGN))
        return
    is_shrug = cache.get((chat_id, "example"), now=now) == EXAMPLE
    if is_shrug:
        await unit_of_work.call_after_replies(partial(set_reaction, context, message, SAME_AGAIN))
    else:
        await say_message(
            context, EXAMPLE, [*example_button(context), _main_page_buttons(context)]
        )
    answer = SAME_AGAIN if is_shrug else EXAMPLE
    await cache_after_commit(context, (chat_id, "example"), answer, age=ONCE_IN)


class _RepliesToBot(filters.MessageFilter):
    """A filter that accepts the replies to a message of the bot."""

    def filter(self, message: Message) -> bool:
        """Return whether ``message`` replies to the bot.

        In a topic, a reply to the first message of the topic does not count.
        """
        asked = message.reply_to_message
        if asked is None or asked.from_user is None:
            return False
        # In a topic, every message is a reply to the first message of the topic, and the bot may
        # have written the first message.
        is_topic = message.is_topic_message and asked.message_id == message.message_thread_id
        return asked.from_user.id == message.get_bot().id and not is_topic


@on_message(
    "plain words to the bot",
    filters.ChatType.GROUPS
    & filters.UpdateType.MESSAGE
    & filters.TEXT
    & ~filters.COMMAND
    & ~filters.VIA_BOT
    & _RepliesToBot(),
)
async def answer_request_in_group(context: Context) -> None:
    """Answer a reply to the bot that is a request in plain words, and ignore other replies.

    A reply to a question for a followed profile can be a name. Thanks get a reaction.

    Raises:
        BotError: The requested command is refused or fails.
    """
    message = context.message
    if message is None or not message.text:
        return
    text = normalize_typed(message.text)
    if await react_if_only_thanks(context, text) or await _answer_choice_if_expected(
        context, text
    ):
        return
    await answer_request(context, text)
