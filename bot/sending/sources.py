"""The sources of a story's media, cheapest first.

file_id → an address that Telegram fetches → our download and upload → the API's download, which
costs a credit → a sentence why not. Each is tried once.
"""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Generic, Protocol, TypeVar

import structlog

from bot.domain.alert_rules import MOST_DOUBTS
from bot.domain.errors import (
    ApiUnavailableError,
    BotError,
    MediaError,
    MediaGoneError,
    MediaTooBigError,
    MediaUnavailableError,
    OutOfServiceError,
    ProfileNotFoundError,
    ProfilePrivateError,
    SpendingError,
    StoriesError,
    StoryGoneError,
)
from bot.domain.links import story_taken_at
from bot.domain.model import LARGEST_FILE, STORY_LIFE, Asker, Story
from bot.media.spool import MediaFile
from bot.media.urls import is_fresh
from bot.sending import progress
from bot.sending.file_ids import Files, is_good_for
from bot.sending.items import ByFileId, ByUpload, ByUrl, Item, Source, as_known

log = structlog.get_logger()

LARGEST_PHOTO = 10 * 2**20  # bytes; a larger one goes as a document
LARGEST_RATIO = 20  # of a photo's sides; Bot API, sendPhoto
LARGEST_THUMBNAIL = 200_000  # bytes; Bot API, sendVideo: less than 200 kB
THUMBNAIL_SIDE = 320  # pixels; the same
BUY_AGAIN = timedelta(hours=1)  # an alert whose host fails is tried more often than it pays
FAILED_FOR = timedelta(minutes=10)  # how long what failed is not tried again, for anybody
AWAY_FOR = timedelta(seconds=5)  # how long no alert tries what was not to be had just now
REFUSED_FOR = timedelta(hours=1)  # how long what Telegram refused goes another way at once

T = TypeVar("T")

Fallback = Callable[[Story, Asker], Awaitable[MediaFile]]
NO = (StoryGoneError, ProfilePrivateError, ProfileNotFoundError)


class Downloads(Protocol):
    """What is needed of ``bot.media.download.Media``."""

    def may_fetch(self, url: str) -> bool:
        """Return whether ``url`` is on a host that media may come from."""
        ...

    async def fetch(self, url: str, *, limit: int) -> MediaFile:
        """Download ``url``, at most ``limit`` bytes."""
        ...


class Supply:
    """Finds the next source of an item; what it downloads for it, the item's ``clean`` removes."""

    def __init__(
        self,
        files: Files,
        media: Downloads,
        *,
        fallback: Fallback | None,
        now: Callable[[], datetime],
        largest: int = LARGEST_FILE,
    ) -> None:
        """``fallback`` downloads a story through the API and pays for it.

        A file has ``largest`` bytes at most.
        """
        self._largest = largest
        self._files = files
        self._media = media
        self._fallback = fallback
        self._now = now
        self._failed = _Lately[str](FAILED_FOR, now)
        self._away = _Lately[str](AWAY_FOR, now)
        self._refused_in = _Lately[int](FAILED_FOR, now)
        self._bought = _Lately[None](BUY_AGAIN, now)
        self._gone = _Lately[int](STORY_LIFE, now)
        self._no_address = _Lately[None](REFUSED_FOR, now)
        self._no_photo = _Lately[None](REFUSED_FOR, now)
        self._steps = (self._url, self._download, self._buy)

    async def advance(self, item: Item, asker: Asker, *, refused_in: int | None = None) -> None:
        """Give the item its next source, or close it with the sentence why there is none.

        ``refused_in`` is the chat in which Telegram refused the one before.
        """
        is_file = isinstance(item.source, ByUpload)
        if isinstance(item.source, ByFileId):
            await self._files.forget(item.key)
            item.kind = item.own_kind
        elif isinstance(item.source, ByUrl):
            self.give_up_urls([item])  # for what stops this send lets it begin anew
        item.source = None
        item.failed = self._failed.get(item.key) or ""
        if not item.failed and asker.chat_id is None and (why := self._away.get(item.key)):
            item.failed, item.later = why, True
        can_pay = True
        while item.is_open and item.source is None:
            if item.tried == len(self._steps):
                # What this asker can't pay, the next may; what one chat refuses, others may take.
                for_all = can_pay and not (is_file and self._is_first_refusal(item, refused_in))
                self.fail(item, item.reason or MediaGoneError.text, for_all=for_all)
                return
            step = self._steps[item.tried]
            item.tried += 1
            try:
                item.source = await step(item, asker)
            except (MediaError, SpendingError, StoriesError) as error:
                can_pay = can_pay and not isinstance(error, SpendingError)
                self._record_failure(item, error)

    def known_first(self, items: list[Item]) -> None:
        """Give its file_id to each item that has one; ``Files.first`` has looked for them."""
        known = self._files.at_hand([item.key for item in items])
        for item in items:
            if file := known.get(item.key):
                if item.as_file and file.kind != "document":
                    continue  # Telegram took it for something else: then it is uploaded
                if is_good_for(file, len(items)):
                    as_known(item, file)
                else:  # a silent video, which an album takes as an upload only
                    item.tried = max(item.tried, 1)

    def fail(self, item: Item, sentence: str, *, for_all: bool = True) -> None:
        """Close the item; ``for_all``: the same is said for a while to whoever asks.

        Of what may be had later, it is said to alerts alone: each of them would wait for a sick
        host, while others wait for their turn.
        """
        item.failed = sentence
        if item.later:
            self._away.put(item.key, sentence)
        elif for_all:
            self._failed.put(item.key, sentence)

    def give_up_urls(self, items: list[Item]) -> None:
        """Upload the media that Telegram was to fetch, for a while, whoever wants them."""
        for item in items:
            if isinstance(item.source, ByUrl):
                self._no_address.put(item.story.pk, None)

    async def as_document(self, item: Item, asker: Asker) -> None:
        """Send a photo, whose measures Telegram refused, as a file."""
        if not isinstance(item.source, ByUpload):
            await self.advance(item, asker)
        if isinstance(item.source, ByUpload):
            self._no_photo.put(item.key, None)
            item.kind = "document"

    async def _url(self, item: Item, _asker: Asker) -> Source | None:
        url = item.story.media_url
        now = self._now()
        if item.as_file:
            return None  # of addresses Telegram makes documents of GIF, PDF and ZIP only
        if item.story.pk in self._no_address:
            return None
        if url and self._media.may_fetch(url) and is_fresh(url, now):
            return ByUrl(url)
        return None

    async def _download(self, item: Item, _asker: Asker) -> Source | None:
        url = item.story.media_url
        if not url or not self._media.may_fetch(url):
            return None
        file = await self._media.fetch(url, limit=self._largest)
        return await self._upload_of(item, file)

    async def _buy(self, item: Item, asker: Asker) -> Source | None:
        if self._fallback is None or item.story.expires_at <= self._now():
            return None  # a story that is over can't be bought
        story = item.story
        if not story.profile.username and story_taken_at(story.pk) is None:
            return None  # a pasted address, which anybody can make up: it is fetched or it is not
        is_alert = asker.chat_id is None
        if is_alert:
            if self._is_gone(item):
                return None
            if story.pk in self._bought:
                if story.pk not in self._gone:
                    self._wait_for_a_file(item)
                return None
            self._bought.put(story.pk, None)
        try:
            file = await self._fallback(story, asker)
        except SpendingError:  # nothing was asked
            if is_alert:
                self._bought.drop(story.pk)
            raise
        source = await self._upload_of(item, file)
        item.later = False
        return source

    def _is_gone(self, item: Item) -> bool:
        """Return whether the API has said so twice: then no host is waited for any longer."""
        if (self._gone.get(item.story.pk) or 0) < MOST_DOUBTS:
            return False
        item.later, item.reason = False, MediaGoneError.text
        return True

    def _is_first_refusal(self, item: Item, chat_id: int | None) -> bool:
        """Return whether no other chat has lately refused what was uploaded of it."""
        first = self._refused_in.get(item.key)
        if first is None and chat_id is not None:
            self._refused_in.put(item.key, chat_id)
        return first in {None, chat_id}

    @staticmethod
    def _wait_for_a_file(item: Item) -> None:
        """Let an alert come again where nothing could be had of it now, and may be later."""
        item.later = item.later or not item.spooled

    async def _upload_of(self, item: Item, file: MediaFile) -> ByUpload:
        """What the bytes are counts, not what the API called them."""
        item.spooled.append(file)
        as_document = item.as_file or _is_no_photo(file) or item.key in self._no_photo
        item.kind = "document" if as_document else file.kind
        thumbnail = None
        if file.kind == "video":
            progress.uploading(file.size)
        if item.kind == "video" and item.story.thumbnail_url:
            thumbnail = await self._thumbnail(item.story.thumbnail_url)
        if thumbnail:
            item.spooled.append(thumbnail)
        return ByUpload(file, thumbnail)

    async def _thumbnail(self, url: str) -> MediaFile | None:
        """Telegram makes its own where there is none."""
        if not self._media.may_fetch(url):
            return None
        try:
            file = await self._media.fetch(url, limit=LARGEST_THUMBNAIL)
        except MediaError:
            return None
        longest = max(file.width or THUMBNAIL_SIDE + 1, file.height or THUMBNAIL_SIDE + 1)
        if file.mime == "image/jpeg" and longest <= THUMBNAIL_SIDE:
            return file
        file.remove()
        return None

    def _record_failure(self, item: Item, error: BotError) -> None:
        log.info("way failed", story=item.story.pk, error=type(error).__name__, why=str(error))
        if isinstance(error, MediaTooBigError):
            item.later = False  # its host, if it works again, has nothing smaller
            self.fail(item, error.text)
        elif isinstance(error, MediaUnavailableError):
            item.later = True
            item.reason = error.text
        elif isinstance(error, MediaError):
            item.reason = error.text
        elif isinstance(error, NO):
            self._gone.put(item.story.pk, (self._gone.get(item.story.pk) or 0) + 1)
            self._is_gone(item)
        elif isinstance(error, ApiUnavailableError | OutOfServiceError):
            self._wait_for_a_file(item)
            item.reason = MediaUnavailableError.text
        elif isinstance(error, SpendingError):
            self._wait_for_a_file(item)


def _is_no_photo(file: MediaFile) -> bool:
    """Return whether Telegram takes this photo as a file only."""
    sides = sorted([file.width or 1, file.height or 1])
    is_stretched = sides[1] > LARGEST_RATIO * sides[0]
    return file.kind == "photo" and (file.size > LARGEST_PHOTO or is_stretched)


class _Lately(Generic[T]):
    """What was seen of media, each for a while."""

    def __init__(self, lasts: timedelta, now: Callable[[], datetime]) -> None:
        """Forget each after ``lasts``."""
        self._lasts = lasts
        self._now = now
        self._seen: dict[str, tuple[T, datetime]] = {}

    def __contains__(self, key: str) -> bool:
        """Return whether it was seen lately."""
        return key in self._seen and self._seen[key][1] > self._now()

    def get(self, key: str) -> T | None:
        """Return what was seen, None when it is too long ago."""
        return self._seen[key][0] if key in self else None

    def put(self, key: str, value: T) -> None:
        """Keep ``value`` from now on, and forget what is over."""
        now = self._now()
        self._seen = {one: seen for one, seen in self._seen.items() if seen[1] > now}
        self._seen[key] = (value, now + self._lasts)

    def drop(self, key: str) -> None:
        """Forget it."""
        self._seen.pop(key, None)
