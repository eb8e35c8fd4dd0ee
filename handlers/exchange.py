"""/export and /import: the subscriptions and the rules of a chat as a JSON file."""

from collections.abc import Mapping, Sequence
from dataclasses import fields

from telegram import Document, Message
from telegram.ext import filters

from bot.chats import import_export
from bot.chats.import_export import Import
from bot.context import Context
from bot.domain.command_words import parse
from bot.domain.errors import BotError, DatabaseUnavailableError, NotFollowedError
from bot.domain.options import Options
from bot.domain.records import Subscription
from bot.domain.sentences import N_, NN_
from bot.presentation.actions import IMPORT, PRIMARY, button
from bot.presentation.html import Safe, bold, paragraphs, plain, truncate_plain
from bot.sending.replies import document_payload
from bot.updates import unit_of_work
from handlers import chat_rules
from handlers.errors import payer_buttons_for_errors
from handlers.followed_accounts import (
    FROM_FILE,
    download_instagram_follows_or_export,
    send_accounts_and_expect_search,
    subscribe_each,
)
from handlers.guard import UNKNOWN_BUTTON, command, on_message, on_press
from handlers.options import changed_option_texts, rule_lines
from handlers.press_answers import UNCHANGED, PopUpText
from handlers.profile_lists import WORD, failure_lines, first_names_in_bold, lines_that_fit
from handlers.repeats import NEW_MESSAGES
from handlers.replies import (
    WasAnswered,
    edit_pressed,
    enqueue_reply,
    say,
    say_message,
    show_working,
)
from handlers.subscriptions import ALREADY, EMPTY, LATER, subscriptions_page

LISTED = N_("This file lists Instagram profiles. Do you want to subscribe to them here?")
HOW = N_(
    "Send me a file made by /export, with the caption <code>/import</code>. "
    "Or reply to such a file with /import."
)
BRING = N_(
    "<code>following.json</code> from your Instagram data works too: you then tap the profiles "
    "that you want."
)
RESTORE = N_(
    "To restore your subscriptions, send this file with the caption /import, here "
    "or in another chat."
)
NO_PROFILE = N_("{line}: not an Instagram profile")
OTHER_OPTIONS = N_("The file has other options for these subscriptions. Do you want to use them?")
USE_OPTIONS = N_("Use these options")
OTHER_RULES = N_("The file has other rules for the whole chat. Do you want to use them?")
OPTIONS, RULES = "options", "rules"
_MOST_SKIPPED = 10  # maximum number of unreadable entries in the answer


@command("export", channel_after=0)
async def send_export(context: Context) -> None:
    """Send the chat's subscriptions, and the rules of the whole chat, as a JSON file.

    A chat without subscriptions and rules gets a message instead of the file.
    """
    entries = await context.services.subscriptions.read_export_entries(context.chat.id)
    rules = context.chat.rule_options
    if not entries and not rules.rules:
        await say_message(context, EMPTY)
        return
    caption = RESTORE if entries else HOW
    payload = document_payload(
        import_export.export_to_json(entries, rules).decode(),
        "storybell.json",
        plain(context.t(caption)),
    )
    await enqueue_reply(context, context.reply_target, payload)


@command("import", channel_after=0)
async def import_subscriptions_from_file(context: Context) -> None:
    """Subscribe to the profiles in a file, and ask about the rules in the file.

    The file is in the message with the command, or in the replied message. Costs and errors are
    those of ``_download_and_subscribe_to_listed``.
    """
    sources = (context.message, context.replied_to)
    source = next((message for message in sources if message and message.document), None)
    if source is None:
        lines = [context.t(HOW), *([context.t(BRING)] if context.is_private else [])]
        await say(context, paragraphs(*lines))
    else:
        await _download_and_subscribe_to_listed(context, source)


@on_message(
    "a file to import",
    NEW_MESSAGES
    & filters.Document.ALL
    & filters.CaptionRegex(r"^/import(@\w+)?(\s+[@-]\S+)?\s*$"),
)
async def import_captioned_file(context: Context) -> None:
    """Import a file that has the caption ``/import``. The caption may also name another chat.

    Costs and errors are those of ``_download_and_subscribe_to_listed``. If the caption names a
    chat, the errors of ``set_managed_chat_from_words`` are added.
    """
    caption = context.message.caption if context.message else None
    context.args = (caption or "").split()[1:]
    await import_subscriptions_from_file.run(context)


async def send_import_button_or_account_list(
    context: Context, message: Message, source: Document
) -> None:
    """Answer a file that was sent without /import with an offer to import the file.

    The offer for a file of /export is a button. The offer for a list of followed accounts is the
    page to choose the accounts.

    Raises:
        BotError: The file has a different format, is too large, or is a list without accounts.
        RightsError: The file lists followed accounts, and the chat is not private.
        AskAgainError: Telegram does not answer.
    """
    imported = await download_instagram_follows_or_export(context, source)
    if isinstance(imported, list):
        await send_accounts_and_expect_search(context, imported, source, message.message_id)
        return
    if imported.has_rules_alone:
        await _ask_or_show_unchanged_rules(imported, message, context)
        return
    count = len(imported.entries)
    if not count:
        await say_message(context, import_export.UNREADABLE)
        return
    text = context.t.plain(NN_("Subscribe to {n} profile", "Subscribe to {n} profiles"), n=count)
    buttons = [[button(text, IMPORT(), PRIMARY)]]
    await say(context, context.t(LISTED), buttons, reply_to=message.message_id)


@on_press(IMPORT)
async def import_subscriptions_options_or_rules(
    context: Context, choice: str | None
) -> PopUpText | None:
    """Import the subscriptions, the options or the rules in a file, after a press of a button.

    ``choice`` is "options", "rules", or None for the subscriptions. Each subscription costs 0 to 3
    credits, or more if the API refuses the account.

    Raises:
        BotError: The errors of ``_download_and_subscribe_to_listed``, of
            ``_download_and_apply_options`` or of ``_download_export``.
    """
    source = context.replied_to
    if source is None or source.document is None:
        return context.t.plain(UNKNOWN_BUTTON)
    if choice == OPTIONS:
        await _download_and_apply_options(context, source.document)
    elif choice == RULES:
        wanted = (await _download_export(context, source.document)).rules
        await edit_pressed(context, *await chat_rules.save_rules_and_get_page(context, wanted))
    else:
        await _download_and_subscribe_to_listed(context, source)
    return None


async def _download_export(context: Context, source: Document) -> Import:
    """Return the content of a file of /export, or of a JSON list of names.

    Raises:
        BotError: The file has a different format, or is too large.
        AskAgainError: Telegram does not answer.
    """
    imported = await download_instagram_follows_or_export(context, source)
    if isinstance(imported, list):
        raise BotError("a list of accounts", text=import_export.UNREADABLE)
    return imported


async def _download_and_subscribe_to_listed(context: Context, source: Message) -> None:
    """Subscribe to the profiles in a file, and list the failures with reasons.

    Each profile costs 0 to 3 credits, or more if the API refuses the account. Each new
    subscription is committed at once.

    Raises:
        BotError: The file has a different format, is too large, or lists no accounts.
        RightsError: The file lists followed accounts, and the chat is not private.
        AskAgainError: Telegram does not answer.
        DatabaseUnavailableError: The database is unavailable. Earlier subscriptions stay.
    """
    if source.document is None:
        return
    imported = await download_instagram_follows_or_export(context, source.document)
    if isinstance(imported, list):
        await send_accounts_and_expect_search(
            context, imported, source.document, source.message_id
        )
        return
    if imported.has_rules_alone:
        await _ask_or_show_unchanged_rules(imported, source, context)
        return
    wanted = [(entry.username, entry.preferences) for entry in imported.entries]
    async with show_working(context):
        new_names, existing, failed = await subscribe_each(context, wanted)
    lines: list[str] = _result_lines(
        new_names, [subscription.username for subscription, _ in existing], imported, context
    )
    if new_names and await context.services.subscriptions.find_obstacle_to_checks() == "stopped":
        lines.append(context.t(LATER))
    lines += failure_lines(failed, parse([]), context)
    buttons = payer_buttons_for_errors([error for _, error in failed], context)
    await say(context, "\n".join(lines_that_fit(lines, context)), buttons)
    await _ask_to_apply_options(existing, imported, source, context)
    if not context.is_channel:
        await _ask_to_replace_rules_if_changed(imported, source, context)


def _result_lines(
    new_names: Sequence[str], existing: Sequence[str], imported: Import, context: Context
) -> list[str]:
    """Return the lines on new subscriptions, existing subscriptions and unreadable entries."""
    t = context.t
    lines: list[str] = []
    if new_names or not existing:
        lines.append(t(FROM_FILE, n=len(new_names)))
    if existing:
        names = first_names_in_bold(existing, context)
        inside = Safe(names.removeprefix("<b>").removesuffix("</b>"))
        lines.append(t(ALREADY, n=len(existing), username=inside))
    if skipped := imported.skipped:
        shown = [truncate_plain(line, WORD) for line in skipped[:_MOST_SKIPPED]]
        rest = len(skipped) - len(shown)
        more = f" (+{t.number(rest)})" if rest else ""
        lines.append(t(NO_PROFILE, line=Safe(f"{t.names(shown)}{more}")))
    return lines


async def _ask_to_apply_options(
    existing: Sequence[tuple[Subscription, str]],
    imported: Import,
    source: Message,
    context: Context,
) -> None:
    """Ask whether to apply the options in a file to existing subscriptions, and list the changes.

    Do nothing if the file changes no options, or if the chat is a channel.
    """
    lines: list[str] = []
    listed = {entry.username: entry.preferences for entry in imported.entries}
    for subscription, name in existing:
        preferences = listed[name]
        if preferences and subscription.options != preferences.options:
            wanted = preferences.options
            changes = Safe(
                context.t.listed(changed_option_texts(subscription.options, wanted, context))
            )
            lines.append(
                context.t.labelled(context.t.names([subscription.username], bold), changes)
            )
    if lines and not context.is_channel:
        text = "\n".join(lines_that_fit([context.t(OTHER_OPTIONS), *lines], context))
        use = context.button(USE_OPTIONS, IMPORT(OPTIONS), PRIMARY)
        await say(context, text, [[use]], reply_to=source.message_id)


async def _ask_or_show_unchanged_rules(
    imported: Import, source: Message, context: Context
) -> None:
    """Ask about the rules in a file, or show that the rules of the chat are unchanged.

    In a channel, the question names a command instead of a button.
    """
    if not await _ask_to_replace_rules_if_changed(imported, source, context):
        await say(context, *chat_rules.rules_page(context, context.t(UNCHANGED)))


async def _ask_to_replace_rules_if_changed(
    imported: Import, source: Message, context: Context
) -> WasAnswered:
    """Ask whether to replace the rules of the whole chat by the rules in a file.

    Return False, and ask nothing, if the file has no rules, or if the chat already has these
    rules.
    """
    wanted = imported.rules
    if not wanted.rules or wanted == context.chat.rule_options:
        return False
    text = "\n".join([context.t(OTHER_RULES), *rule_lines(wanted, context)])
    use = context.button(chat_rules.DO_IT, IMPORT(RULES), PRIMARY)
    await say(context, text, [[use]], reply_to=source.message_id)
    return True


async def _download_and_apply_options(context: Context, source: Document) -> None:
    """Apply the options in a file to existing subscriptions, and show the list of subscriptions.

    The change of each subscription is committed separately. Only subscriptions in the chat and
    topic of ``Context.command_target`` are changed.

    Raises:
        BotError: The file has a different format, or is too large.
        AskAgainError: Telegram does not answer.
        DatabaseUnavailableError: The database is unavailable. Earlier changes stay.
    """
    failed: list[tuple[str, BotError]] = []
    for entry in (await _download_export(context, source)).entries:
        if entry.preferences is None:
            continue
        try:
            with unit_of_work.with_current_unit(None):  # commit each change at once
                await _set_options_if_subscribed(
                    context, entry.username, entry.preferences.options
                )
        except DatabaseUnavailableError:
            raise  # the update is retried
        except BotError as error:
            failed.append((entry.username, error))
    text, buttons = await subscriptions_page(context, 0)
    lines = lines_that_fit([text, *failure_lines(failed, parse([]), context)], context)
    await edit_pressed(context, Safe("\n".join(lines)), buttons)


async def _set_options_if_subscribed(context: Context, username: str, options: Options) -> None:
    """Set the options of the chat's subscription to a profile, if the chat has a subscription.

    Only the subscription in the chat and topic of ``Context.command_target`` changes.

    Raises:
        TooManyFastError: The chat or the payer has the maximum number of fast subscriptions.
        NotFollowedError: The subscription ended in the meantime.
    """
    try:
        rows = await context.services.subscriptions.get_of_username(context.chat.id, username)
    except NotFollowedError:
        return
    for subscription in rows:
        if subscription.target == context.command_target and subscription.options != options:
            change = context.services.subscribing.set_options
            await change(context.chat.id, subscription.id, _values_by_option_name(options))


def _values_by_option_name(options: Options) -> Mapping[str, object]:
    """Return the values of all options by name. Options with default values are included."""
    return {field.name: getattr(options, field.name) for field in fields(options)}
