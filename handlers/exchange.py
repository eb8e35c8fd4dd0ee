"""/export and /import: a chat's subscriptions as a file that one can take along."""

from telegram import Document, Message
from telegram.error import BadRequest, TelegramError
from telegram.ext import filters

from bot.chats import import_export
from bot.chats.import_export import Import
from bot.context import Context
from bot.domain.errors import AskAgainError, BotError, DatabaseUnavailableError
from bot.domain.sentences import N_, NN_
from bot.presentation.actions import IMPORT, PRIMARY, button
from bot.sending.replies import document_payload
from bot.updates import unit_of_work
from handlers.errors import sentence_for
from handlers.guard import HEARD, UNKNOWN_BUTTON, command, on_message, on_press
from handlers.replies import enqueue_reply, say, show_working
from handlers.subscriptions import EMPTY

LISTED = N_("This file lists Instagram profiles. Do you want to subscribe to them here?")
LINES = 25  # of what was refused; more would not fit into a message
HOW = N_(
    "Send me a file made by /export, with the caption <code>/import</code>. "
    "Or reply to such a file with /import."
)


@command("export", channel_after=0)
async def send_export(context: Context) -> None:
    """Send the chat's subscriptions as a file of JSON."""
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
    payload = document_payload(import_export.to_json(entries).decode(), "storybell.json", caption)
    await enqueue_reply(context, context.reply_target, payload)


@command("import", channel_after=0)
async def import_file(context: Context) -> None:
    """Follow what a file lists, which comes with the command or is replied to by it."""
    sources = (context.message, context.replied_to)
    source = next((one.document for one in sources if one and one.document), None)
    if source is None:
        await say(context, context.t(HOW))
    else:
        await _subscribe_to_listed(context, source)


@on_message(
    "a file to import",
    HEARD & filters.Document.ALL & filters.CaptionRegex(r"^/import(@\w+)?(\s+[@-]\S+)?\s*$"),
)
async def import_captioned(context: Context) -> None:
    """Take a file that comes with ``/import`` as its caption."""
    caption = context.message.caption if context.message else None
    context.args = (caption or "").split()[1:]
    await import_file.run(context)


async def offer_import(context: Context, message: Message, source: Document) -> None:
    """Offer to import a file that came without the command; the button says how many it lists."""
    count = len((await _read_file(context, source)).entries)
    text = context.t.plain(NN_("Subscribe to {n} profile", "Subscribe to {n} profiles"), n=count)
    buttons = [[button(text, IMPORT(), PRIMARY)]]
    await say(context, context.t(LISTED), buttons, reply_to=message.message_id)


@on_press(IMPORT)
async def import_pressed(context: Context) -> str | None:
    """Import the file under which the button stands."""
    source = context.replied_to.document if context.replied_to else None
    if source is None:
        return context.t.plain(UNKNOWN_BUTTON)
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


async def _subscribe_to_listed(context: Context, source: Document) -> None:
    """Subscribe to what a file lists, and say why which lines of it can't be followed."""
    imported = await _read_file(context, source)
    done: list[str] = []
    refused: list[str] = [
        context.t(N_("{line}: not an Instagram profile"), line=x) for x in imported.skipped
    ]
    async with show_working(context):
        for entry in imported.entries:
            try:
                with unit_of_work.as_current(None):  # each is kept at once: the next asks the API
                    await context.services.subscribing.subscribe(
                        context.acted_on,
                        entry.username,
                        context.asker,
                        preferences=entry.preferences,
                    )
                done.append(entry.username)
            except DatabaseUnavailableError:
                raise  # all of the file is read again; who is followed already stays so
            except BotError as error:
                refused.append(sentence_for(error, context))
    text = context.t(
        NN_(
            "Subscribed to {n} profile from this file.",
            "Subscribed to {n} profiles from this file.",
        ),
        n=len(done),
    )
    lines = "\n".join(f"• {line}" for line in refused[:LINES])
    await say(context, f"{text}\n\n{lines}".strip())
