"""Links that people paste: in texts and captions, hidden in words, forwarded or edited in."""

from datetime import timedelta

from telegram import Message, MessageOriginChannel, MessageOriginUser
from telegram.ext import filters

from bot.context import Context
from bot.domain import links
from bot.domain.albums import plan_albums
from bot.domain.command_words import Wanted
from bot.domain.errors import BotError, DatabaseUnavailableError
from bot.domain.links import Link
from bot.domain.sentences import N_, NN_
from bot.presentation.html import Safe, shorten
from handlers.card import card_page
from handlers.errors import say_refusal
from handlers.guard import on_message, record_later
from handlers.highlights import show_highlight
from handlers.profile_lists import UNREAD, WORD
from handlers.replies import say, show_working
from handlers.show import show_albums, show_profile_stories, story_from_media_url

LINKS_A_MESSAGE = 5
SERVED = {"story", "profile", "highlight", "media"}
EDITABLE = timedelta(days=2)  # Telegram lets people edit for so long

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


def unreadable_reply(wanted: Wanted, usage: str, context: Context) -> Safe:
    """Return the answer to a command whose words name no profile; ``usage`` is a message id."""
    t = context.t
    word, link = wanted.unread[0] if len(wanted.unread) == 1 else ("", None)
    if link is None or link.kind == "highlight":
        return t(usage)
    if "/" not in word:
        return Safe(f"{t(UNREAD, word=shorten(word, WORD))} {t(usage)}")
    return t(OTHER_KIND if link.kind == "unsupported" else NOT_OURS)


def links_of(message: Message, bot_name: str) -> list[Link]:
    """Return the links of a text or caption and its entities."""
    entities = [(e.type, e.url) for e in (*message.entities, *message.caption_entities)]
    return links.links_in_message(message.text or message.caption or "", entities, bot_name)


async def profile_shown_by(message: Message, context: Context) -> str | None:
    """Return the profile whose story, card or list entry a message of the bot shows.

    A story is known by its file. The caption and its links come second: stories hold links, too,
    and the name of the profile is the first link of a caption.
    """
    files = [*message.photo, message.video, message.animation, message.document]
    ids = [one.file_unique_id for one in files if one]
    if name := await context.services.viewer.profile_of_file(context.bot.id, ids):
        return name
    origin = message.forward_origin
    author = origin.sender_user if isinstance(origin, MessageOriginUser) else message.from_user
    if author is None or author.id != context.bot.id:
        return None
    entities = [(e.type, e.url) for e in (*message.entities, *message.caption_entities)]
    first = links.decisive_link(links.links_in_message("", entities))
    if first and first.username:
        return first.username
    bold = [message.parse_entity(one) for one in message.entities if one.type == one.BOLD]
    named = links.parse_argument(bold[0]) if bold else None  # it may have marks of direction
    return named.username if named else None


async def is_forward_of_our_post(message: Message, context: Context) -> bool:
    """Return whether it is a post of ours that somebody forwards from a channel.

    Posts of channels name no author (Bot API, MessageOriginChannel). Alerts are known by what was
    brought there, for three days.
    """
    origin = message.forward_origin
    if not isinstance(origin, MessageOriginChannel):
        return False
    return await context.services.past.is_alert(origin.chat.id, origin.message_id)


async def _serve_link(context: Context, link: Link) -> None:
    """Serve one link; its failure is told and does not stop the next.

    For a profile's page nothing is paid in a private chat before somebody says what is wanted; in
    groups nobody is asked.
    """
    try:
        if link.kind == "highlight":
            await show_highlight(context, link.highlight_id or "", story_id=link.story_id)
        elif link.is_page and context.is_private:
            await say(context, *await card_page(context, link.username or ""))
        elif link.kind == "profile":
            await show_profile_stories(context, link.username or "")
        else:
            async with show_working(context):
                if link.kind == "media":
                    story = story_from_media_url(link.url or "", context.now)
                else:
                    story = await context.services.viewer.story(link, context.asker)
                await show_albums(context, plan_albums([story]), has_more=True)
    except DatabaseUnavailableError:
        raise
    except BotError as error:
        await say_refusal(context, error)


class _HasLink(filters.MessageFilter):
    """Messages with links; the links become ``Context.links``, so a message is parsed once."""

    data_filter = True

    def filter(self, message: Message) -> dict[str, list[Link]] | None:
        """Return the links of a message, None if there is no link."""
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
async def serve_links(context: Context) -> None:
    """Serve the links of a new or an edited message in order; explain itself in private only.

    Which links were served is remembered, for when the message is edited: then come those beyond
    the limit, and the stories of a profile of which only the card was shown.
    """
    message = context.message
    if message is None:
        return
    pasted = context.links
    if await is_forward_of_our_post(message, context):
        return
    wanted = [link for link in pasted if link.kind in SERVED]
    if not wanted:
        verdict = links.decisive_link(pasted)
        if verdict and context.is_private:
            await say(context, context.t(NOT_OURS if verdict.kind == "rejected" else OTHER_KIND))
        return
    # Each photo of an album is a message of its own.
    key = ("links", message.chat.id, message.media_group_id or message.message_id)
    served = context.services.cache.get(key, now=context.now)
    before: dict[Link, bool] = dict(served) if isinstance(served, dict) else {}
    fresh = [one for one in wanted if one not in before or not (before[one] or one.is_page)]
    for link in fresh[:LINKS_A_MESSAGE]:
        await _serve_link(context, link)
        before[link] = not (link.is_page and context.is_private)
    await record_later(context, key, before, age=EDITABLE)
    if len(fresh) > LINKS_A_MESSAGE:
        await say(context, context.t(TOO_MANY, n=LINKS_A_MESSAGE))
