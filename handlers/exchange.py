"""/export and /import: a chat's subscriptions as a file that one can take along."""

from telegram import Update
from telegram.error import BadRequest, TelegramError
from telegram.ext import filters

from bot.chats import import_export
from bot.chats.import_export import ImportEntry
from bot.context import Context, asker_of, target_of
from bot.domain.errors import N_, NN_, AskAgainError, BotError, DatabaseUnavailableError
from bot.domain.model import Target
from bot.sending.replies import document_of
from bot.updates import unit_of_work
from handlers.errors import sentence_for
from handlers.guard import HEARD, Handler, command, heard, replied_to
from handlers.replies import enqueue_reply, say, working
from handlers.subscriptions import EMPTY

LINES = 25  # of what was refused; more would not fit into a message
HOW = N_(
    "Send me a file made by /export, with the caption <code>/import</code>. "
    "Or reply to such a file with /import."
)


@command("export", channel_after=0)
async def export(update: Update, context: Context) -> None:
    """Send the chat's subscriptions as a file of JSON."""
    entries = await context.services.subscriptions.entries(context.chat.id)
    if not entries:
        await say(update, context, context.t(EMPTY))
        return
    data = import_export.to_json(entries).decode()
    caption = context.t.plain(
        N_(
            "To restore your subscriptions, send this file with the caption /import, here "
            "or in another chat."
        )
    )
    await enqueue_reply(context, target_of(update), document_of(data, "storybell.json", caption))


@command("import")
async def take_file(update: Update, context: Context) -> None:
    """Follow what a file lists; each line that can't be is named with its reason."""
    message = update.effective_message
    source = message.document if message else None
    asked = replied_to(message) if message else None
    if source is None and asked:
        source = asked.document
    if source is None:
        await say(update, context, context.t(HOW))
        return
    if (source.file_size or 0) > import_export.LARGEST:
        raise import_export.BadFileError("too large")
    try:
        file = await context.bot.get_file(source.file_id)
        data = bytes(await file.download_as_bytearray())
    except BadRequest as error:
        raise import_export.BadFileError(str(error)) from error
    except TelegramError as error:
        raise AskAgainError(str(error)) from error
    imported = import_export.read(data)
    sentence = context.t(N_("Reading the file…"))
    done: list[str] = []
    refused: list[str] = [
        context.t(N_("{line}: not an Instagram profile"), line=x) for x in imported.skipped
    ]
    async with working(update, context, sentence):
        for entry in imported.entries:
            try:
                with unit_of_work.active(None):  # each is kept at once: the next asks the API
                    await _follow(update, context, entry)
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
    await say(update, context, f"{text}\n\n{lines}".strip())


@heard(
    "a file to import",
    HEARD & filters.Document.ALL & filters.CaptionRegex(r"^/import(@\w+)?\s*$"),
)
async def file_with_caption(update: Update, context: Context) -> None:
    """Take a file that comes with ``/import`` as its caption."""
    await take_file.run(update, context)


async def _follow(update: Update, context: Context, entry: ImportEntry) -> None:
    here = target_of(update)
    await context.services.subscriptions.subscribe(
        Target(here.chat_id, here.thread_id),
        entry.username,
        asker_of(update, context),
        preferences=entry.preferences,
    )


def handlers() -> list[Handler]:
    """Return this module's handlers, in order."""
    return [export.handler, take_file.handler, file_with_caption.handler]
