"""Rules for a whole chat, such as ``/rules all only: #sale``.

The rules apply to all subscriptions of the chat that have no rules of their own.
"""

from datetime import datetime

from bot.context import Context
from bot.domain import story_terms
from bot.domain.options import Options
from bot.domain.sentences import N_, NN_
from bot.presentation.actions import CHAT_RULES, DANGER, PRIMARY, Buttons, Page, back_button
from bot.presentation.html import Safe, code
from handlers.guard import UNKNOWN_BUTTON, on_press
from handlers.options import OFF, RULES_OF_CHAT, SETTINGS, rule_lines
from handlers.press_answers import UNCHANGED, PopUpText
from handlers.replies import code_texts, edit_pressed, say

WHOLE_CHAT = "all"
COMMAND = f"/rules {WHOLE_CHAT}"
ALL = N_("You get alerts for all stories.")
DO_IT = N_("Do it")
HOW = N_(
    "<code>/rules all only: @nike</code> sets rules for all profiles of this chat that have no "
    "rules of their own. <code>/rules natgeo everything</code> lets one of them through."
)
APPLIES_TO = NN_(
    "This applies to {n} profile: you get no alerts for stories that these rules exclude.",
    "This applies to {n} profiles: you get no alerts for stories that these rules exclude.",
)


def rules_page(context: Context, hint: str = "") -> Page:
    """Return the page of the chat's rules. If the chat has rules, a button removes the rules.

    ``hint`` replaces the usage text below the rules.
    """
    lines = rule_lines(context.chat.rule_options, context)
    buttons: Buttons = [[back_button(context.t, SETTINGS)]]
    if lines:
        remove = context.button(N_("Remove all rules"), CHAT_RULES("off"), DANGER)
        buttons.insert(0, [remove])
    else:
        lines = [context.t(ALL)]
    text = [context.t(RULES_OF_CHAT), *lines, "", hint or context.t(HOW)]
    return "\n".join(text), buttons


async def save_rules_or_ask_to_confirm(context: Context, wanted: Options) -> None:
    """Save the rules ``wanted`` for the whole chat, ask for confirmation, or show unchanged rules.

    New rules that would apply to a subscription need a confirmation by a button. A removal of the
    rules needs no confirmation.
    """
    if wanted == context.chat.rule_options:
        await say(context, *rules_page(context, context.t(UNCHANGED)))
        return
    rows = await context.read_subscriptions()
    affected = {subscription.profile_id for subscription in rows if not subscription.options.rules}
    if not wanted.rules or not affected:
        await say(context, *await save_rules_and_get_page(context, wanted))
        return
    lines = [
        context.t(RULES_OF_CHAT),
        *rule_lines(wanted, context),
        "",
        context.t(APPLIES_TO, n=len(affected)),
        code(f"{COMMAND} {wanted.rules_text}"),
    ]
    await say(context, "\n".join(lines), [[context.button(DO_IT, CHAT_RULES("save"), PRIMARY)]])


async def save_rules_and_get_page(
    context: Context, wanted: Options, *, rules_undone_since: datetime | None = None
) -> Page:
    """Save rules of the whole chat, apply the rules to pending stories, and return the page.

    To undo a change, ``rules_undone_since`` is a time not after this change. In a chat with a
    payer, live stories that were excluded since this time can be sent again.
    """
    chat = context.chat
    services = context.services
    before = chat.rule_options
    context.chat = (
        await services.chats.store_columns_and_return_chat(chat.id, rules=wanted.to_json()) or chat
    )
    await services.subscriptions.reselect_deferred_and_reschedule(
        context.chat.id, rules_undone_since=rules_undone_since
    )
    commands = [code(f"{COMMAND} {rules.rules_text}") for rules in (before, wanted)]
    change = " → ".join(map(context.t.isolate, commands))
    text, rows = rules_page(context, Safe(change))
    return text, [[context.button(N_("↩️ Undo"), CHAT_RULES("undo"))], *rows]


@on_press(CHAT_RULES)
async def show_or_change_chat_rules(context: Context, action: str) -> PopUpText | None:
    """Show, save, remove or restore the rules of the whole chat.

    *Undo* works only if the chat still has the rules that the page shows as changed.
    """
    if action == "show":
        await edit_pressed(context, *rules_page(context))
        return None
    if action == OFF:
        await edit_pressed(context, *await save_rules_and_get_page(context, Options()))
        return None
    written = _rules_in_pressed_message(context)
    current = context.chat.rule_options
    # The page with *Undo* shows two commands. The first command has the rules from before the
    # change, and the second command has the changed rules. *Undo* is allowed only if the changed
    # rules are still the current rules.
    is_valid = len(written) == 1 if action == "save" else written[1:] == [current]
    if not is_valid:
        return context.t.plain(UNKNOWN_BUTTON)
    # If the change of the rules edited an older message, the date of the message is earlier than
    # the change. *Undo* still finds all stories that the rules have excluded since the change.
    rules_undone_since = context.message.date if context.message and action == "undo" else None
    await edit_pressed(
        context,
        *await save_rules_and_get_page(context, written[0], rules_undone_since=rules_undone_since),
    )
    return None


def _rules_in_pressed_message(context: Context) -> list[Options]:
    """Return the rules from the commands in the message whose button was pressed."""
    commands = [text for text in code_texts(context.message) if text.startswith(f"{COMMAND} ")]
    return [parse_chat_rules(command.removeprefix(COMMAND)) for command in commands]


def parse_chat_rules(text: str) -> Options:
    """Return the rules in a text, such as ``only: #sale``, as options.

    For the texts ``off`` and ``everything``, return options without rules.
    """
    text = text.strip().lower()
    is_off = text in {OFF, story_terms.EVERYTHING}
    parsed = story_terms.Rules() if is_off else story_terms.parse_rules(text)
    return Options(only=parsed.only, without=parsed.without)
