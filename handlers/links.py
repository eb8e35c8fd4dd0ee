"""Links that people paste: in texts and captions, hidden in words, forwarded or edited in."""

from collections import OrderedDict

from telegram import Chat, Message, MessageOriginChannel, Update
from telegram.ext import filters

from bot.context import Context, asker_of
from bot.domain import links
from bot.domain.albums import plan
from bot.domain.errors import N_, BotError, DatabaseUnavailableError
from bot.domain.links import Link
from bot.domain.model import Asker
from bot.domain.wanted import Wanted
from bot.presentation.html import Safe, shorten
from handlers.card import card
from handlers.errors import refuse
from handlers.guard import Handler, heard
from handlers.highlights import show_highlight
from handlers.replies import say, working
from handlers.several import UNREAD, WORD
from handlers.show import media_story, show, show_profile

LINKS_A_MESSAGE = 5
SERVED = {"story", "profile", "highlight", "media"}
REMEMBERED = 2000

NOT_OURS = N_(
    "I can't open this link. Send me a link to an Instagram story, or write /stories <i>name</i>."
)
OTHER_KIND = N_(
    "That's a different kind of Instagram link; I only show stories. To see "
    "someone's stories, write /stories <i>name</i>."
)
TOO_MANY = N_("I open up to {limit} links per message; please send the rest separately.")


def unreadable(wanted: Wanted, usage: str, context: Context) -> Safe:
    """Return what is said of a command whose words name no profile; ``usage`` is a message id."""
    t = context.t
    word, link = wanted.unread[0] if len(wanted.unread) == 1 else ("", None)
    if link is None:
        return t(usage)
    if "/" not in word:
        return Safe(f"{t(UNREAD, word=shorten(word, WORD))} {t(usage)}")
    return t(OTHER_KIND if link.kind in {"unsupported", "highlight"} else NOT_OURS)


class Answered:
    """Remembers which links of a message were served, for when the message is edited."""

    def __init__(self) -> None:
        """Remember nothing yet."""
        self._links: OrderedDict[tuple[int, int], dict[Link, bool]] = OrderedDict()

    def fresh(self, message: Message, pasted: list[Link]) -> list[Link]:
        """Return the links that were not served for this message.

        As many as one message may have are remembered as served; the others have their turn when
        it is edited. So do stories of a profile whose page was only asked about.
        """
        shown = self._links.setdefault((message.chat.id, message.message_id), {})
        fresh = [x for x in pasted if x not in shown or not (shown[x] or x.is_page)]
        shown.update((x, not is_asked_about(x, message.chat)) for x in fresh[:LINKS_A_MESSAGE])
        while len(self._links) > REMEMBERED:
            self._links.popitem(last=False)
        return fresh


def is_asked_about(link: Link, where: Chat) -> bool:
    """Return whether nothing is paid for a link before somebody says what is wanted.

    That is so for a profile's page in a private chat; in groups nobody is asked.
    """
    return link.is_page and where.type == Chat.PRIVATE


def links_of(message: Message, bot_name: str) -> list[Link]:
    """Return the links of a text or caption and its entities."""
    entities = [(e.type, e.url) for e in (*message.entities, *message.caption_entities)]
    return links.links_in_message(message.text or message.caption or "", entities, bot_name)


async def serve_links(update: Update, context: Context, answered: Answered) -> None:
    """Serve the links of a message in order; explain itself in private chats only."""
    message = update.effective_message
    if message is None:
        return
    pasted = links_of(message, context.bot.username)
    served = [link for link in pasted if link.kind in SERVED]
    if pasted and await _is_our_post(message, context):
        return
    if not served:
        verdict = links.verdict(pasted)
        if verdict and message.chat.type == message.chat.PRIVATE:
            await say(
                update, context, context.t(NOT_OURS if verdict.kind == "rejected" else OTHER_KIND)
            )
        return
    fresh = answered.fresh(message, served)
    for link in fresh[:LINKS_A_MESSAGE]:
        await _serve(update, context, link, asker_of(update, context))
    if len(fresh) > LINKS_A_MESSAGE:
        await say(update, context, context.t(TOO_MANY, limit=LINKS_A_MESSAGE))


async def _is_our_post(message: Message, context: Context) -> bool:
    """Return whether it is a post of ours that somebody forwards from a channel.

    Posts of channels name no author. Alerts are known by what was brought there, for three days.
    """
    origin = message.forward_origin
    if not isinstance(origin, MessageOriginChannel):
        return False
    return await context.services.past.has_brought(origin.chat.id, origin.message_id)


async def _serve(update: Update, context: Context, link: Link, asker: Asker) -> None:
    """Serve one link; its failure is told and does not stop the next."""
    where = update.effective_chat
    try:
        if link.kind == "highlight":
            await show_highlight(update, context, link.highlight_id or "", story_id=link.story_id)
        elif where and is_asked_about(link, where):
            await say(update, context, *await card(context, link.username or ""))
        elif link.kind == "profile":
            await show_profile(update, context, link.username or "")
        else:
            sentence = context.t(N_("Getting the story…"))
            async with working(update, context, sentence):
                if link.kind == "media":
                    story = media_story(link.url or "", context.now)
                else:
                    story = await context.services.viewer.story(link, asker)
                await show(update, context, plan([story]), kind="link", has_more=True)
    except DatabaseUnavailableError:
        raise
    except BotError as error:
        await refuse(update, context, error)


class _HasLink(filters.MessageFilter):
    """What holds something that looks like a link."""

    def filter(self, message: Message) -> bool:
        """Return whether ``message`` does."""
        return bool(links_of(message, message.get_bot().username))


def handlers() -> list[Handler]:
    """Return this module's handlers, in order."""
    answered = Answered()

    @heard(
        "a link",
        filters.UpdateType.MESSAGES
        & (filters.TEXT | filters.CAPTION)
        & ~filters.COMMAND
        & ~filters.VIA_BOT
        & _HasLink(),
    )
    async def on_message(update: Update, context: Context) -> None:
        await serve_links(update, context, answered)

    return [on_message.handler]
