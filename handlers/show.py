"""Stories in a chat: albums in order, with captions and buttons."""

import hashlib
from collections.abc import Collection, Sequence
from datetime import datetime
from urllib.parse import urlsplit

from bot.context import Context
from bot.domain.albums import plan_albums
from bot.domain.errors import BotError, NoStoriesError, NotFollowedError
from bot.domain.model import Album, NoMaximum, Profile, Story
from bot.domain.records import NotFollowed
from bot.domain.sentences import N_
from bot.presentation import captions
from bot.presentation.actions import CARD, RUN, Buttons, deep_link
from bot.presentation.buttons import (
    OPTIONS,
    link_buttons,
    row_under_album,
    story_buttons,
    subscribe_or_options_button,
)
from bot.sending.replies import Payload, album_payload, text_payload
from handlers.replies import buttons_for_current_chat, enqueue_reply, say_message, show_working


async def fetch_and_enqueue_stories(
    context: Context, username: str, count: int | NoMaximum = None
) -> None:
    """Send all live stories of a profile, or the latest ``count`` stories.

    The cost is usually 2 or 3 credits, or 0 credits for a cached answer. Each file that must be
    bought costs 1 more credit.

    Raises:
        NoStoriesError: The profile has no stories now, and the chat is a group or channel.
        BotError: The errors of ``Viewer.get_or_fetch_stories`` and ``enqueue_story_albums``.
    """
    async with show_working(context):
        live = await context.services.viewer.get_or_fetch_stories(username, context.asker)
        if not live:
            await offer_alternatives_or_raise(context, NoStoriesError(username=username))
            return
        await enqueue_story_albums(context, plan_albums(latest_stories(live, count)))


async def offer_alternatives_or_raise(
    context: Context, error: BotError, rows: Buttons | None = None
) -> None:
    """Explain why a chat can't get stories or alerts of a profile, and offer buttons.

    The explanation is the message of ``error``, which must have the field ``username``. A private
    chat also gets buttons for the subscription and the highlights.

    Raises:
        BotError: ``error`` is raised if the chat is a group or channel and ``rows`` is empty. The
            error handler then sends the explanation.
    """
    name = str(error.fields["username"])
    if not (context.is_private or rows):
        raise error
    buttons = list(rows or [])
    if context.is_private:
        follow = subscribe_or_options_button(
            name, context.t, await subscription_id_of(context, name)
        )
        buttons.append([follow, context.button(N_("Highlights"), RUN("highlights", name))])
    await say_message(context, error.msgid, buttons, **error.fields)


def latest_stories(stories: list[Story], count: int | NoMaximum) -> list[Story]:
    """Return the latest ``count`` stories, oldest first.

    If ``count`` is None, return all stories.
    """
    in_order = sorted(stories, key=lambda story: story.taken_at)
    return in_order[-count:] if count else in_order


async def enqueue_story_albums(
    context: Context,
    albums: list[Album],
    *,
    title: str = "",
    part: tuple[int, int] | None = None,
    has_more: bool = False,
    originals: Collection[str] = (),
    is_last: bool = True,
    is_free: bool = False,
) -> None:
    """Queue the albums as replies, in order. The sent stories count as usage of the chat.

    Each file that must be bought costs 1 credit. ``albums`` must not be empty.

    - ``title``: the title of a highlight.
    - ``part``: the number of the album and the number of albums, for example (2, 3).
    - ``has_more``: a single story gets a button for all stories of the profile or highlight.
    - ``originals``: the IDs of stories to send as files. An album must not mix files with other
      stories.
    - ``is_last``: in a private chat, a message with buttons follows, unless a single story already
      has the buttons.
    - ``is_free``: no file is bought.

    Raises:
        NoPayerError: As in ``Payers.raise_if_no_payer``.
    """
    await context.services.payers.raise_if_no_payer(context.asker)
    usernames = [album.stories[0].profile.username for album in albums]
    followed = await subscription_id_of(context, usernames[-1])
    is_single = len(albums) == len(albums[0].stories) == 1
    has_buttons = is_single and not context.is_channel and bool(usernames[0])
    buttons: Buttons = []
    if is_single:
        only = albums[0].stories[0]
        is_file = only.pk in originals
        buttons = _buttons_of_story(only, context, followed, has_more=has_more, is_file=is_file)
    under = None
    if is_last and not has_buttons and context.is_private:
        under = _message_with_album_buttons(albums[-1].stories[0], context, followed)
    for number, album in enumerate(albums):
        caption = _caption(
            album,
            part or _album_number_and_count(usernames, number),
            context,
            has_link=context.is_group and not has_buttons,
            title=title,
        )
        payload = album_payload(
            album,
            caption=caption,
            asker=context.asker,
            buttons=buttons,
            reply_to=_quoted_message_id(context, is_first=number == 0),
            asked=_request_message_id(context),
            as_files=album.stories[0].pk in originals,
            is_free=is_free,
            under=under if album is albums[-1] else None,
        )
        await enqueue_reply(context, context.reply_target, payload)


def _buttons_of_story(
    story: Story, context: Context, followed: int | NotFollowed, *, has_more: bool, is_file: bool
) -> Buttons:
    """Return the buttons of a story that is sent alone.

    In a channel, and for a story of an unknown profile, return only the links of the story.
    """
    if context.is_channel or not story.profile.username:
        return link_buttons(story)
    return story_buttons(
        story,
        context.t,
        followed,
        has_more=has_more,
        is_inline=bool(context.bot.supports_inline_queries),
        is_file=is_file,
    )


def _request_message_id(context: Context) -> int | None:
    """Return the id of the message with the request or the pressed button.

    In a private chat, return None.
    """
    if context.message is None or context.is_private:
        return None
    return context.message.message_id


def _quoted_message_id(context: Context, *, is_first: bool) -> int | None:
    """Return the id of the message that an album quotes, or None if the album quotes no message.

    In the thread of a comment, each album quotes the request, because only replies appear in the
    thread.
    """
    message = context.message
    if message is None:
        return None
    is_comment = message.message_thread_id and not message.is_topic_message
    if is_comment or (is_first and not context.is_private):
        return message.message_id
    return None


def _album_number_and_count(usernames: Sequence[str], place: int) -> tuple[int, int]:
    """Return the number of an album among the albums of its profile, and their count.

    ``usernames`` has the profile of each album. ``place`` is the index of the album.
    """
    username = usernames[place]
    return usernames[: place + 1].count(username), usernames.count(username)


def _message_with_album_buttons(
    story: Story, context: Context, followed: int | NotFollowed
) -> Payload | None:
    """Return a silent message with the buttons for an album.

    If the profile of the album is unknown, return None.
    """
    name = story.profile.username
    if not name:
        return None
    line = context.t("<b>{username}</b>", username=name)
    is_inline = bool(context.bot.supports_inline_queries)
    row = row_under_album(name, context.t, followed, is_inline=is_inline)
    return text_payload(line, buttons_for_current_chat(context, [row]), silent=True)


def story_from_media_url(url: str, now: datetime) -> Story:
    """Return a story for a pasted media URL. The profile of the story is unknown."""
    is_video = urlsplit(url).path.endswith(".mp4")
    return Story(
        pk="file-" + hashlib.sha256(url.partition("?")[0].encode()).hexdigest()[:32],
        taken_at=now,
        kind="video" if is_video else "photo",
        profile=Profile("", ""),
        media_url=url,
    )


async def subscription_id_of(context: Context, username: str) -> int | NotFollowed:
    """Return the ID of the chat's first subscription to a profile, if any."""
    try:
        followed = await context.services.subscriptions.get_of_username(context.chat.id, username)
    except NotFollowedError:
        return None
    return followed[0].id


def _caption(
    album: Album, part: tuple[int, int], context: Context, *, has_link: bool, title: str = ""
) -> str | None:
    username = album.stories[0].profile.username
    if not username:
        return None  # the URL of a media file does not name the profile
    t = context.t
    text = captions.caption(
        album.stories,
        t,
        now=context.now,
        part=part,
        spare=captions.LINK_ROOM if has_link else 0,
        title=title,
    )
    if not has_link:
        return text
    url = deep_link(context.bot.username, CARD(username))
    return captions.append_link(text, t.plain(OPTIONS), url, t)
