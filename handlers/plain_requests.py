"""Requests in plain words: the bot runs the command, or offers a button for the command.

Deletion, unsubscribing and paid calls always need a press of a button.
"""

from collections.abc import Collection, Sequence
from dataclasses import replace
from functools import partial

from bot.context import Context
from bot.domain import talk
from bot.domain.command_words import escape_names_as_arguments, parse
from bot.domain.everyday_words import has_word_meaning_all
from bot.domain.plain_requests import Request, request_in
from bot.domain.records import Subscription
from bot.domain.sentences import N_
from bot.presentation.actions import RUN, SETTING, Button, button
from bot.updates import unit_of_work
from handlers import card, stories, subscriptions
from handlers.confirmation import MEANT, offer_commands_for_names, offer_understood_command
from handlers.errors import set_reaction
from handlers.guard import OBEYED
from handlers.help import help_page
from handlers.links import username_shown_by
from handlers.options import MainPage, options_page
from handlers.options_of_all import options_of_all_page
from handlers.questions import EXAMPLE_NAME
from handlers.replies import WasAnswered, say, say_message

VIEWERS = N_("Profiles can't see who watches their stories here.")
CONTENT = N_(
    "I show the stories and highlights of public profiles. I can't show posts, reels, live videos "
    "or private profiles."
)
SEVERAL = N_("Yes. Write up to ten names at once, like this: <code>/subscribe natgeo nasa</code>")
DAYS = N_(
    "I can't choose days of the week. I can be quiet at certain hours of every day, or send one "
    "summary a day."
)
THANKED = "❤"
FACTS = {"viewers": VIEWERS, "content": CONTENT, "several": SEVERAL}
"""The subjects whose answer is a single sentence, with the answer."""
SHOWING = frozenset({"stories", "highlights", "subscribe"})
"""The commands whose purpose needs the name of a profile."""
MOST_OFFERED = 3  # at most this number of uncertain words get a button each
PRICE = N_("The bot is free for you: the bot's owner pays. /usage shows today's limit.")
PRICE_FOR_OWNER = N_(
    "You pay for the bot, as its owner; it's free for everyone else. /spending shows the costs."
)


async def react_if_only_thanks(context: Context, text: str) -> WasAnswered:
    """React to a message that only says thanks. Return whether the text is such a message.

    The reaction follows the replies.
    """
    message = context.message
    if message is None or not await _is_only_thanks(context, text):
        return False
    await unit_of_work.call_after_replies(partial(set_reaction, context, message, THANKED))
    return True


async def _is_only_thanks(context: Context, text: str) -> bool:
    """Return whether a text says thanks and requests nothing.

    The result is False for "send me natgeo, thanks" and for "natgeo, thanks", and True for "thanks
    for the natgeo stories".
    """
    if not talk.is_thanks(text):
        return False
    if talk.is_thanks_alone(text):
        return True
    request = request_in(text, context.t.language, is_group=not context.is_private)
    if request and not _is_part_of_thanks(request, text) and await is_for_bot(context, request):
        return False
    if talk.begins_with_thanks(text) or talk.is_thanks_for(text):
        return True
    return not ("@" in text or await known_names_in_short_text(context, text))


def _is_part_of_thanks(request: Request, text: str) -> bool:
    """Return whether the apparent request in a text is only the reason of thanks.

    Examples are "nice story, thanks", "thanks for the natgeo stories" and "thank you very much for
    your help".
    """
    has_reason = talk.is_thanks_for(text)
    if request.names:
        return has_reason and len(text.split()) <= talk.SHORT_THANKS
    return request.command in SHOWING or (has_reason and request.command == "help")


async def known_names_in_short_text(context: Context, text: str) -> list[str]:
    """Return the words of a text of two to four words that are stored profile names.

    ``EXAMPLE_NAME``, the profile in the examples of the bot's texts, counts as stored.
    """
    names = talk.words_that_may_be_names(text, context.t.language)
    return await keep_stored_or_example_names(context, names)


def is_other_request(context: Context, text: str, expected: Collection[str]) -> bool:
    """Return whether the answer to a question requests a command that is not in ``expected``.

    A request for stories, highlights or a subscription (``SHOWING``) counts only if the answer
    contains the name of a profile.
    """
    request = request_in(text, context.t.language, is_group=not context.is_private)
    if request is None or request.command in expected:
        return False
    return bool(request.names) or request.command not in SHOWING


async def answer_request(context: Context, text: str, *, is_command: bool = False) -> WasAnswered:
    """Answer a text that requests a command without a slash. Return whether the text is a request.

    With ``is_command``, the text is an unknown command without the slash, such as "hilfe".

    Raises:
        BotError: The requested command is refused or fails.
    """
    request = request_in(
        text, context.t.language, is_group=not context.is_private, is_command=is_command
    )
    if request is None or not await is_for_bot(context, request):
        return False
    if request.command == "privacy" and await _has_profile_name(context, request):
        request = replace(request, command="unsubscribe")
    if request.command == "pause" and request.names:
        await _show_pause_buttons(context, request)
        return True
    if await _answer_question_of_fact(context, request.command):
        return True
    if request.command == "unsubscribe":
        await _offer_to_unsubscribe(context, request, text)
    elif request.command == "why":
        await _send_profile_card_or_run_why(context, request)
    elif request.command == "options":
        await _show_options(context, request)
    elif request.names and request.command != "privacy":
        await _send_card_or_offer_or_run_for_names(context, request)
    else:
        await _run_without_names(context, request.command)
    return True


async def _answer_question_of_fact(context: Context, command: str) -> WasAnswered:
    """Answer a question whose answer needs no command, for example about the price of the bot.

    Return False, and answer nothing, if ``command`` is not the subject of such a question.
    """
    if command == "price":
        await say_message(context, PRICE_FOR_OWNER if context.is_owner else PRICE)
    elif command in FACTS:
        await say_message(context, FACTS[command])
    elif command == "days":
        await say_message(context, DAYS, [_quiet_hours_and_summary_buttons(context)])
    elif command == "pause":
        every = await context.services.subscriptions.all_of_chat(context.chat.id)
        await _show_options_of_chat(context, every, "when")
    elif command == "places":
        await say(context, *await help_page(context, "places"))
    else:
        return False
    return True


def _quiet_hours_and_summary_buttons(context: Context) -> list[Button]:
    """Return the buttons of the quiet hours and of the daily summary."""
    return [
        context.button(N_("🌙 Quiet hours"), SETTING("quiet")),
        context.button(N_("📰 Daily summary"), SETTING("digest")),
    ]


async def _show_options(context: Context, request: Request) -> None:
    """Show the options of a subscription or of the chat, or the card of the profile that is meant.

    An uncertain name can be an ordinary word, so the name counts only if the name is stored or is
    ``EXAMPLE_NAME``.
    """
    rows = await context.services.subscriptions.all_of_chat(context.chat.id)
    names = (
        request.names
        if request.is_list
        else await keep_stored_or_example_names(context, request.names)
    )
    named = [subscription for subscription in rows if [subscription.username] == [*names]]
    asked = context.replied_to
    shown = await username_shown_by(asked, context) if asked and not names else None
    if len(names) == 1 and len(named) != 1:
        await say(context, *await card.card_page(context, names[0]))
    elif shown:
        await say(context, *await card.card_page(context, shown, has_more=True))
    else:
        await _show_options_of_chat(context, named or rows)


async def _show_pause_buttons(context: Context, request: Request) -> None:
    """Show the buttons that pause a subscription, if a request names a single subscription.

    Otherwise, handle the request as a request to subscribe.
    """
    rows = await context.services.subscriptions.all_of_chat(context.chat.id)
    named = [subscription for subscription in rows if subscription.username in request.names]
    if len(named) == 1:
        await say(context, *options_page(named[0], context, "when"))
    else:
        await _send_card_or_offer_or_run_for_names(context, replace(request, command="subscribe"))


async def _show_options_of_chat(
    context: Context, rows: Sequence[Subscription], section: str | MainPage = None
) -> None:
    """Show the options of the subscriptions ``rows`` of a chat, or the list of subscriptions.

    For a single subscription, show the section ``section`` of its options.
    """
    if len(rows) == 1:
        await say(context, *options_page(rows[0], context, section))
    elif rows and not context.is_channel:
        await say(context, *options_of_all_page(rows, context))
    else:
        await _run_without_names(context, "subscriptions")


async def run_why_if_asked(context: Context, text: str) -> WasAnswered:
    """Explain the alerts of a profile if a text asks for a reason. Return whether the text asks.

    The text must contain the name of a stored profile.
    """
    request = request_in(text, context.t.language, has_known_name=True)
    if request is None or request.command != "why":
        return False
    await _send_profile_card_or_run_why(context, request)
    return True


async def _run_without_names(context: Context, command: str) -> None:
    """Run a command without names.

    The command "stories" in a reply to a story or card gets only the card of the profile, because
    the stories cost credits.

    Raises:
        BotError: The command is refused or fails.
    """
    context.args = []
    if command != "stories" or context.replied_to is None:
        await OBEYED[command].check_right_and_run(context)
    elif shown := await username_shown_by(context.replied_to, context):
        await say(context, *await card.card_page(context, shown))
    else:
        await stories.list_followed_with_live_stories(context)


async def is_for_bot(context: Context, request: Request) -> bool:
    """Return whether a text is a request to the bot. In a private chat, the result is always True.

    In a group, the names in a request must be certain (``Request.is_list``), or must all be names
    of stored profiles. The example profile counts as stored.
    """
    if context.is_private or not request.names or request.is_list:
        return True
    return set(await keep_stored_or_example_names(context, request.names)) == set(request.names)


async def keep_stored_or_example_names(context: Context, names: Sequence[str]) -> list[str]:
    """Return the given names that are stored profile names or ``EXAMPLE_NAME``, in order."""
    stored = await context.services.subscriptions.names_of_stored_profiles(names)
    return [name for name in names if name in stored or name == EXAMPLE_NAME]


async def _has_profile_name(context: Context, request: Request) -> bool:
    """Return whether a request to delete data names a profile, as in "delete account natgeo".

    If some names are uncertain (``Request.is_list`` is False), one of the names must be a stored
    name.
    """
    if request.is_list:
        return True
    return bool(await context.services.subscriptions.names_of_stored_profiles(request.names))


async def _offer_to_unsubscribe(context: Context, request: Request, text: str) -> None:
    """Offer to end the subscriptions that a request means, or ask which subscriptions to end."""
    rows = await context.read_subscriptions()
    named = await _followed_names_meant(context, request, rows)
    is_unnamed = not request.names
    if named and not (is_unnamed and has_word_meaning_all(text, context.t.language)):
        await offer_understood_command(
            context, "unsubscribe", parse([f"@{name}" for name in named])
        )
    elif rows:
        await subscriptions.ask_which_to_stop(context, rows)
    else:
        await say_message(context, subscriptions.EMPTY)


async def _send_profile_card_or_run_why(context: Context, request: Request) -> None:
    """Run /why for the only subscribed profile that a request means, or send a profile's card.

    If the profile is unclear, the command asks for a profile.

    Raises:
        BotError: The command /why is refused or fails.
    """
    rows = await context.read_subscriptions()
    named = await _followed_names_meant(context, request, rows)
    known = [] if named else await keep_stored_or_example_names(context, request.names)
    if len(known) == 1:
        await say(context, *await card.card_page(context, known[0]))
        return
    context.args = escape_names_as_arguments(named, context.t.language) if len(named) == 1 else []
    await OBEYED["why"].check_right_and_run(context)


async def _followed_names_meant(
    context: Context, request: Request, rows: Sequence[Subscription]
) -> list[str]:
    """Return the subscribed profiles that a request names.

    If the request has no name and replies to a message, the request means the profile of that
    message (``username_shown_by``).
    """
    names = list(request.names)
    if not names and context.replied_to is not None:
        shown = await username_shown_by(context.replied_to, context)
        names = [shown] if shown else []
    followed = {subscription.username for subscription in rows}
    return [name for name in names if name in followed]


async def _send_card_or_offer_or_run_for_names(context: Context, request: Request) -> None:
    """Answer a request with names. The first rule that applies determines the answer.

    Unless ``request.is_list`` or ``request.is_joined`` is True, some of the names may be other
    words. If such uncertain names include stored profiles, all other names are ignored.
    """
    is_certain = request.is_list or request.is_joined
    known = await keep_stored_or_example_names(context, request.names)
    names = list(request.names) if is_certain else known or list(request.names)
    if len(names) == 1:
        await say(context, *await card.card_page(context, names[0]))
    elif not (is_certain or known):
        await _offer_each_or_run_without_names(context, request)
    elif request.command == "subscribe" and await _are_all_followed(context, names):
        await _run_without_names(context, "subscriptions")
    elif request.command in {"stories", "subscribe"}:
        await offer_commands_for_names(context, names, [request.command])
    else:
        await offer_understood_command(
            context, request.command, parse([f"@{name}" for name in names])
        )


async def _are_all_followed(context: Context, names: Sequence[str]) -> bool:
    """Return whether the chat or topic of the context has subscriptions to all profiles."""
    rows = await context.read_subscriptions()
    followed = {row.username for row in rows if row.target == context.command_target}
    return followed.issuperset(names)


async def _offer_each_or_run_without_names(context: Context, request: Request) -> None:
    """Offer the command for each of at most three words as a button.

    For more words, run the command without names (``_run_without_names``).
    """
    if len(request.names) > MOST_OFFERED:
        await _run_without_names(context, request.command)
        return
    command = request.command
    each = [button(f"/{command} {name}", RUN(command, name)) for name in request.names]
    await say_message(context, MEANT, [[choice] for choice in each])
