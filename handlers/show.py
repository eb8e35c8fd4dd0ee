"""Stories on their way out: albums in order, a caption, buttons, and what the chat has used."""

import hashlib
from datetime import datetime
from urllib.parse import urlsplit

from telegram import Update

from bot.context import Context, asker_of, target_of
from bot.domain.albums import plan
from bot.domain.errors import N_, NoStoriesError
from bot.domain.model import Album, GiveUp, Moved, Profile, Sent, Story, TryLater
from bot.presentation import captions
from bot.presentation.buttons import story_buttons
from bot.sending.sender import SendOptions
from bot.store import usage
from handlers.replies import fitting, say, working

BUSY = N_("Telegram asks me to slow down. Please try again in {after}.")
LOST = N_("Telegram didn't take this one. Please try again in a moment.")


async def show_profile(
    update: Update, context: Context, username: str, count: int | None = None
) -> None:
    """Show all live stories of a profile, or the latest ``count``."""
    sentence = context.t(N_("Looking at the stories of <b>{username}</b>…"), username=username)
    async with working(context, target_of(update), sentence):
        found = await context.services.viewer.stories(username, asker_of(update, context))
        if not found:
            raise NoStoriesError(username=username)
        found = sorted(found, key=lambda story: story.taken_at)
        await show(update, context, plan(found[-count:] if count else found), kind="stories")


async def show(update: Update, context: Context, albums: list[Album], *, kind: str) -> None:
    """Send the albums in order, with buttons at the end, and count them as used."""
    target = target_of(update)
    message = update.effective_message
    items = size = 0
    for number, album in enumerate(albums):
        single = len(albums) == len(album.stories) == 1
        options = SendOptions(
            reply_to=message.message_id
            if message and number == 0 and message.chat.type != message.chat.PRIVATE
            else None,
            buttons=fitting(update, context, story_buttons(album.stories[0], context.t))
            if single
            else None,
        )
        outcome = await context.services.sender.send_album(
            target,
            album,
            caption_html=_caption(album, (number + 1, len(albums)), context),
            options=options,
            asker=asker_of(update, context),
        )
        match outcome:
            case Sent(items=sent, failed=failed):
                items += len(sent)
                size += sum(item.size for item in sent)
                for pk, sentence in failed.items():
                    await _explain(update, context, album, pk, sentence)
            case TryLater(after=after):
                text = context.t(BUSY, after=after) if after else context.t(LOST)
                await say(update, context, text)
            case Moved() | GiveUp():
                return
    await _close(update, context, albums)
    async with context.services.db.begin() as tx:
        await usage.count(
            tx, context.chat.id, kind, now=context.now, requests=1, items=items, size=size
        )


def media_story(url: str, now: datetime) -> Story:
    """Return a pasted media file as if it were a story; nothing but its address is known."""
    is_video = urlsplit(url).path.endswith(".mp4")
    return Story(
        pk="file-" + hashlib.sha256(url.partition("?")[0].encode()).hexdigest()[:32],
        taken_at=now,
        kind="video" if is_video else "photo",
        profile=Profile("", ""),
        media_url=url,
    )


def _caption(album: Album, part: tuple[int, int], context: Context) -> str | None:
    if not album.stories[0].profile.username:
        return None  # a bare file: nothing is known of it
    return captions.caption(
        album.stories, context.t, now=context.now, zone=context.t.zone, part=part
    )


async def _close(update: Update, context: Context, albums: list[Album]) -> None:
    """Say what was shown, under more than one item: an album can't carry buttons itself."""
    stories = [story for album in albums for story in album.stories]
    if len(stories) < 2 or not stories[0].profile.username:  # noqa: PLR2004 - one item has its own
        return
    profile = stories[0].profile.username
    text = context.t.n(
        N_("{n} story of <b>{username}</b>"),
        N_("{n} stories of <b>{username}</b>"),
        len(stories),
        username=profile,
    )
    await say(update, context, text, story_buttons(stories[-1], context.t))


async def _explain(update: Update, context: Context, album: Album, pk: str, sentence: str) -> None:
    story = next(story for story in album.stories if story.pk == pk)
    text = context.t(sentence, url=story.media_url or story.page_url)
    await say(update, context, text, story_buttons(story, context.t))
