"""The sources of a story's media, cheapest first.

file_id → an address that Telegram fetches → our download and upload → the API's download, which
costs a credit → a sentence why not. Each is tried once.
"""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from weakref import WeakValueDictionary

import structlog

from bot.domain.alert_rules import MOST_DOUBTS
from bot.domain.errors import (
    ApiUnavailableError,
    BotError,
    MediaError,
    MediaGoneError,
    MediaTooBigError,
    MediaUnavailableError,
    NoSuchProfileError,
    OutOfServiceError,
    PastedLimitError,
    ProfilePrivateError,
    SlowHostError,
    SpendingError,
    StoriesError,
    StoryGoneError,
)
from bot.domain.links import story_taken_at
from bot.domain.model import LARGEST_FILE, STORY_LIFE, Asker, Story
from bot.media.download import Media
from bot.media.spool import MediaFile
from bot.media.urls import is_fresh
from bot.runtime.recent import Recent
from bot.sending.file_ids import Files, fits_album_of
from bot.sending.items import ByFileId, ByUpload, ByUrl, Item, Source
from bot.telegram.outcomes import Refusal

log = structlog.get_logger()

_LARGEST_PHOTO = 10 * 2**20  # bytes; a larger one goes as a document
_BUY_AGAIN = timedelta(hours=1)  # between two purchases for alerts of one story
_FAILED_FOR = timedelta(minutes=10)  # how long a story that failed is not tried again, for anybody
_AWAY_FOR = timedelta(seconds=5)  # how long no alert tries a story whose host fails
_SLOW_FOR = timedelta(minutes=2)  # how long alerts wait for a slow host; then files are bought
_FREE_STEPS = 2  # by the address, and by an upload
_CHATS_OF_A_REFUSAL = 3  # in the same words, after which a story waits everywhere
_ASKED_AGAIN = timedelta(minutes=15)  # then one chat asks again
_REFUSED_FOR = timedelta(hours=1)  # how long a source that Telegram refused is left out

Fallback = Callable[[Story, Asker], Awaitable[MediaFile]]
_NO = (StoryGoneError, ProfilePrivateError, NoSuchProfileError)


class Supply:
    """Finds the next source of an item; the sender removes what it downloads for that."""

    def __init__(
        self,
        files: Files,
        media: Media,
        *,
        fallback: Fallback | None,
        tell: Callable[[str], Awaitable[None]] | None = None,
        now: Callable[[], datetime],
        largest: int = LARGEST_FILE,
    ) -> None:
        """``fallback`` downloads a story through the API and pays, or what somebody has pasted.

        A file has ``largest`` bytes at most. ``tell`` gets the words of a refusal that is news.
        """
        self._largest = largest
        self._files = files
        self._media = media
        self._fallback = fallback
        self._now = now
        self._failed = Recent[str]()
        self._away = Recent[str]()
        self._bought = Recent[str]()
        self._sells = Recent[bool]()
        self._firsts: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._gone = Recent[int]()
        self._no_address = Recent[str]()
        self._refused_by = Recent[frozenset[int]]()
        self._postponed = Recent[str]()
        self._steps = (self._url_source, self._download, self._buy)
        self._tell = tell
        self._unknown_words = Recent[str]()

    async def find_next_source(self, item: Item, asker: Asker) -> None:
        """Give the item its next source, or close it with the sentence why there is none."""
        is_file = isinstance(item.source, ByUpload)
        if isinstance(item.source, ByFileId):
            await self._files.forget(item.file_key)
            item.kind = item.expected_kind
        elif isinstance(item.source, ByUrl):
            self.give_up_urls([item])  # for what stops this send lets it begin anew
        item.source = None
        now = self._now()
        item.failed = self._failed.get(item.file_key, within=_FAILED_FOR, now=now) or ""
        if not item.failed and asker.chat_id is None:
            item.failed = self._away.get(item.file_key, within=_AWAY_FOR, now=now) or ""
            item.later = item.later or bool(item.failed)
        can_pay = True
        while item.is_open and item.source is None:
            if item.tried == len(self._steps):
                # The next asker may be able to pay, and another chat may take the file.
                for_all = can_pay and not is_file
                self.close_failed(item, item.reason or MediaGoneError.text, for_all=for_all)
                return
            step = self._steps[item.tried]
            item.tried += 1
            try:
                item.source = await step(item, asker)
            except SlowHostError as error:
                item.failed, item.later = error.text, True
            except (MediaError, SpendingError, StoriesError) as error:
                can_pay = can_pay and not isinstance(error, SpendingError)
                self._record_failure(item, error)

    async def find_next_free_source(self, item: Item, asker: Asker) -> bool:
        """Give the item its next source that costs no credit; false, and it keeps its own."""
        while item.is_open and item.tried < _FREE_STEPS:
            step = self._steps[item.tried]
            item.tried += 1
            try:
                source = await step(item, asker)
            except MediaError as error:
                self._record_failure(item, error)
                continue
            if source:
                if isinstance(item.source, ByUrl):
                    self.give_up_urls([item])
                item.source = source
                return True
        return False

    async def postpone_refused(self, item: Item, refusal: Refusal, chat_id: int) -> None:
        """Let an item wait that was sent alone, and was refused in words that we don't know.

        A story that several chats refuse in the same words waits in all chats; now and then one of
        them tries it again.
        """
        now, words = self._now(), refusal.without_numbers
        is_news = not self._unknown_words.get(words, within=_REFUSED_FOR, now=now)
        self._unknown_words.record(words, words, now=now)
        if self._tell and is_news:
            await self._tell(refusal.words)
        item.failed, item.later = MediaUnavailableError.text, True
        known = (
            self._refused_by.get((item.file_key, words), within=STORY_LIFE, now=now) or frozenset()
        )
        chats = known | {chat_id}
        self._refused_by.record((item.file_key, words), chats, now=now)
        if len(chats) >= _CHATS_OF_A_REFUSAL:
            self._postponed.record(item.file_key, words, now=now)

    def postpone_refused_everywhere(self, items: list[Item]) -> None:
        """Let items wait that wait in all chats (``postpone_refused``)."""
        for item in items:
            if self._postponed.get(item.file_key, within=_ASKED_AGAIN, now=self._now()):
                item.failed, item.later = MediaUnavailableError.text, True

    def use_known_files(self, items: list[Item]) -> None:
        """Give its file_id to each item that has one; ``Files.reserve_unknown`` has read them."""
        known = self._files.cached([item.file_key for item in items])
        for item in items:
            if file := known.get(item.file_key):
                if item.as_file and file.kind != "document":
                    continue  # Telegram took it for something else: then it is uploaded
                if fits_album_of(file, len(items)):
                    item.kind, item.source = file.kind, ByFileId(file.file_id)
                else:  # a silent video, which an album takes as an upload only
                    item.tried = max(item.tried, 1)

    def close_failed(self, item: Item, sentence: str, *, for_all: bool = True) -> None:
        """Close the item; ``for_all``: the same is said for a while to whoever asks.

        What may be had later is refused to alerts alone: each of them would wait for a sick host,
        while others wait for their turn.
        """
        item.failed = sentence
        if item.later:
            self._away.record(item.file_key, sentence, now=self._now())
        elif for_all:
            self._failed.record(item.file_key, sentence, now=self._now())

    def give_up_urls(self, items: list[Item]) -> None:
        """Upload the media that Telegram was to fetch, for a while, whoever wants them."""
        for item in items:
            if isinstance(item.source, ByUrl):
                self._no_address.record(item.story.pk, "refused", now=self._now())

    async def make_document(self, item: Item, asker: Asker) -> bool:
        """Let a photo whose measures Telegram refused go as a file; false: none can be had."""
        while not isinstance(item.source, ByUpload):
            if not await self.find_next_free_source(item, asker):
                return False
        item.kind = "document"
        return True

    async def _url_source(self, item: Item, _asker: Asker) -> Source | None:
        url = item.story.media_url
        now = self._now()
        if item.as_file:
            return None  # of addresses Telegram makes documents of GIF, PDF and ZIP only
        if self._no_address.get(item.story.pk, within=_REFUSED_FOR, now=now):
            return None
        if url and self._media.may_fetch(url) and is_fresh(url, now):
            return ByUrl(url)
        return None

    async def _download(self, item: Item, asker: Asker) -> Source | None:
        url = item.story.media_url
        if not url or not self._media.may_fetch(url):
            return None
        if asker.chat_id is None:
            self._refuse_if_slow(url)
        if self._fallback is not None and is_pasted(item.story):
            return self._use_upload(item, await self._fallback(item.story, asker))
        return self._use_upload(item, await self._media.fetch(url, limit=self._largest))

    def _refuse_if_slow(self, url: str) -> None:
        """Refuse a download for an alert from a slow host, which would only add to its load.

        Raises:
            SlowHostError: The host is slow; it may be faster soon.
            MediaUnavailableError: The host has been slow for long.
        """
        since = self._media.slow_since(url)
        if since is not None:
            is_new = self._now() < since + _SLOW_FOR
            raise SlowHostError if is_new else MediaUnavailableError("its host is slow")

    async def _buy(self, item: Item, asker: Asker) -> Source | None:
        if self._fallback is None or item.story.expires_at <= self._now():
            return None  # a story that is over can't be bought
        story = item.story
        if is_pasted(story):
            return None  # a pasted address, which anybody can make up: it is fetched or it is not
        is_alert, now = asker.chat_id is None, self._now()
        if is_alert:
            if self._mark_if_gone(item):
                return None
            if self._bought.get(story.pk, within=_BUY_AGAIN, now=now):
                if not self._times_gone(story.pk):
                    self._mark_for_later(item)
                return None
            self._bought.record(story.pk, "bought", now=now)
        try:
            file = await self._buy_after_first(story, asker, self._fallback)
        except SpendingError:  # nothing was asked
            if is_alert:
                self._bought.forget(story.pk)
            raise
        source = self._use_upload(item, file)
        item.later = False
        return source

    async def _buy_after_first(self, story: Story, asker: Asker, buy: Fallback) -> MediaFile:
        """Buy one file of a profile first, the others only when that came."""
        whose = story.profile.profile_id or story.profile.username
        async with self._firsts.setdefault(whose, asyncio.Lock()):
            sells = self._sells.get(whose, within=_FAILED_FOR, now=self._now())
            if sells is False:
                raise MediaUnavailableError("another of its files could not be bought")
            if sells is None:
                try:
                    file = await buy(story, asker)
                except MediaError:
                    self._sells.record(whose, value=False, now=self._now())
                    raise
                self._sells.record(whose, value=True, now=self._now())
                return file
        return await buy(story, asker)

    def _mark_if_gone(self, item: Item) -> bool:
        """Mark an item whose story the API has twice called gone; return whether it has."""
        if self._times_gone(item.story.pk) < MOST_DOUBTS:
            return False
        item.later, item.reason = False, MediaGoneError.text
        return True

    def _times_gone(self, pk: str) -> int:
        """Return how often the API has said of an alert's story that it is gone."""
        return self._gone.get(pk, within=STORY_LIFE, now=self._now()) or 0

    @staticmethod
    def _mark_for_later(item: Item) -> None:
        """Let an alert come again where nothing could be had of it now, and may be later."""
        item.later = item.later or not item.spooled

    def _use_upload(self, item: Item, file: MediaFile) -> ByUpload:
        """Let an item go out as this file; what the bytes are counts, not what the API says."""
        item.spooled.append(file)
        as_document = item.as_file or (file.kind == "photo" and file.size > _LARGEST_PHOTO)
        item.kind = "document" if as_document else file.kind
        return ByUpload(file)

    def _record_failure(self, item: Item, error: BotError) -> None:
        log.info("way failed", story=item.story.pk, error=type(error).__name__, why=str(error))
        if isinstance(error, MediaTooBigError):
            item.later = False  # its host, if it works again, has nothing smaller
            self.close_failed(item, error.text)
        elif isinstance(error, MediaUnavailableError):
            item.later = True
            item.reason = error.text
        elif isinstance(error, MediaError):
            item.reason = error.text
        elif isinstance(error, _NO):
            self._gone.record(item.story.pk, self._times_gone(item.story.pk) + 1, now=self._now())
            self._mark_if_gone(item)
        elif isinstance(error, ApiUnavailableError | OutOfServiceError):
            self._mark_for_later(item)
            item.reason = MediaUnavailableError.text
        elif isinstance(error, SpendingError):
            item.reason = error.text if isinstance(error, PastedLimitError) else item.reason
            self._mark_for_later(item)


def is_pasted(story: Story) -> bool:
    """Return whether only the address of its file is known, which somebody has pasted."""
    return not story.profile.username and story_taken_at(story.pk) is None
