"""/broadcast: a message to all private chats and groups, with a preview and a *Stop* button."""

from datetime import timedelta

from bot.context import Context
from bot.domain.errors import CHAT_UNKNOWN, RightsError
from bot.domain.sentences import N_, NN_
from bot.operations.broadcast import A_SECOND, progress_text, stop_button
from bot.presentation.actions import BROADCAST, PRIMARY, Buttons
from bot.presentation.html import Safe, visible_length
from handlers.guard import command, on_press
from handlers.press_answers import PopUpText
from handlers.replies import edit_pressed, say, say_message

LONGEST = 4096  # maximum characters of a broadcast; Bot API, sendMessage
USAGE = N_(
    "Write your message after /broadcast, or reply to a message with "
    "/broadcast. I'll show it to you first. Once you confirm, I'll send it to all people and "
    "groups that use the bot, but not to channels."
)
TOO_LONG = N_("That message is too long: Telegram allows up to 4096 characters.")
SURE = NN_(
    "Send the message above to {n} chat? This will take about {time}, at {speed} a second.",
    "Send the message above to {n} chats? This will take about {time}, at {speed} a second.",
)
NOTHING = N_("Nothing was sent.")
OVER = N_("This has already been decided.")


@command("broadcast", only_in_private=True)
async def store_and_preview_broadcast(context: Context) -> None:
    """Store a draft of the broadcast, show a preview, and ask for confirmation.

    Without a text, or if the text has more than 4,096 characters, no draft is stored.

    Raises:
        RightsError: The update names no person.
    """
    owner = context.user_id
    if owner is None:
        raise RightsError(text=CHAT_UNKNOWN)
    text = _broadcast_html(context)
    if not text:
        await say_message(context, USAGE)
        return
    if visible_length(text) > LONGEST:
        await say_message(context, TOO_LONG)
        return
    number, count = await context.services.broadcasts.add_draft_and_count_recipients(text, owner)
    t = context.t
    sure = t(
        SURE,
        n=count,
        time=timedelta(seconds=max(1, count // A_SECOND)),
        speed=A_SECOND,
    )
    await say(context, Safe(text))
    send = context.button(N_("Send"), BROADCAST("send", number), PRIMARY)
    no = context.button(N_("Don't send"), BROADCAST("no", number))
    await say(context, sure, [[send, no]])


@on_press(BROADCAST)
async def start_stop_or_discard_broadcast(
    context: Context, action: str, broadcast_id: int
) -> PopUpText | None:
    """Start, stop or discard a broadcast. If this is no longer possible, return a notice."""
    query = context.query
    t = context.t
    message_id = query.message.message_id if query and query.message else None
    broadcasts = context.services.broadcasts
    buttons: Buttons = []
    if action == "send":
        broadcast = await broadcasts.begin(broadcast_id, message_id)
        buttons = stop_button(broadcast_id, t)
    elif action == "stop":
        broadcast = await broadcasts.stop(broadcast_id)
    else:
        broadcast = await broadcasts.discard(broadcast_id)
    if broadcast is None:
        return t.plain(OVER)
    if action == "no":
        await edit_pressed(context, t(NOTHING))
    else:
        await edit_pressed(context, progress_text(broadcast, t), buttons)
    return None


def _broadcast_html(context: Context) -> str:
    """Return the HTML of the message to broadcast.

    A replied message with text is broadcast instead of the text after the command.
    """
    message = context.message
    asked = context.replied_to
    if asked and asked.text:
        return asked.text_html
    words = message.text_html.split(maxsplit=1) if message and message.text else []
    return words[1] if len(words) > 1 else ""
