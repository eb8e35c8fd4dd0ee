"""The sources of a story's file, from the cheapest to the most expensive.

1. A file_id of a file that Telegram has.
2. The URL, from which Telegram downloads the file.
3. An upload of a file that the bot downloads. A pasted URL may cost 1 credit.
4. An upload of a file from the Stories API, which costs 1 credit.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import structlog

from bot.domain.errors import (
    MEDIA_GONE,
    ApiUnavailableError,
    BotError,
    MediaError,
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
from bot.domain.model import LARGEST_FILE, Asker, Story
from bot.media.download import Media
from bot.media.spool import MediaFile
from bot.media.urls import is_unexpired
from bot.runtime.timed_cache import TimedCache
from bot.sending.file_ids import Files, fits_album_of
from bot.sending.items import ByFileId, ByUpload, ByUrl, Item, Source
from bot.sending.source_records import FAILED_FOR, RECORD_LIFE, FileRecord, StoryRecord
from bot.telegram.outcomes import Refusal

log = structlog.get_logger()

_LARGEST_PHOTO = 10 * 2**20  # bytes; a larger photo is sent as a document
# If a media host is slow for longer than this time, alerts wait no longer for the host. The files
# of the alerts may then be bought from the Stories API.
_SLOW_FOR = timedelta(minutes=2)
_FREE_STEPS = 2  # the URL and the upload, which are tried before a purchase
# If the API bills a purchase for an alert but returns no file, or answers that the story is not
# available, alerts usually buy no file of another story of the profile for this time.
_REFUSED_FOR = timedelta(hours=3)
# A refusal is reported only if the same refusal has not occurred for this time.
_REPORTED_FOR = timedelta(hours=1)

Fallback = Callable[[Story, Asker], Awaitable[MediaFile]]
_NO = (StoryGoneError, ProfilePrivateError, NoSuchProfileError)


@dataclass(slots=True)
class _Purchases:
    """Whether files of a profile can be bought.

    ``succeeded`` is True after a purchase or a file that is too large, False after any other
    ``MediaError``, and None before these events.
    """

    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    succeeded: bool | None = None


class Supply:
    """Finds the next source of an item. The sender of the item removes the downloaded files."""

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
        """Create a supply without any records of stories.

        ``fallback`` downloads a story through the API for 1 credit, or a pasted URL for at most 1
        credit. ``largest`` is the maximum size of a file in bytes. ``tell`` gets unknown error
        messages of Telegram.
        """
        self._largest = largest
        self._files = files
        self._media = media
        self._fallback = fallback
        self._now = now
        self._tell = tell
        self._steps = (self._url_source, self._download_as_source, self._buy_as_source)
        self._records = TimedCache[str, StoryRecord]()
        self._purchases = TimedCache[str, _Purchases]()
        # For each profile, a story whose file the API refused to an alert.
        self._refused_stories = TimedCache[str, str]()
        self._reported_words = TimedCache[str, bool]()

    def _record_or_new(self, item: Item) -> StoryRecord:
        """Return the record of an item's story, or an empty record that is not stored."""
        return self._records.get(item.story.pk, now=self._now()) or StoryRecord()

    def _ensure_record(self, item: Item) -> StoryRecord:
        """Return the record of an item's story, and store the record for ``RECORD_LIFE``."""
        record = self._record_or_new(item)
        self._records.put(item.story.pk, record, until=self._now() + RECORD_LIFE)
        return record

    async def set_or_buy_next_source_or_fail(self, item: Item, asker: Asker) -> None:
        """Set the next source of the item: the URL, an upload, or an upload of a bought file.

        ``asker`` pays 1 credit for a bought file, and possibly for a pasted URL. If ``asker`` has
        no chat, the budget of the schedule pays. If no source is left or the file failed recently,
        the item fails.

        Raises:
            DatabaseUnavailableError: A refused file_id cannot be deleted, or a purchase cannot be
                recorded.
        """
        is_file = isinstance(item.source, ByUpload)
        if isinstance(item.source, ByFileId):
            await self._files.remove_refused(item.file_key)
            item.kind = item.expected_kind
        elif isinstance(item.source, ByUrl):
            self.record_url_refusals([item])  # later sends must not use the refused URL
        item.source = None
        self._fail_if_failed_recently(item, is_alert=asker.chat_id is None)
        can_pay = not item.is_free
        while item.is_open and item.source is None:
            if item.tried == len(self._steps):
                # The failure applies to all chats, unless the file could not be paid for or
                # Telegram refused the uploaded file. A different chat may be able to pay, or may
                # accept the file.
                for_all = can_pay and not is_file
                # The bot does not try to buy the file of a free item. The file may still
                # exist, so the error message must not say that the file is gone.
                reason = MediaUnavailableError.text if item.is_free else item.reason
                self.fail_item(item, reason or MEDIA_GONE, for_all=for_all)
                return
            step = self._steps[item.tried]
            item.tried += 1
            try:
                item.source = await step(item, asker)
            except SlowHostError as error:
                item.failed, item.later = error.text, True
            except (MediaError, SpendingError, StoriesError) as error:
                can_pay = can_pay and not isinstance(error, SpendingError)
                self._record_source_failure(item, error)

    def _fail_if_failed_recently(self, item: Item, *, is_alert: bool) -> None:
        """If the item's file failed a short time ago, let the item fail with the same message."""
        record, now = self._file_record(item), self._now()
        item.failed = record.recent_failure(now)
        if is_alert and not item.failed:
            item.failed = record.recent_failure_for_alerts(now)
            item.later = item.later or bool(item.failed)

    def _file_record(self, item: Item) -> FileRecord:
        return self._record_or_new(item).file_of(as_file=item.as_file)

    def _ensure_file_record(self, item: Item) -> FileRecord:
        return self._ensure_record(item).file_of(as_file=item.as_file)

    async def set_next_free_source(self, item: Item, asker: Asker) -> bool:
        """Set the next source of an item: the URL, or an upload of the file at the URL.

        Return whether a source was set. If the file is too large, the item fails. The file at a
        pasted URL may cost 1 credit.

        Raises:
            DatabaseUnavailableError: The download of a pasted URL cannot be recorded.
        """
        while item.is_open and item.tried < _FREE_STEPS:
            step = self._steps[item.tried]
            item.tried += 1
            try:
                source = await step(item, asker)
            except (MediaError, SpendingError, StoriesError) as error:
                self._record_source_failure(item, error)
                continue
            if source:
                if isinstance(item.source, ByUrl):
                    self.record_url_refusals([item])
                item.source = source
                return True
        return False

    async def postpone_refused_and_report(
        self, item: Item, refusal: Refusal, chat_id: int
    ) -> None:
        """Postpone an item after an unknown error message of Telegram.

        A message that did not occur in the last hour is reported. After refusals of the file in
        three chats with the same message, alerts in all chats postpone the file for 15 minutes.
        """
        now, words = self._now(), refusal.words_without_numbers
        is_new = self._reported_words.get(words, now=now) is None
        self._reported_words.put(words, value=True, until=now + _REPORTED_FOR)
        if self._tell and is_new:
            await self._tell(refusal.words)
        item.failed, item.later = MediaUnavailableError.text, True
        self._ensure_file_record(item).record_refusal(words, chat_id, now)

    def postpone_refused_in_three_chats(self, items: list[Item]) -> None:
        """Postpone each item whose file is postponed for alerts (``FileRecord.is_postponed``)."""
        for item in items:
            if self._file_record(item).is_postponed(self._now()):
                item.failed, item.later = MediaUnavailableError.text, True

    def set_known_files_as_sources(self, items: list[Item]) -> None:
        """Set the file_id as the source of each item for which Telegram has a suitable file.

        Call ``Files.wait_and_reserve_unknown`` first, because that method loads the file_ids.
        """
        known = self._files.cached([item.file_key for item in items])
        for item in items:
            if file := known.get(item.file_key):
                if item.as_file and file.kind != "document":
                    continue  # Telegram has only a compressed file, so upload the original
                if fits_album_of(file, len(items)):
                    item.kind, item.source = file.kind, ByFileId(file.file_id)
                else:  # an album cannot contain an animation, so upload the video again
                    item.tried = max(item.tried, 1)

    def fail_item(self, item: Item, message: str, *, for_all: bool = True) -> None:
        """Let the item fail with an error message, and record the failure.

        If a retry may succeed, no alert tries the file for 5 seconds. Otherwise, no chat tries the
        file for ten minutes, unless ``for_all`` is False.
        """
        item.failed = message
        if item.later:
            self._ensure_file_record(item).record_failure_for_alerts(message, self._now())
        elif for_all:
            self._ensure_file_record(item).record_failure(message, self._now())

    def record_url_refusals(self, items: list[Item]) -> None:
        """Record that Telegram cannot fetch the URLs of those ``items`` that are sent by URL.

        For an hour, no send uses these URLs.
        """
        for item in items:
            if isinstance(item.source, ByUrl):
                self._ensure_record(item).record_url_refusal(self._now())

    async def download_and_convert_to_document(self, item: Item, asker: Asker) -> bool:
        """Download a photo that Telegram refused as a photo, and turn the photo into a document.

        Return False if the photo cannot be downloaded. The download of a pasted URL may cost 1
        credit.

        Raises:
            DatabaseUnavailableError: The download of a pasted URL cannot be recorded.
        """
        while not isinstance(item.source, ByUpload):
            if not await self.set_next_free_source(item, asker):
                return False
        item.kind = "document"
        return True

    async def _url_source(self, item: Item, _asker: Asker) -> Source | None:
        url = item.story.media_url
        now = self._now()
        if item.as_file:
            return None  # Telegram can send a URL as a document only for GIF, PDF and ZIP files
        if self._record_or_new(item).is_url_refused(now):
            return None
        if url and self._media.may_fetch(url) and is_unexpired(url, now):
            return ByUrl(url)
        return None

    async def _download_as_source(self, item: Item, asker: Asker) -> Source | None:
        url = item.story.media_url
        if not url or not self._media.may_fetch(url):
            return None
        if asker.chat_id is None:
            self._raise_if_slow(url)
        if self._fallback is not None and is_pasted(item.story):
            return self._add_spooled_file_and_set_kind(
                item, await self._fallback(item.story, asker)
            )
        return self._add_spooled_file_and_set_kind(
            item, await self._media.fetch(url, max_bytes=self._largest)
        )

    def _raise_if_slow(self, url: str) -> None:
        """Raise an error if the host is slow, so that alerts add no load to a slow host.

        Raises:
            SlowHostError: The host has been slow for less than two minutes.
            MediaUnavailableError: The host has been slow for at least two minutes.
        """
        since = self._media.slow_since(url)
        if since is not None:
            is_new = self._now() < since + _SLOW_FOR
            raise SlowHostError if is_new else MediaUnavailableError("its host is slow")

    async def _buy_as_source(self, item: Item, asker: Asker) -> Source | None:
        if item.is_free or self._fallback is None or item.story.expires_at <= self._now():
            return None  # an expired story cannot be bought; a free item must not be bought
        if item.has_spool_error:
            return None  # the bought file could not be stored either, so the credit would be lost
        if is_pasted(item.story):
            # ``_download_as_source`` has already tried to buy the file of a pasted URL, and a
            # second purchase would be useless.
            return None
        # If the file has no usable URL, no download has shown whether a file can be stored.
        await self._media.raise_if_spool_is_unwritable()
        is_alert = asker.chat_id is None
        if is_alert and not self._reserve_purchase_or_mark_item(item):
            return None
        try:
            file = await self._buy_unless_recently_failed(item.story, asker, self._fallback)
        except SpendingError:
            if is_alert:  # no credits were spent, because the API was not called
                self._ensure_record(item).remove_purchase_record()
            raise
        if file is None:
            if is_alert:
                self._ensure_record(item).remove_purchase_record()
            raise MediaUnavailableError("another of its files could not be bought")
        source = self._add_spooled_file_and_set_kind(item, file)
        item.later = False
        return source

    def _reserve_purchase_or_mark_item(self, item: Item) -> bool:
        """Record that the story is being bought for an alert. Return True.

        If the story is gone, or a purchase began less than an hour ago, record no purchase and
        return False. The item is then marked as gone, or may be marked for a later retry.
        """
        record, now = self._ensure_record(item), self._now()
        if record.is_gone:
            _mark_gone(item)
            return False
        if record.has_recent_purchase(now):
            if not record.may_be_gone:
                _mark_for_later_unless_downloaded(item)
            return False
        record.record_start_of_purchase(now)
        return True

    async def _buy_unless_recently_failed(
        self, story: Story, asker: Asker, buy: Fallback
    ) -> MediaFile | None:
        """Buy a file for 1 credit. Return None if recent failures for the profile prevent this.

        Before a first success, only one purchase for the profile runs at a time. The caller must
        remove the file.

        Raises:
            SpendingError: The bot is not allowed to spend the credit.
            StoriesError: The API failed.
            MediaError: The file could not be downloaded.
        """
        profile = _profile_key(story)
        purchases = self._purchases.get(profile, now=self._now())
        if purchases is None:
            purchases = self._cache_purchases(profile, _Purchases())
        async with purchases.lock:
            if purchases.succeeded is False:
                return None
            if purchases.succeeded is None:
                if asker.chat_id is None and self._is_other_story_refused(story):
                    return None
                return await self._buy_and_record_success(story, asker, buy, purchases)
        return await buy(story, asker)

    def _is_other_story_refused(self, story: Story) -> bool:
        """Return whether the API refused another story of the same profile to an alert.

        Only refusals in the last 3 hours count (``_record_refused_story``).

        Without this rule, a person could spend credits of the schedule with stories that wait to
        be sent, by deleting the stories or restricting the account.
        """
        refused = self._refused_stories.get(_profile_key(story), now=self._now())
        return refused not in {None, story.pk}

    async def _buy_and_record_success(
        self, story: Story, asker: Asker, buy: Fallback, purchases: _Purchases
    ) -> MediaFile:
        """Buy a file for 1 credit, and record whether files of the profile can be bought.

        Raises:
            SpendingError: The bot is not allowed to spend the credit.
            StoriesError: The API failed.
            MediaError: The file could not be downloaded.
        """
        profile = _profile_key(story)
        try:
            file = await buy(story, asker)
        except MediaError as error:
            purchases.succeeded = isinstance(error, MediaTooBigError)
            raise
        except StoriesError as error:
            # After an error with an unknown bill, the API may be down, so the error does not limit
            # the purchases of other stories.
            if asker.chat_id is None and (error.credits or isinstance(error, _NO)):
                self._record_refused_story(story)
            raise
        else:
            purchases.succeeded = True
            if self._refused_stories.get(profile, now=self._now()) == story.pk:
                self._refused_stories.remove(profile)
            return file
        finally:
            if purchases.succeeded is not None:
                self._cache_purchases(profile, purchases)

    def _record_refused_story(self, story: Story) -> None:
        """Record that the API refused a story to an alert, unless such a record exists.

        Alerts buy a refused story again each hour. If each refusal extended the record, a single
        story could prevent the purchases of the other stories until these stories expire.
        """
        profile, now = _profile_key(story), self._now()
        if self._refused_stories.get(profile, now=now) is None:
            self._refused_stories.put(profile, story.pk, until=now + _REFUSED_FOR)

    def _cache_purchases(self, profile: str, purchases: _Purchases) -> _Purchases:
        self._purchases.put(profile, purchases, until=self._now() + FAILED_FOR)
        return purchases

    def _add_spooled_file_and_set_kind(self, item: Item, file: MediaFile) -> ByUpload:
        """Add a file to ``item.spooled``, set the kind of the item, and return the upload.

        A photo of more than 10 MiB becomes a document.
        """
        item.spooled.append(file)
        as_document = item.as_file or (file.kind == "photo" and file.size > _LARGEST_PHOTO)
        item.kind = "document" if as_document else file.kind
        return ByUpload(file)

    def _record_source_failure(self, item: Item, error: BotError) -> None:
        log.info("source failed", story=item.story.pk, error=type(error).__name__, why=str(error))
        if isinstance(error, MediaTooBigError):
            # A later retry is useless, because the file would have the same size.
            item.later = False
            self.fail_item(item, error.text)
        elif isinstance(error, MediaUnavailableError):
            item.later = True
            item.reason = error.text
            item.has_spool_error = item.has_spool_error or error.is_of_spool
        elif isinstance(error, MediaError):
            item.reason = error.text
        elif isinstance(error, _NO):
            record = self._ensure_record(item)
            record.count_gone_answer()
            if record.is_gone:
                _mark_gone(item)
        elif isinstance(error, ApiUnavailableError | OutOfServiceError):
            _mark_for_later_unless_downloaded(item)
            item.reason = MediaUnavailableError.text
        elif isinstance(error, SpendingError):
            item.reason = error.text if isinstance(error, PastedLimitError) else item.reason
            _mark_for_later_unless_downloaded(item)


def _profile_key(story: Story) -> str:
    """Return the id of a story's profile, or the username if the id is unknown."""
    return story.profile.profile_id or story.profile.username


def _mark_gone(item: Item) -> None:
    """Mark the story of an item as gone (``StoryRecord.is_gone``)."""
    item.later, item.reason = False, MEDIA_GONE


def _mark_for_later_unless_downloaded(item: Item) -> None:
    """Mark an item for a later retry, unless a file of the item was downloaded.

    An earlier mark stays.
    """
    item.later = item.later or not item.spooled


def is_pasted(story: Story) -> bool:
    """Return whether a story was made from the URL of a file that a person has pasted."""
    return not story.profile.username and story_taken_at(story.pk) is None
