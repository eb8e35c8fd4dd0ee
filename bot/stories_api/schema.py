"""The wire format as pydantic models, and the conversion to the domain model.

The models accept incomplete objects. Invalid parts of a story are dropped. In lists, invalid
stories and highlights are skipped.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Annotated, TypeVar
from urllib.parse import parse_qs, urlsplit

from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError

from bot.domain.links import story_taken_at
from bot.domain.model import Highlight, Profile, Reshared, Sticker, Story
from bot.domain.paid_calls import Balance
from bot.stories_api.fields import (
    MOST_NUMBER,
    id_of,
    id_or_empty,
    is_true,
    name_text,
    number_or_zero,
    seconds_or_zero,
    time_of,
    url_of,
    username_of,
)
from bot.stories_api.response import MalformedBodyError

_MOST_PARTS = 50  # maximum number of mentions, links or similar items of a story
_MOST_STORIES = 500
_MOST_HIGHLIGHTS = 200
_VIDEO = 2  # the media type of a video
_CODE = re.compile(r"[A-Za-z0-9_-]{1,40}")


def _link_target(value: object) -> str:
    """Return the URL in a field, or the target if the URL is a redirect URL of Instagram.

    Return "" if ``url_of`` refuses the URL or the target.
    """
    url = url_of(value) or ""
    try:
        parts = urlsplit(url)
        target = parse_qs(parts.query)["u"][0] if parts.hostname == "l.instagram.com" else url
    except (KeyError, ValueError):
        return url
    return url_of(target) or ""


Id = Annotated[str, BeforeValidator(id_of)]
IdOrEmpty = Annotated[str, BeforeValidator(id_or_empty)]
Username = Annotated[str, BeforeValidator(username_of)]
CleanText = Annotated[str, BeforeValidator(name_text)]
Flag = Annotated[bool, BeforeValidator(is_true)]
Number = Annotated[float, BeforeValidator(number_or_zero)]
Url = Annotated[str | None, BeforeValidator(url_of)]
LinkTarget = Annotated[str, BeforeValidator(_link_target)]


class _Wire(BaseModel):
    model_config = ConfigDict(extra="ignore", hide_input_in_errors=True)


M = TypeVar("M", bound=_Wire)
T = TypeVar("T")


def _reader_of(model: type[M]) -> Callable[[object], M | None]:
    def read(value: object) -> M | None:
        try:
            return model.model_validate(value)
        except ValidationError:
            return None

    return read


def _list_reader(model: type[M]) -> Callable[[object], list[M]]:
    read = _reader_of(model)

    def read_all(value: object) -> list[M]:
        items = value[:_MOST_PARTS] if isinstance(value, list) else []
        return [part for part in map(read, items) if part is not None]

    return read_all


class _User(_Wire):
    """An account: a UserShort, or the User of the user endpoints."""

    pk: IdOrEmpty = ""
    username: Username = ""
    full_name: CleanText = ""
    is_private: Flag = False
    is_verified: Flag = False

    @property
    def profile(self) -> Profile:
        """Return the account as a profile. A missing id or name is an empty string."""
        return Profile(self.pk, self.username, self.full_name, self.is_private, self.is_verified)


class _Mention(_Wire):
    """A person mentioned in a story."""

    user: _User


class _Link(_Wire):
    """A link in a story."""

    webUri: LinkTarget  # noqa: N815 - the name of the field in the JSON


class _Name(_Wire):
    """A hashtag or a place."""

    name: CleanText


class _Hashtag(_Wire):
    """A hashtag in a story."""

    hashtag: _Name


class _Location(_Wire):
    """A place in a story."""

    location: _Name


class _StickerLink(_Wire):
    """The link in a sticker. In newer answers, all links are in stickers."""

    url: LinkTarget
    link_title: CleanText = ""


class _Sticker(_Wire):
    """A sticker with a link."""

    story_link: _StickerLink


class _Media(_Wire):
    """A post that is shown in a story (StoryMedia)."""

    media_code: CleanText = ""
    user_id: IdOrEmpty = ""


class _Song(_Wire):
    """A song."""

    title: CleanText = ""
    display_artist: CleanText = ""


class _Music(_Wire):
    """The music of a story. The format is that of Instagram's own answers."""

    music_asset_info: _Song


class _Story(_Wire):
    """A story in the format of version 1 of the API."""

    pk: Id
    taken_at: Annotated[datetime | None, BeforeValidator(time_of)] = None
    media_type: object = None
    thumbnail_url: Url = None
    video_url: Url = None
    video_duration: Annotated[float, BeforeValidator(seconds_or_zero)] = 0.0
    user: Annotated[_User | None, BeforeValidator(_reader_of(_User))] = None
    sponsor_tags: Annotated[list[_User], BeforeValidator(_list_reader(_User))] = []
    mentions: Annotated[list[_Mention], BeforeValidator(_list_reader(_Mention))] = []
    links: Annotated[list[_Link], BeforeValidator(_list_reader(_Link))] = []
    hashtags: Annotated[list[_Hashtag], BeforeValidator(_list_reader(_Hashtag))] = []
    locations: Annotated[list[_Location], BeforeValidator(_list_reader(_Location))] = []
    stickers: Annotated[list[_Sticker], BeforeValidator(_list_reader(_Sticker))] = []
    medias: Annotated[list[_Media], BeforeValidator(_list_reader(_Media))] = []
    story_music_stickers: Annotated[list[_Music], BeforeValidator(_list_reader(_Music))] = []
    reshared_story_media_author: Annotated[_User | None, BeforeValidator(_reader_of(_User))] = None


class _Highlight(_Wire):
    """A highlight, with or without its stories."""

    pk: Id
    title: CleanText = ""
    media_count: Number = 0.0
    user: Annotated[_User | None, BeforeValidator(_reader_of(_User))] = None


def highlight_from(value: object) -> Highlight:
    """Return the highlight in decoded JSON, with its stories from the oldest to the newest.

    Raises:
        MalformedBodyError: The body has no highlight, or the highlight has neither a title nor an
            account, or its ``items`` are not a list, or the list has items but no story.
    """
    try:
        wire = _Highlight.model_validate(value)
    except ValidationError as error:
        raise MalformedBodyError("no highlight") from error
    if not wire.title and wire.user is None:
        raise MalformedBodyError("an id alone")
    owner = (wire.user or _User()).profile
    items = value.get("items") if isinstance(value, dict) else None
    result = stories_from(items or [], profile_id=owner.profile_id, username=owner.username)
    stories = tuple(replace(story, highlight=wire.pk) for story in result)
    if stories and not owner.username:
        owner = stories[0].profile
    count = len(stories) or max(0, round(wire.media_count))
    return Highlight(wire.pk, wire.title, owner, count, stories)


def highlights_from(value: object) -> list[Highlight]:
    """Return the highlights in decoded JSON, in the same order and without duplicates.

    Only the first 200 items are read. If the JSON is an empty list, return an empty list.

    Raises:
        MalformedBodyError: The body has no list, or no item of its list is a highlight.
    """
    by_pk: dict[str, Highlight] = {}
    for highlight in _read_items(value, highlight_from, most=_MOST_HIGHLIGHTS):
        by_pk.setdefault(highlight.pk, highlight)
    return list(by_pk.values())


def story_from(value: object, *, profile_id: str = "", username: str = "") -> Story:
    """Return the story in decoded JSON.

    If the JSON lacks the id or the name of the story's account, ``profile_id`` or ``username`` in
    lower case is used instead.

    Raises:
        MalformedBodyError: The body has no story, or neither the story nor its ``pk`` has a time.
    """
    try:
        wire = _Story.model_validate(value)
    except ValidationError as error:
        raise MalformedBodyError("no story") from error
    taken_at = wire.taken_at or story_taken_at(wire.pk)
    if taken_at is None:
        raise MalformedBodyError("a story without a time")
    shown = (wire.user or _User()).profile
    is_lost_video = wire.media_type == _VIDEO and wire.video_url is None
    names = _names_by_id(wire)
    sticker_links = [sticker.story_link for sticker in wire.stickers]
    return Story(
        pk=wire.pk,
        taken_at=taken_at,
        kind="video" if wire.video_url or is_lost_video else "photo",
        profile=replace(
            shown,
            profile_id=shown.profile_id or profile_id,
            username=shown.username or username.lower(),
        ),
        media_url=wire.video_url or (None if is_lost_video else wire.thumbnail_url),
        duration=wire.video_duration if wire.video_url else 0.0,
        mentions=_unique_nonempty(mention.user.username for mention in wire.mentions),
        links=_unique_nonempty(
            [link.webUri for link in wire.links] + [link.url for link in sticker_links]
        ),
        hashtags=_unique_nonempty(tag.hashtag.name for tag in wire.hashtags),
        locations=_unique_nonempty(place.location.name for place in wire.locations),
        sponsors=_unique_nonempty(sponsor.username for sponsor in wire.sponsor_tags),
        stickers=tuple(Sticker(link.url, link.link_title) for link in sticker_links),
        reshared=tuple(_reshared_from(media, names) for media in wire.medias),
        music=_unique_nonempty(
            _song_line(sticker.music_asset_info) for sticker in wire.story_music_stickers
        ),
    )


def stories_from(value: object, *, profile_id: str = "", username: str = "") -> list[Story]:
    """Return the stories in decoded JSON, oldest first, without duplicates.

    Only the first 500 items are read. If the JSON is an empty list, return an empty list.

    Raises:
        MalformedBodyError: The body has no list, or no item of its list is a story.
    """
    read = partial(story_from, profile_id=profile_id, username=username)
    by_pk = {story.pk: story for story in _read_items(value, read, most=_MOST_STORIES)}
    return sorted(by_pk.values(), key=lambda story: (story.taken_at, int(story.pk)))


def profile_from(value: object) -> Profile:
    """Return the profile in decoded JSON.

    Raises:
        MalformedBodyError: The body has no profile with an id and a username.
    """
    user = _reader_of(_User)(value.get("user", value) if isinstance(value, dict) else value)
    if user is None or not user.pk or not user.username:
        raise MalformedBodyError("no profile")
    return user.profile


def balance_from(value: object) -> Balance:
    """Return the balance in decoded JSON: the credits, the rate limit and the value in dollars.

    Without a valid rate limit, the result has a rate limit of 15 calls per second.

    Raises:
        MalformedBodyError: The body has no balance, or the balance is not a plausible integer.
    """
    left = value.get("requests") if isinstance(value, dict) else None
    if not isinstance(value, dict) or not isinstance(left, int) or abs(left) >= MOST_NUMBER:
        raise MalformedBodyError("no balance")
    rate = number_or_zero(value.get("rate"))
    return Balance(left, rate if rate > 0 else 15.0, number_or_zero(value.get("amount")))


def _read_items(value: object, read: Callable[[object], T], *, most: int) -> list[T]:
    """Call ``read`` for the first ``most`` items of a list, and return the valid results.

    Raises:
        MalformedBodyError: The body has no list, or all items that were read are invalid.
    """
    items = _required_list_in(value)
    result: list[T] = []
    for item in items[:most]:
        with suppress(MalformedBodyError):
            result.append(read(item))
    if items and not result:
        raise MalformedBodyError("nothing of the list can be read")
    return result


def _required_list_in(value: object) -> list[object]:
    if isinstance(value, dict):
        value = value.get("items")
    if not isinstance(value, list):
        raise MalformedBodyError("no list of stories")
    return value


def _reshared_from(wire: _Media, people: Mapping[str, str]) -> Reshared:
    code = wire.media_code if _CODE.fullmatch(wire.media_code) else ""
    author = people.get(wire.user_id, "") if wire.user_id else ""
    return Reshared(code, author)


def _names_by_id(wire: _Story) -> dict[str, str]:
    """Return the usernames of mentioned accounts, by id.

    The author of a post in the story is included if known.
    """
    named = [wire.reshared_story_media_author, *(mention.user for mention in wire.mentions)]
    return {user.pk: user.username for user in named if user and user.pk and user.username}


def _song_line(wire: _Song) -> str:
    return " \u2013 ".join(part for part in (wire.display_artist, wire.title) if part)


def _unique_nonempty(values: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(value for value in values if value))
