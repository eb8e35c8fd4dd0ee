"""/export and /import: the subscriptions of a chat as a JSON file."""

from collections.abc import Mapping, Sequence
from dataclasses import fields

from telegram import Document, Message
from telegram.error import BadRequest, TelegramError
from telegram.ext import filters

from bot.chats import import_export
from bot.chats.import_export import Import, ImportEntry
from bot.context import Context
from bot.domain.command_words import parse
from bot.domain.errors import AskAgainError, BotError, DatabaseUnavailableError, NotFollowedError
from bot.domain.options import Options
from bot.domain.records import Subscription
from bot.domain.sentences import N_, NN_
from bot.presentation.actions import IMPORT, PRIMARY, button
from bot.presentation.html import Safe, bold, shorten
from bot.sending.replies import document_payload
from bot.updates import unit_of_work
from handlers import chat_rules
from handlers.errors import refusal_buttons
from handlers.guard import HEARD, UNKNOWN_BUTTON, command, on_message, on_press
from handlers.options import changed_options, rule_lines
from handlers.profile_lists import WORD, failure_lines, fitting, names_in_bold
from handlers.replies import edit_pressed, enqueue_reply, say, show_working
from handlers.subscriptions import ALREADY, EMPTY, LATER, list_page

LISTED = N_("This file lists Instagram profiles. Do you want to subscribe to them here?")
HOW = N_(
    "Send me a file made by /export, with the caption <code>/import</code>. "
    "Or reply to such a file with /import."
)
NO_PROFILE = N_("{line}: not an Instagram profile")
OTHER_OPTIONS = N_("The file has other options for these subscriptions. Do you want to use them?")
USE_OPTIONS = N_("Use these options")
OTHER_RULES = N_("The file has other rules for the whole chat. Do you want to use them?")
OPTIONS, RULES = "options", "rules"
_MOST_SKIPPED = 10  # maximum number of unreadable entries in the answer


@command("export", channel_after=0)
async def send_export(context: Context) -> None:
    """Send the chat's subscriptions as a JSON file."""
    entries = await context.services.subscriptions.export_entries(context.chat.id)
    if not entries:
        await say(context, context.t(EMPTY))
        return
    caption = context.t.plain(
        N_(
            "To restore your subscriptions, send this file with the caption /import, here "
            "or in another chat."
        )
    )
    payload = document_payload(
        import_export.to_json(entries, context.chat.rule_options).decode(),
        "storybell.json",
        caption,
    )
    await enqueue_reply(context, context.reply_target, payload)


@command("import", channel_after=0)
async def import_file(context: Context) -> None:
    """Subscribe to the profiles in a file that is sent with the command or replied to."""
    sources = (context.message, context.replied_to)
    source = next((one for one in sources if one and one.document), None)
    if source is None:
        await say(context, context.t(HOW))
    else:
        await _subscribe_to_listed(context, source)


@on_message(
    "a file to import",
    HEARD & filters.Document.ALL & filters.CaptionRegex(r"^/import(@\w+)?(\s+[@-]\S+)?\s*$"),
)
async def import_captioned(context: Context) -> None:
    """Import a file that has the caption ``/import``."""
    caption = context.message.caption if context.message else None
    context.args = (caption or "").split()[1:]
    await import_file.run(context)


async def offer_import(context: Context, message: Message, source: Document) -> None:
    """Offer to import a file that was sent without the command; the button shows the count."""
    count = len((await _read_file(context, source)).entries)
    if not count:
        await say(context, context.t(import_export.UNREADABLE))
        return
    text = context.t.plain(NN_("Subscribe to {n} profile", "Subscribe to {n} profiles"), n=count)
    buttons = [[button(text, IMPORT(), PRIMARY)]]
    await say(context, context.t(LISTED), buttons, reply_to=message.message_id)


@on_press(IMPORT)
async def import_pressed(context: Context, what: str | None) -> str | None:
    """Import the file that the pressed message replies to, or apply its options or rules."""
    source = context.replied_to
    if source is None or source.document is None:
        return context.t.plain(UNKNOWN_BUTTON)
    if what == OPTIONS:
        await _use_options(context, source.document)
    elif what == RULES:
        wanted = (await _read_file(context, source.document)).rules
        await edit_pressed(context, *await chat_rules.save(context, wanted))
    else:
        await _subscribe_to_listed(context, source)
    return None


async def _read_file(context: Context, source: Document) -> Import:
    if (source.file_size or 0) > import_export.LARGEST:
        raise BotError("too large", text=import_export.UNREADABLE)
    try:
        file = await context.bot.get_file(source.file_id)
        data = bytes(await file.download_as_bytearray())
    except BadRequest as error:
        raise BotError(str(error), text=import_export.UNREADABLE) from error
    except TelegramError as error:
        raise AskAgainError(str(error)) from error
    return import_export.parse(data)


async def _subscribe_to_listed(context: Context, source: Message) -> None:
    """Subscribe to the profiles of a file; list the failures with reasons.

    The options of existing subscriptions stay unchanged until a button is pressed.
    """
    if source.document is None:
        return
    imported = await _read_file(context, source.document)
    done: list[str] = []
    there: list[tuple[Subscription, ImportEntry]] = []
    failed: list[tuple[str, BotError]] = []
    async with show_working(context):
        for entry in imported.entries:
            try:
                with unit_of_work.as_current(None):  # each subscription is committed
                    one = await context.services.subscribing.subscribe(
                        context.acted_on,
                        entry.username,
                        context.asker,
                        preferences=entry.preferences,
                    )
            except DatabaseUnavailableError:
                raise  # the update is retried, and the new subscriptions stay
            except BotError as error:
                failed.append((entry.username, error))
            else:
                if one.already:
                    there.append((one.subscription, entry))
                else:
                    done.append(entry.username)
    lines: list[str] = _result_lines(done, [one.username for one, _ in there], imported, context)
    if done and await context.services.subscriptions.find_obstacle() == "stopped":
        lines.append(context.t(LATER))
    lines += failure_lines(failed, parse([]), context)
    buttons = refusal_buttons([error for _, error in failed], context)
    await say(context, "\n".join(fitting(lines, context)), buttons)
    await _ask_about_options(there, source, context)
    await _ask_about_rules(imported, source, context)


def _result_lines(
    done: Sequence[str], there: Sequence[str], imported: Import, context: Context
) -> list[str]:
    """Return the lines on new subscriptions, existing subscriptions and unreadable entries."""
    t = context.t
    lines: list[str] = []
    if done or not there:
        text = NN_(
            "Subscribed to {n} profile from this file.",
            "Subscribed to {n} profiles from this file.",
        )
        lines.append(t(text, n=len(done)))
    if there:
        names = names_in_bold(there, context)
        inside = Safe(names.removeprefix("<b>").removesuffix("</b>"))
        lines.append(t(ALREADY, n=len(there), username=inside))
    if skipped := imported.skipped:
        shown = [shorten(line, WORD) for line in skipped[:_MOST_SKIPPED]]
        rest = len(skipped) - len(shown)
        more = f" (+{t.number(rest)})" if rest else ""
        lines.append(t(NO_PROFILE, line=Safe(f"{t.names(shown)}{more}")))
    return lines


async def _ask_about_options(
    there: Sequence[tuple[Subscription, ImportEntry]], source: Message, context: Context
) -> None:
    """Ask whether to apply the options in the file to existing subscriptions; list the changes."""
    lines: list[str] = []
    for one, entry in there:
        if entry.preferences and one.options != entry.preferences.options:
            wanted = entry.preferences.options
            changes = Safe(context.t.listed(changed_options(one.options, wanted, context)))
            lines.append(context.t.labelled(context.t.names([one.username], bold), changes))
    if lines and not context.is_channel:
        text = "\n".join(fitting([context.t(OTHER_OPTIONS), *lines], context))
        use = context.button(USE_OPTIONS, IMPORT(OPTIONS), PRIMARY)
        await say(context, text, [[use]], reply_to=source.message_id)


async def _ask_about_rules(imported: Import, source: Message, context: Context) -> None:
    """Ask whether to replace the rules of the whole chat by the rules in the file."""
    wanted = imported.rules
    if not wanted.rules or wanted == context.chat.rule_options or context.is_channel:
        return
    text = "\n".join([context.t(OTHER_RULES), *rule_lines(wanted, context)])
    use = context.button(chat_rules.DO_IT, IMPORT(RULES), PRIMARY)
    await say(context, text, [[use]], reply_to=source.message_id)


async def _use_options(context: Context, source: Document) -> None:
    """Apply the options in a file to existing subscriptions; show the list of subscriptions.

    A failure, such as too many fast subscriptions, is shown below the list and undoes no change.
    """
    failed: list[tuple[str, BotError]] = []
    for entry in (await _read_file(context, source)).entries:
        if entry.preferences is None:
            continue
        try:
            with unit_of_work.as_current(None):  # each change is committed
                await _use_options_of(context, entry.username, entry.preferences.options)
        except DatabaseUnavailableError:
            raise  # the update is retried
        except BotError as error:
            failed.append((entry.username, error))
    text, buttons = await list_page(context, 0)
    lines = fitting([text, *failure_lines(failed, parse([]), context)], context)
    await edit_pressed(context, Safe("\n".join(lines)), buttons)


async def _use_options_of(context: Context, username: str, options: Options) -> None:
    """Set the options of the subscription to a profile in this chat and topic, if any."""
    try:
        rows = await context.services.subscriptions.named(context.chat.id, username)
    except NotFollowedError:
        return
    for one in rows:
        if one.target == context.acted_on and one.options != options:
            change = context.services.subscribing.set_options
            await change(context.chat.id, one.id, _all_values(options))


def _all_values(options: Options) -> Mapping[str, object]:
    """Return the values of all options, defaults included, by name."""
    return {one.name: getattr(options, one.name) for one in fields(options)}
