"""The sources of a story's media, cheapest first.

file_id → an address that Telegram fetches → our download and upload → the API's download, which
costs a credit → a sentence why not. Each is tried once.
"""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Protocol

import structlog

from bot.domain.errors import (
    BotError,
    MediaError,
    MediaGoneError,
    MediaTooBigError,
    MediaUnavailableError,
    SpendingError,
    StoriesError,
)
from bot.domain.links import story_taken_at
from bot.domain.model import LARGEST_FILE, Asker, Story
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
NO_ADDRESS_FOR = timedelta(hours=1)  # how long what Telegram could not fetch is uploaded

Fallback = Callable[[Story, Asker], Awaitable[MediaFile]]
Step = Callable[[Item, Asker], Awaitable[Source | None]]


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
        self._failed: dict[str, tuple[str, datetime]] = {}
        self._bought_at: dict[str, datetime] = {}
        self._no_address: dict[str, datetime] = {}
        self._steps: tuple[Step, ...] = (self._url, self._download, self._bought)

    async def advance(self, item: Item, asker: Asker) -> None:
        """Give the item its next source, or close it with the sentence why there is none."""
        if isinstance(item.source, ByFileId):
            await self._files.forget(item.key)
            item.kind = item.own_kind
        elif isinstance(item.source, ByUrl):
            self.give_up_urls([item])  # for what stops this send lets it begin anew
        item.source = None
        sentence, until = self._failed.get(item.key, ("", self._now()))
        if until > self._now():
            item.failed = sentence
        can_pay = True
        while item.is_open and item.source is None:
            if item.tried == len(self._steps):
                # What this asker can't pay, the next may.
                self.fail(item, item.reason or MediaGoneError.text, for_all=can_pay)
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
        """Close the item; ``for_all``: the same is said for a while to whoever asks."""
        item.failed = sentence
        if for_all and not item.later:
            now = self._now()
            self._failed = {pk: seen for pk, seen in self._failed.items() if seen[1] > now}
            self._failed[item.key] = (sentence, now + FAILED_FOR)

    def give_up_urls(self, items: list[Item]) -> None:
        """Upload the media that Telegram was to fetch, for a while, whoever wants them."""
        now = self._now()
        self._no_address = {pk: until for pk, until in self._no_address.items() if until > now}
        by_url = [item for item in items if isinstance(item.source, ByUrl)]
        until = now + NO_ADDRESS_FOR
        self._no_address |= dict.fromkeys([item.story.pk for item in by_url], until)

    async def as_document(self, item: Item, asker: Asker) -> None:
        """Send a photo, whose measures Telegram refused, as a file."""
        if not isinstance(item.source, ByUpload):
            await self.advance(item, asker)
        if isinstance(item.source, ByUpload):
            item.kind = "document"

    async def _url(self, item: Item, _asker: Asker) -> Source | None:
        url = item.story.media_url
        now = self._now()
        if item.as_file:
            return None  # of addresses Telegram makes documents of GIF, PDF and ZIP only
        if self._no_address.get(item.story.pk, now) > now:
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

    async def _bought(self, item: Item, asker: Asker) -> Source | None:
        if self._fallback is None or item.story.expires_at <= self._now():
            return None  # a story that is over can't be bought
        if asker.chat_id is None and not self._may_buy(item.story.pk):
            return None
        story = item.story
        if not story.profile.username and story_taken_at(story.pk) is None:
            return None  # a pasted address, which anybody can make up: it is fetched or it is not
        source = await self._upload_of(item, await self._fallback(item.story, asker))
        item.later = False
        return source

    def _may_buy(self, pk: str) -> bool:
        """Return whether an alert may pay for a story's file: once an hour, it comes again."""
        now = self._now()
        self._bought_at = {one: at for one, at in self._bought_at.items() if at > now - BUY_AGAIN}
        return self._bought_at.setdefault(pk, now) is now

    async def _upload_of(self, item: Item, file: MediaFile) -> ByUpload:
        """What the bytes are counts, not what the API called them."""
        item.spooled.append(file)
        item.kind = "document" if item.as_file or _is_no_photo(file) else file.kind
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
            self.fail(item, error.text)
        elif isinstance(error, MediaUnavailableError):
            item.later = True
            item.reason = error.text
        elif isinstance(error, MediaError):
            item.reason = error.text


def _is_no_photo(file: MediaFile) -> bool:
    """Return whether Telegram takes this photo as a file only."""
    sides = sorted([file.width or 1, file.height or 1])
    is_stretched = sides[1] > LARGEST_RATIO * sides[0]
    return file.kind == "photo" and (file.size > LARGEST_PHOTO or is_stretched)
