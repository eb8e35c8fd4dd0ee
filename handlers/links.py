"""Instagram links in messages: in texts, captions, linked words, forwards and edits."""

from collections.abc import Mapping, Sequence
from datetime import timedelta

from telegram import Message, MessageOriginChannel, MessageOriginUser
from telegram.ext import filters

from bot.context import Context
from bot.domain import links, talk
from bot.domain.albums import plan_albums
from bot.domain.command_words import Wanted, parse
from bot.domain.errors import DISAPPEARED, BotError, DatabaseUnavailableError, StoryGoneError
from bot.domain.foreign_text import normalize_typed
from bot.domain.links import Link
from bot.domain.plain_requests import request_in
from bot.domain.sentences import N_, NN_
from bot.presentation.actions import RUN, Buttons, button
from bot.presentation.buttons import subscribe_or_options_button
from bot.presentation.html import Safe, truncate_plain
from bot.presentation.html import link as html_link
from handlers.card import card_page
from handlers.choices import expected_command, run_or_offer_for_followed_names
from handlers.confirmation import (
    MANY,
    ONE,
    offer_commands_for_names,
    offer_understood_command,
)
from handlers.errors import send_error, translated_error_text
from handlers.guard import on_message
from handlers.highlights import fetch_and_enqueue_highlight
from handlers.profile_lists import UNREAD, WORD
from handlers.repeats import cache_after_commit
from handlers.replies import WasAnswered, say, say_message, show_working
from handlers.show import (
    enqueue_story_albums,
    fetch_and_enqueue_stories,
    story_from_media_url,
    subscription_id_of,
)

LINKS_A_MESSAGE = 5
# The label of a link ends with the last digits of the story ID. This is the number of digits. The
# digits distinguish the links of a message.
_DIGITS = 4
SERVED = {"story", "profile", "highlight", "media"}
# Telegram lets people edit a message for this time.
EDITABLE = timedelta(days=2)

NOT_OURS = N_(
    "I can't open this link. Send me a link to an Instagram story, or write /stories <i>name</i>."
)
OTHER_KIND = N_(
    "That's a different kind of Instagram link; I only show stories. To see "
    "someone's stories, write /stories <i>name</i>."
)
TOO_MANY = NN_(
    "I can open up to {n} link per message; please send the rest separately.",
    "I can open up to {n} links per message; please send the rest separately.",
)


def reply_to_unreadable_arguments(wanted: Wanted, usage: str, context: Context) -> Safe:
    """Return the reply to a command without a profile name. ``usage`` is a message id."""
    t = context.t
    if len(wanted.unread) != 1:
        return t(usage)
    word, link = wanted.unread[0]
    if link is None or link.kind == "highlight":
        return t(usage)
    if "/" not in word:
        return Safe(f"{t(UNREAD, word=truncate_plain(word, WORD))} {t(usage)}")
    return t(OTHER_KIND if link.kind == "unsupported" else NOT_OURS)


def links_of(message: Message, bot_name: str) -> list[Link]:
    """Return the links in the text or caption of a message, and in the message's entities.

    If the message begins with a command, the entities are ignored (``links.links_in_message``).
    """
    entities = [(e.type, e.url) for e in (*message.entities, *message.caption_entities)]
    return links.links_in_message(message.text or message.caption or "", entities, bot_name)


async def username_shown_by(message: Message, context: Context) -> str | None:
    """Return the profile of the story, card or list entry in a message, or None.

    The first rule that applies decides: the profile of a sent media file, the link, or the first
    bold text. The last two rules apply only to messages of the bot and to forwards of these
    messages.
    """
    files = [*message.photo, message.video, message.animation, message.document]
    ids = [file.file_unique_id for file in files if file]
    if name := await context.services.viewer.read_username_of_file(context.bot.id, ids):
        return name
    origin = message.forward_origin
    author = origin.sender_user if isinstance(origin, MessageOriginUser) else message.from_user
    if author is None or author.id != context.bot.id:
        return None
    entities = [(e.type, e.url) for e in (*message.entities, *message.caption_entities)]
    first = links.link_to_answer(links.links_in_message("", entities))
    if first and first.username:
        return first.username
    bold = [
        message.parse_entity(entity) for entity in message.entities if entity.type == entity.BOLD
    ]
    if not bold:
        return None
    # The bold text may have direction marks, which ``parse_username_or_link`` removes.
    named = links.parse_username_or_link(bold[0])
    return named.username if named else None


async def is_forward_of_our_post(message: Message, context: Context) -> bool:
    """Return whether a message is a forward of an alert or notice of the bot in a channel.

    Posts are recognised for about three days. Telegram does not name the author of a forwarded
    channel post (Bot API, MessageOriginChannel).
    """
    origin = message.forward_origin
    if not isinstance(origin, MessageOriginChannel):
        return False
    return await context.services.past.is_recent_alert(origin.chat.id, origin.message_id)


async def _fetch_and_serve_link(context: Context, link: Link) -> BotError | None:
    """Send the stories of a link, and return the error, if any.

    A profile usually costs 2 or 3 credits, and a story or highlight 1 credit. In a private chat, a
    profile page costs 0 credits. Each file that must be bought costs 1 credit.

    Raises:
        DatabaseUnavailableError: The database is unavailable.
    """
    try:
        if link.kind == "highlight":
            await fetch_and_enqueue_highlight(
                context, link.highlight_id or "", story_id=link.story_id
            )
        elif link.is_page and context.is_private:
            await say(context, *await card_page(context, link.username or ""))
        elif link.kind == "profile":
            await fetch_and_enqueue_stories(context, link.username or "")
        else:
            async with show_working(context):
                if link.kind == "media":
                    story = story_from_media_url(link.url or "", context.now)
                else:
                    story = await context.services.viewer.get_or_fetch_story(link, context.asker)
                await enqueue_story_albums(context, plan_albums([story]), has_more=True)
    except DatabaseUnavailableError:
        raise
    except BotError as error:
        return error
    return None


async def _send_failures(
    context: Context, failed: Sequence[tuple[Link, BotError]], *, is_one_link: bool
) -> None:
    """Send each different error message once.

    Unless ``is_one_link`` is True, a message lists the affected links, except links to media
    files.
    """
    by_sentence: dict[str, list[tuple[Link, BotError]]] = {}
    for link, error in failed:
        by_sentence.setdefault(translated_error_text(error, context), []).append((link, error))
    for together in by_sentence.values():
        pages = [link for link, _ in together if link.url and link.kind != "media"]
        named = "" if is_one_link else "".join(f"\n• {_link_text(page)}" for page in pages)
        names = {link.username for link, _ in together}
        error = together[0][1]
        buttons: Buttons = []
        if isinstance(error, StoryGoneError) and len(names) == 1:
            buttons = await _gone_story_buttons(context, names.pop() or "")
        if isinstance(error, StoryGoneError) and len(together) > 1:
            error = StoryGoneError(text=DISAPPEARED)
        await send_error(context, error, more=named, buttons=buttons)


def _link_text(link: Link) -> Safe:
    """Return a link with a short label: the profile and the last digits of the story ID.

    Without a profile, the label has the kind of the link.
    """
    name = link.username or link.kind
    shown = f"{name} …{link.story_id[-_DIGITS:]}" if link.story_id else name
    return html_link(link.url or "", shown)


async def _gone_story_buttons(context: Context, username: str) -> Buttons:
    """Return the buttons under the error message about a story that is gone.

    The buttons show all stories of the profile, and subscribe to the profile or open the options.
    Without a username, and in a channel, return no buttons.
    """
    if not username or context.is_channel:
        return []
    every = context.t.plain("All stories from {username}", username=username)
    follow = subscribe_or_options_button(
        username, context.t, await subscription_id_of(context, username)
    )
    return [[button(every, RUN("stories", username))], [follow]]


class _HasLink(filters.MessageFilter):
    """A filter for messages with links. The links are stored in ``Context.links``.

    The handler reads ``Context.links``, so that a message is parsed only once.
    """

    data_filter = True

    def filter(self, message: Message) -> dict[str, list[Link]] | None:
        """Return the links of a message, or None if the message has no link."""
        found = links_of(message, message.get_bot().username)
        return {"links": found} if found else None


@on_message(
    "a link",
    filters.UpdateType.MESSAGES
    & (filters.TEXT | filters.CAPTION)
    & ~filters.COMMAND
    & ~filters.VIA_BOT
    & _HasLink(),
)
async def fetch_and_serve_links(context: Context) -> None:
    """Send the stories of at most five links (``LINKS_A_MESSAGE``) of a message, in order.

    ``_fetch_and_serve_link`` describes the costs. After an edit of the message, only links that
    were not served in the last two days are served.

    Raises:
        DatabaseUnavailableError: The database is unavailable.
        BotError: The command of an answered question is refused or fails.
    """
    message = context.message
    if message is None:
        return
    pasted = context.links
    if await is_forward_of_our_post(message, context):
        return
    are_pages = all(link.is_page for link in pasted)
    command = expected_command(context) if are_pages else None
    if command and await run_or_offer_for_followed_names(context, command, message.text or ""):
        return
    if are_pages and await _offer_names_with_links(context, message.text or "", pasted):
        return
    wanted = [link for link in pasted if link.kind in SERVED]
    if not wanted:
        if context.is_private:
            await _send_card_or_explain_unserved(context, pasted)
        return
    # Telegram sends each photo of an album as a separate message. All photos of an album share one
    # cache key.
    key = ("links", message.chat.id, message.media_group_id or message.message_id)
    served = context.services.cache.get(key, now=context.now)
    before: dict[Link, bool] = dict(served) if isinstance(served, dict) else {}
    fresh = [link for link in wanted if not _is_answered_before_edit(link, before)]
    failed: list[tuple[Link, BotError]] = []
    for link in fresh[:LINKS_A_MESSAGE]:
        if error := await _fetch_and_serve_link(context, link):
            failed.append((link, error))
        before[link] = not (link.is_page and context.is_private)
    await _send_failures(context, failed, is_one_link=len(fresh) == 1)
    await cache_after_commit(context, key, before, age=EDITABLE)
    if len(fresh) > LINKS_A_MESSAGE:
        await say_message(context, TOO_MANY, n=LINKS_A_MESSAGE)


async def _offer_names_with_links(
    context: Context, text: str, pasted: Sequence[Link]
) -> WasAnswered:
    """Offer actions for the profiles in a text with links and other profile names.

    Return whether actions were offered. If the text has a command, only this command is offered.
    In a group or channel, nothing is offered.
    """
    language = context.t.language
    text = normalize_typed(text)
    request = request_in(text, language)
    names = talk.names_listed_in(text, language) or (request.names if request else ())
    if not context.is_private or not {link.username for link in pasted} < set(names):
        return False
    if request is None:
        await offer_commands_for_names(context, names)
    elif request.command in MANY:
        await offer_commands_for_names(context, names, [request.command])
    elif request.command in ONE:
        wanted = parse([f"@{name}" for name in names])
        await offer_understood_command(context, request.command, wanted)
    else:
        return False
    return True


def _is_answered_before_edit(link: Link, before: Mapping[Link, bool]) -> bool:
    """Return whether a link in an edited message was already answered before the edit.

    In ``before``, the value of a link is False if the answer was only the card of the profile.
    """
    if link not in before:
        return False
    return before[link] or link.is_page


async def _send_card_or_explain_unserved(context: Context, pasted: Sequence[Link]) -> None:
    """Send the card of the first profile that a link names.

    If no link names a profile, explain why no link is served.
    """
    named = next((link.username for link in pasted if link.username), None)
    verdict = links.link_to_answer(pasted)
    if named:
        await say(context, *await card_page(context, named))
    elif verdict:
        text = context.t(NOT_OURS if verdict.kind == "rejected" else OTHER_KIND)
        await say(context, text, [[context.button(N_("Choose a profile"), RUN("stories"))]])
