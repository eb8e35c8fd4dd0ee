"""Stories on their way out: albums in order, a caption, buttons, and what the chat has used."""

import hashlib
from collections.abc import Collection
from datetime import datetime
from urllib.parse import urlsplit

from telegram import Update

from bot.context import Context, asker_of, target_of
from bot.domain.albums import plan
from bot.domain.errors import N_, NoStoriesError, NotFollowedError
from bot.domain.model import Album, Profile, Story
from bot.presentation import captions
from bot.presentation.actions import CARD, HIGHLIGHTS, link_to
from bot.presentation.buttons import OPTIONS, follow_button, link_buttons, story_buttons
from bot.sending.replies import album_of
from handlers.replies import enqueue_reply, say, working


async def show_profile(
    update: Update, context: Context, username: str, count: int | None = None
) -> None:
    """Show all live stories of a profile, or the latest ``count``."""
    sentence = context.t(N_("Getting the stories from <b>{username}</b>…"), username=username)
    async with working(update, context, sentence):
        live = await context.services.viewer.stories(username, asker_of(update, context))
        if not live:
            await _offer_rest(update, context, NoStoriesError(username=username))
            return
        await show(update, context, plan(latest(live, count)), kind="stories")


async def _offer_rest(update: Update, context: Context, none: NoStoriesError) -> None:
    """Say that a profile has no stories now, and offer what else it may have.

    Raises:
        NoStoriesError: It is said in a group or channel, where it is a refusal as others are.
    """
    where, name = update.effective_chat, str(none.fields["username"])
    if where is None or where.type != where.PRIVATE:
        raise none
    follow = follow_button(name, context.t, await subscription_of(context, name))
    highlights = context.button(N_("Highlights"), HIGHLIGHTS(name))
    await say(update, context, context.t(none.sentence, **none.fields), [[follow, highlights]])


def latest(stories: list[Story], count: int | None) -> list[Story]:
    """Return the latest ``count`` stories, or all of them, oldest first."""
    in_order = sorted(stories, key=lambda story: story.taken_at)
    return in_order[-count:] if count else in_order


async def show(
    update: Update,
    context: Context,
    albums: list[Album],
    *,
    kind: str,
    title: str = "",
    part: tuple[int, int] | None = None,
    has_more: bool = False,
    originals: Collection[str] = (),
) -> None:
    """Owe the albums in order; the request and what arrives are counted as used.

    A single story has buttons; an album, and what stands in a channel, ends with one link.
    ``title`` is that of a highlight, of which one album may be the ``part`` (2, 3).
    ``has_more``: it is one story of several, and a button shows the others. ``originals`` are the
    ids of stories that go as files; an album is of such, or of none.
    """
    target = target_of(update)
    message = update.effective_message
    is_channel = message is not None and message.chat.type == message.chat.CHANNEL
    followed = await subscription_of(context, albums[0].stories[0].profile.username)
    for number, album in enumerate(albums):
        single = len(albums) == len(album.stories) == 1
        of = part or (number + 1, len(albums))
        first = album.stories[0]
        acts = single and not is_channel and bool(first.profile.username)
        if acts:
            inline = bool(context.bot.supports_inline_queries)
            buttons = story_buttons(
                first, context.t, followed, has_more=has_more, is_inline=inline
            )
        else:
            buttons = link_buttons(first) if single else []
        # What replies to a comment stands under it; there is no other way into that thread.
        is_comment = message and message.message_thread_id and not message.is_topic_message
        is_first = number == 0 and message and message.chat.type != message.chat.PRIVATE
        quoted = is_comment or is_first
        payload = album_of(
            album,
            caption=_caption(album, of, context, has_link=not (acts or is_channel), title=title),
            asker=asker_of(update, context),
            usage=kind,
            is_asked=number == 0,
            buttons=buttons,
            reply_to=message.message_id if message and quoted else None,
            as_files=first.pk in originals,
        )
        await enqueue_reply(context, target, payload)


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


async def subscription_of(context: Context, username: str) -> int | None:
    """Return the subscription of the chat to a profile, None for none."""
    try:
        followed = await context.services.subscriptions.named(context.chat.id, username)
    except NotFollowedError:
        return None
    return followed[0].id


def _caption(
    album: Album, part: tuple[int, int], context: Context, *, has_link: bool, title: str = ""
) -> str | None:
    username = album.stories[0].profile.username
    if not username:
        return None  # a bare file: nothing is known of it
    t = context.t
    text = captions.caption(
        album.stories,
        t,
        now=context.now,
        zone=t.zone,
        part=part,
        spare=captions.LINK_ROOM if has_link else 0,
        title=title,
    )
    if not has_link:
        return text
    url = link_to(context.bot.username, CARD(username))
    return captions.with_link(text, t.plain(OPTIONS), url, t)
