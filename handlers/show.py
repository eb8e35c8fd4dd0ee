"""Stories on their way out: albums in order, a caption, buttons, and what the chat has used."""

import hashlib
from datetime import datetime
from urllib.parse import urlsplit

from telegram import Update

from bot.context import Context, asker_of, target_of
from bot.domain.albums import plan
from bot.domain.errors import N_, NoStoriesError
from bot.domain.model import Album, Profile, Story
from bot.presentation import captions
from bot.presentation.buttons import story_buttons
from bot.sending.replies import album_of
from bot.store import usage
from bot.store.unit_of_work import at_the_end
from handlers.replies import fitting, owe, say, working


async def show_profile(
    update: Update, context: Context, username: str, count: int | None = None
) -> None:
    """Show all live stories of a profile, or the latest ``count``."""
    sentence = context.t(N_("Getting the stories from <b>{username}</b>…"), username=username)
    async with working(context, target_of(update), sentence):
        found = await context.services.viewer.stories(username, asker_of(update, context))
        if not found:
            raise NoStoriesError(username=username)
        found = sorted(found, key=lambda story: story.taken_at)
        await show(update, context, plan(found[-count:] if count else found), kind="stories")


async def show(update: Update, context: Context, albums: list[Album], *, kind: str) -> None:
    """Owe the albums in order, with buttons at the end; what arrives is counted as used."""
    target = target_of(update)
    message = update.effective_message
    for number, album in enumerate(albums):
        single = len(albums) == len(album.stories) == 1
        quoted = message and number == 0 and message.chat.type != message.chat.PRIVATE
        payload = album_of(
            album,
            caption=_caption(album, (number + 1, len(albums)), context),
            asker=asker_of(update, context),
            usage=kind,
            buttons=fitting(update, context, story_buttons(album.stories[0], context.t))
            if single
            else None,
            reply_to=message.message_id if message and quoted else None,
        )
        await owe(context, target, payload)
    await _close(update, context, albums)
    now, chat_id = context.now, context.chat.id
    await at_the_end(
        context.services.db, lambda tx: usage.count(tx, chat_id, kind, now=now, requests=1)
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
        N_("{n} story from <b>{username}</b>"),
        N_("{n} stories from <b>{username}</b>"),
        len(stories),
        username=profile,
    )
    await say(update, context, text, story_buttons(stories[-1], context.t))
