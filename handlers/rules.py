"""Filters for the stories of a profile that a chat gets.

``/rules NAME only: #sale not: video`` sets the rules of a subscription. ``/rules all`` sets the
rules of the whole chat (``handlers.chat_rules``).
"""

from collections.abc import Sequence

from bot.context import Context
from bot.domain import links, story_terms
from bot.domain.foreign_text import typed_words
from bot.domain.records import Subscription
from bot.domain.sentences import N_
from bot.presentation.actions import (
    CHAT_RULES,
    DANGER,
    OPTION,
    RUN_FOR_MANY,
    SUBSCRIPTION,
    Buttons,
    Page,
    back_button,
    button,
)
from bot.presentation.html import Safe, bold, code, foreign_html, paragraphs, truncate_plain
from handlers import chat_rules
from handlers.chat_rules import ALL, HOW, WHOLE_CHAT
from handlers.choices import store_expected_choice
from handlers.confirmation import MEANT
from handlers.guard import command
from handlers.options import (
    EVERYWHERE,
    MEDIA,
    OFF,
    RULES_OF_CHAT,
    change_options_of_profile,
    effective_rule_lines,
    option_changes_of_button,
    rule_lines,
)
from handlers.questions import EXAMPLE_NAME, TO_SHOW_RULES, command_buttons_of_subscriptions
from handlers.replies import say
from handlers.subscriptions import ask_which_profile

USAGE = N_(
    "Write it like this: <code>/rules natgeo only: #sale @nike nike.com not: video</code>\n"
    "Then you get only stories with <code>#sale</code>, <code>@nike</code> or "
    "<code>nike.com</code> in them, and no videos.\n"
    "You can use hashtags, names, websites, and the words photo, video, link, mention, hashtag, "
    "place, place:paris, sponsor and reshare. <code>/rules natgeo off</code> removes all rules."
)
FOR_WHOLE_CHAT = N_("For the whole chat")
TITLE = N_("<b>Rules for {username}</b>")
UNKNOWN = N_("I don't understand {words}.")
TOO_MUCH = N_("That's too much for one rule. Please leave out {words}.")
LONGEST_LIST = 200  # maximum characters of the listed words in an error message
LONGEST_TERM = 24  # a phone shows this many characters of a button


@command("rules", channel_after=1, takes_names=True, usage=USAGE)
async def show_or_change_rules(context: Context) -> None:
    """Show or change the rules of the chat's subscription to a profile, or of the whole chat.

    Raises:
        NotFollowedError: The chat has no subscription to the profile.
    """
    words = [word for argument in context.words_after_command for word in typed_words(argument)]
    if not words:
        await _ask_whose_rules(context)
        return
    text = " ".join(words[1:])
    username = _username_in(words[0])
    parsed = story_terms.parse_rules(text)
    # A label without terms, such as "only:", does not remove the rules, but gets the usage text.
    says_nothing = text and parsed == story_terms.Rules()
    is_whole_chat = words[0].lower() == WHOLE_CHAT
    argument = WHOLE_CHAT if is_whole_chat else _as_argument(username or EXAMPLE_NAME)
    if username is None or says_nothing:
        await say(context, _usage_with_example(context, argument))
    elif parsed.left_out and text.lower() != OFF:
        await _send_unreadable_words(context, argument, text, parsed.left_out)
    elif is_whole_chat and text:
        await chat_rules.save_rules_or_ask_to_confirm(context, chat_rules.parse_chat_rules(text))
    elif is_whole_chat:
        await say(context, *chat_rules.rules_page(context))
    else:
        await _change_and_show_rules(context, username, text, parsed)


def _username_in(word: str) -> str | None:
    """Return the username that a word names, or None."""
    link = links.parse_username_or_link(word)
    return link.username if link else None


def _as_argument(username: str) -> str:
    """Return the argument of /rules that names a profile. A profile called ``all`` gets an "@"."""
    return f"@{username}" if username == WHOLE_CHAT else username


async def _change_and_show_rules(
    context: Context, username: str, text: str, parsed: story_terms.Rules
) -> None:
    """Change the rules of a profile's subscription if ``text`` is given, and show the rules.

    Without a subscription in this topic, the change applies to the subscriptions in all topics.

    Raises:
        NotFollowedError: The chat has no subscription to the profile.
    """
    written: dict[str, object] = {"only": parsed.only, "without": parsed.without} if text else {}
    if text.lower() == OFF:
        written = option_changes_of_button("rules", OFF)
    changed = await change_options_of_profile(context, username, written)
    where = OFF if len(changed) == 1 else EVERYWHERE
    await say(context, *_rules_page(changed, context, where))


async def _ask_whose_rules(context: Context) -> None:
    """Ask whose rules to show: the rules of a followed profile, or the rules of the whole chat.

    A channel, and a chat without subscriptions, get the message of ``ask_which_profile``.
    """
    rows = await context.read_subscriptions()
    if not rows or context.is_channel:
        await ask_which_profile(context, TO_SHOW_RULES, "rules", USAGE)
        return
    lines = rule_lines(context.chat.rule_options, context)
    head = [context.t(RULES_OF_CHAT), *lines, ""] if lines else []
    whole = [context.button(FOR_WHOLE_CHAT, CHAT_RULES("show"))]
    buttons = [whole, *command_buttons_of_subscriptions(rows, "rules")]
    await say(context, "\n".join([*head, context.t(TO_SHOW_RULES)]), buttons)
    await store_expected_choice(context, "rules")


async def _send_unreadable_words(
    context: Context, argument: str, text: str, left_out: Sequence[str]
) -> None:
    """List the words that are not valid terms of a rule.

    If all words are valid terms, list the terms beyond the maximum length of the rule. For a
    single word that is not a term, suggest similar terms, except in a channel.
    """
    unknown = [word for word in left_out if not story_terms.is_term(word)]
    nearest = _terms_meant_by_word(unknown[0]) if len(unknown) == 1 else []
    if nearest and not context.is_channel:
        commands = [
            code(f"/rules {argument} {_replace_word(text, unknown[0], near_term)}")
            for near_term in nearest
        ]
        refusal = context.t(UNKNOWN, words=bold(foreign_html(unknown[0], rtl=context.t.is_rtl)))
        lines = [refusal, context.t(MEANT), *map(context.t.isolate, commands)]
        row = [button(near_term, RUN_FOR_MANY("rules", n)) for n, near_term in enumerate(nearest)]
        await say(context, "\n".join(lines), [row])
        return
    listed = truncate_plain(", ".join(unknown or left_out), LONGEST_LIST)
    refusal = context.t(UNKNOWN if unknown else TOO_MUCH, words=code(listed))
    await say(context, paragraphs(refusal, _usage_with_example(context, argument)))


def _terms_meant_by_word(word: str) -> list[str]:
    """Return the terms of a rule that a plain word may mean: a hashtag, a name or a place."""
    terms = [f"#{word}", f"@{word}", f"{story_terms.PLACE}{word}"]
    return [
        candidate
        for candidate in terms
        if len(candidate) <= LONGEST_TERM and story_terms.is_term(candidate)
    ]


def _replace_word(text: str, word: str, term: str) -> str:
    """Return the text of rules with ``word`` replaced by ``term``."""
    written = text.split()
    return " ".join(term if typed_word.lower() == word else typed_word for typed_word in written)


def _usage_with_example(context: Context, argument: str) -> Safe:
    """Return the usage text with ``argument`` in place of the profile in the example."""
    return Safe(context.t(USAGE).replace(EXAMPLE_NAME, argument))


def _rules_page(changed: list[Subscription], context: Context, where: str) -> Page:
    subscription = changed[0]
    t = context.t
    rules = effective_rule_lines(subscription.options, context)
    media = subscription.options.media
    every = t(ALL) if media == "all" else t.plain(MEDIA[media])
    argument = _as_argument(subscription.username)
    usage = _usage_with_example(context, argument)
    lines = [t(TITLE, username=subscription.username), *(rules or [every]), "", usage]
    lines.append(Safe(t(HOW).replace(EXAMPLE_NAME, argument)))
    rows: Buttons = []
    if subscription.options.rules:
        rows.append(
            [
                context.button(
                    N_("Remove all rules"), OPTION(subscription.id, "rules", where), DANGER
                )
            ]
        )
    return "\n".join(lines), [*rows, [back_button(t, SUBSCRIPTION(subscription.id))]]
