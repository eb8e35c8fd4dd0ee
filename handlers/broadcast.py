"""/broadcast: a message to all chats, after a look at it; with progress, and a button to stop."""

from datetime import timedelta

from telegram import Update

from bot.context import Context, user_of
from bot.domain.errors import N_, NN_
from bot.operations.broadcast import A_SECOND, stop_button, text_of
from bot.presentation.actions import BROADCAST, Buttons
from bot.presentation.html import Safe, length
from handlers.guard import Handler, command, pressed, replied_to
from handlers.replies import rewrite, say

LONGEST = 4096  # characters; Bot API, sendMessage
USAGE = N_(
    "Write /broadcast and your message after it, or reply to a message with /broadcast. I show it "
    "to you first. It goes to all people and groups that use me, not to channels."
)
TOO_LONG = N_("That message is too long: Telegram takes 4096 characters.")
IN_PRIVATE = N_("Please send me /broadcast in our private chat.")
SURE = NN_(
    "Send the message above to {n} chat? This will take about {time}, at {pace} a second.",
    "Send the message above to {n} chats? This will take about {time}, at {pace} a second.",
)
NOTHING = N_("Nothing was sent.")
OVER = N_("This was decided already.")


@command("broadcast")
async def broadcast(update: Update, context: Context) -> None:
    """Show the message as all would get it, and ask whether to send it."""
    where, admin = update.effective_chat, user_of(update)
    if where is None or where.type != where.PRIVATE or admin is None:
        await say(update, context, context.t(IN_PRIVATE))
        return
    text = _text(update)
    if not text:
        await say(update, context, context.t(USAGE))
        return
    if length(text) > LONGEST:
        await say(update, context, context.t(TOO_LONG))
        return
    number, count = await context.services.broadcasts.draft(text, admin)
    t = context.t
    sure = t(
        SURE,
        n=count,
        time=timedelta(seconds=max(1, count // A_SECOND)),
        pace=A_SECOND,
    )
    await say(update, context, Safe(text))
    send = context.button(N_("Send"), BROADCAST("send", number))
    no = context.button(N_("Don't send"), BROADCAST("no", number))
    await say(update, context, sure, [[send, no]])


@pressed(BROADCAST)
async def press(update: Update, context: Context, what: str, number: int) -> str | None:
    """Begin to send, or stop, or send nothing."""
    query, t = update.callback_query, context.t
    message_id = query.message.message_id if query and query.message else None
    broadcasts, left = context.services.broadcasts, 0
    buttons: Buttons = []
    if what == "send":
        one = await broadcasts.begin(number, message_id)
        buttons = stop_button(number, t)
    elif what == "stop":
        one, left = await broadcasts.stop(number)
    else:
        one = await broadcasts.discard(number)
    if one is None:
        return t.plain(OVER)
    if what == "no":
        await rewrite(update, context, t(NOTHING))
    else:
        await rewrite(update, context, text_of(one, left, t), buttons)
    return None


def _text(update: Update) -> str:
    """Return the HTML to send: the message that is replied to, else what follows the command."""
    message = update.effective_message
    asked = replied_to(message) if message else None
    if asked and asked.text:
        return asked.text_html
    words = message.text_html.split(maxsplit=1) if message and message.text else []
    return words[1] if len(words) > 1 else ""


def handlers() -> list[Handler]:
    """Return this module's handlers, in order."""
    return [broadcast.handler, press.handler]
