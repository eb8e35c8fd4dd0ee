"""/past NAME TERMS 7d: free searches in the stories that the bot has sent to a chat and kept."""

from bot.context import Context
from bot.domain import past_search
from bot.domain.errors import NotFollowedError, NothingKeptError
from bot.domain.model import FromNewest
from bot.domain.past_search import Search
from bot.domain.sentences import N_
from bot.presentation.actions import KEEP, OPTION, PAST, PRIMARY, Buttons
from bot.presentation.html import code
from handlers.guard import UNKNOWN_BUTTON, command, on_press
from handlers.options import ON, TOGGLES
from handlers.press_answers import PopUpText
from handlers.questions import TO_SHOW_PAST
from handlers.replies import code_texts, edit_pressed, say, say_message
from handlers.show import enqueue_story_albums, offer_alternatives_or_raise
from handlers.subscriptions import EMPTY, ask_which_profile, subscriptions_list_button

USAGE = N_(
    "Write it like this: /past <i>name</i>, or /past <i>name</i> 7d for the last seven days.\n"
    "To search, write what the stories must have: <code>/past #sale</code>, "
    "<code>/past place:paris 30d</code>, <code>/past nike.com</code>, "
    "<code>/past natgeo mention:@nike</code>."
)
EARLIER = N_("There are earlier ones, too.")
KEPT_FROM_NOW_ON = N_(
    "From now on I keep what I send here for 90 days. To see it again, write /past <i>name</i>, "
    "or search it, for example with <code>/past #sale</code>."
)
COMMAND = "/past"


@command("past", channel_after=1, usage=USAGE)
async def send_past_stories(context: Context) -> None:
    """Send kept stories again. Without a search, ask for a profile.

    The costs are those of ``_send_kept_stories_page``.

    Raises:
        BotError: The errors of ``_send_kept_stories_page``.
    """
    if not context.words_after_command:
        await ask_which_profile(context, TO_SHOW_PAST, "past", USAGE)
        return
    search = past_search.parse_search(context.words_after_command)
    if search is None:
        await say_message(context, USAGE)
    else:
        await _send_kept_stories_page(context, search)


@on_press(PAST)
async def send_earlier_stories(context: Context, before_story: str) -> PopUpText | None:
    """Send the stories of a search that are older than the story with the ID ``before_story``.

    The search is read from the message whose button was pressed. The costs are those of
    ``_send_kept_stories_page``.

    Raises:
        BotError: The errors of ``_send_kept_stories_page``.
    """
    for written in code_texts(context.message):
        word, *words = written.split()
        search = past_search.parse_search(words) if word == COMMAND else None
        if search is not None:
            await _send_kept_stories_page(context, search, before_story)
            return None
    return context.t.plain(UNKNOWN_BUTTON)


async def _send_kept_stories_page(
    context: Context, search: Search, before: str | FromNewest = None
) -> None:
    """Send a page of at most 30 stories that match a search, with a button for the next page.

    The search costs 0 credits. If Telegram refuses a file, the file of a live story may be bought
    for 1 credit.

    Raises:
        SubscriptionError: No kept story matches the search.
        NothingKeptError: The chat is a group or channel, and the explanation would have no button.
        NoPayerError: As in ``enqueue_story_albums``.
    """
    try:
        page = await context.services.past.find_page_and_store_file_ids(
            context.chat.id, context.bot.id, search, before=before
        )
    except NothingKeptError as error:
        username = error.fields.get("username")
        if username is None:
            await _offer_to_keep_future_stories(context, error)
            return
        rows = await _buttons_to_start_keeping_stories(context, str(username))
        await offer_alternatives_or_raise(context, error, rows)
        return
    is_last = page.more is None
    await enqueue_story_albums(
        context, list(page.albums), originals=page.originals, is_last=is_last
    )
    if not is_last:
        more = context.button(N_("Show earlier ones"), PAST(page.more))
        command_line = code(f"{COMMAND} {search.text}")
        await say(context, f"{context.t(EARLIER)}\n{command_line}", [[more]])


async def _buttons_to_start_keeping_stories(context: Context, username: str) -> Buttons:
    """Return a row with the button that starts to keep the stories of a profile.

    Return no row if all subscriptions to the profile keep stories, or if the chat has no
    subscription.
    """
    try:
        rows = await context.services.subscriptions.get_of_username(context.chat.id, username)
    except NotFollowedError:
        return []
    row = next((row for row in rows if not row.options.keep), None)
    if row is None:
        return []
    return [[context.button(TOGGLES["keep"], OPTION(row.id, "keep", ON), PRIMARY)]]


async def _offer_to_keep_future_stories(context: Context, error: NothingKeptError) -> None:
    """Answer a search in a chat that has no kept stories.

    If some subscriptions do not keep stories, the answer has a button that keeps all future
    stories.
    """
    rows = await context.read_subscriptions()
    if rows and all(subscription.options.keep for subscription in rows):
        await say_message(context, KEPT_FROM_NOW_ON)
    elif rows:
        keep = context.button(TOGGLES["keep"], KEEP(), PRIMARY)
        await say_message(context, error.msgid, [[keep]])
    else:
        await say_message(context, EMPTY)


@on_press(KEEP)
async def keep_stories_from_now_on(context: Context) -> None:
    """Keep the stories of all subscriptions of the chat, and of new subscriptions, for 90 days."""
    chat_id = context.chat.id
    services = context.services
    kept = {"keep": True}
    # To avoid deadlocks, the chat is locked before its queue, and the profiles are locked in
    # order.
    await services.chats.set_defaults_and_return_all(chat_id, kept)
    every = await services.subscriptions.all_of_chat(chat_id)
    for subscription in sorted(every, key=lambda subscription: subscription.profile_id):
        if not subscription.options.keep:
            await services.subscribing.set_options(chat_id, subscription.id, kept)
    await edit_pressed(
        context, context.t(KEPT_FROM_NOW_ON), [[subscriptions_list_button(context)]]
    )
