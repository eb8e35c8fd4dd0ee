"""Downloads through the paid API, for files that neither a URL nor a free download can supply."""

from collections.abc import Awaitable, Callable
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from bot.billing.ledger import Charge, Ledger
from bot.domain.alert_rules import is_on_block_list
from bot.domain.errors import (
    MEDIA_GONE,
    PROFILE_BLOCKED,
    MediaDeniedError,
    MediaError,
    ProfilePrivateError,
    StoriesError,
)
from bot.domain.model import MEGABYTE, Asker, Profile, Story
from bot.domain.paid_calls import PaidCall
from bot.media.spool import MediaFile, Spool
from bot.media.urls import expires_at
from bot.runtime.clock import utc_now
from bot.runtime.timed_cache import TimedCache
from bot.sending.sources import is_pasted

# The only key of ``_in_a_row``, which counts consecutive answers that name no account.
_UNNAMED = "answers without an account in a row"
# After this number of consecutive answers that name no account, no file of a pasted URL is bought.
_MOST_UNNAMED = 3
_NOT_BOUGHT_FOR = timedelta(days=1)


class DownloadsStories(Protocol):
    """The part of the paid API that downloads files."""

    def download(self, story: Story, spool: Spool) -> PaidCall[MediaFile]:
        """Return the API call that downloads a story's file, for 1 credit.

        The code that awaits the call must remove the file after use.

        Raises:
            StoriesError: The API failed, or the story is gone.
            MediaError: The file could not be downloaded.
        """

    def download_url(
        self, url: str, spool: Spool, *, refuse: Callable[[Profile | None], None]
    ) -> PaidCall[MediaFile]:
        """Return the API call that downloads the file at a URL of a media host, for 1 credit.

        ``refuse`` gets the account of the file, or None, and raises an error to refuse the file.
        The caller must remove the file.

        Raises:
            StoriesError: The API failed, or ``refuse`` refused the file.
            MediaError: The file could not be downloaded, or ``refuse`` refused the file.
        """


@dataclass(frozen=True, slots=True)
class Downloads:
    """Buys files through the Stories API, for 1 credit each.

    ``fetch`` downloads the file of a pasted URL without cost. If the media host refuses the bot,
    the file may be bought. After three consecutive bought files without the name of the account,
    no file of a pasted URL is bought for a day. ``blocked`` has ids and names of profiles.
    """

    api: DownloadsStories
    ledger: Ledger
    spool: Spool
    fetch: Callable[[str], Awaitable[MediaFile]]
    blocked: AbstractSet[str] = frozenset()
    now: Callable[[], datetime] = utc_now
    _in_a_row: TimedCache[str, int] = field(init=False, default_factory=TimedCache)

    async def __call__(self, story: Story, asker: Asker) -> MediaFile:
        """Return the file of a story. The caller must remove the file.

        The file of a story from the API costs 1 credit. The schedule pays for an alert, and
        ``asker`` or the chat's payer for a reply. The file of a pasted URL counts towards a daily
        limit of megabytes, and costs 1 credit only if the media host refuses the bot.

        Raises:
            PastedLimitError: The daily limit of megabytes is exceeded.
            NoPayerError: Neither a person nor a payer of the chat or channel is known.
            SpendingError: The credit is not allowed to be spent.
            MediaError: The file could not be downloaded, or its account is unknown.
            StoriesError: The API failed, or the profile is private or blocked.
        """
        if is_pasted(story):
            return await self._count_and_fetch_or_buy_pasted_file(story.media_url or "", asker)
        alert = Charge("schedule", profile_id=story.profile.profile_id)
        charge = alert if asker.chat_id is None else Charge("media", asker)
        return await self.ledger.reserve_call_and_settle(
            charge, self.api.download(story, self.spool)
        )

    async def _count_and_fetch_or_buy_pasted_file(self, url: str, asker: Asker) -> MediaFile:
        """Return the file at a pasted URL, and count megabytes towards the daily limit.

        If the media host refuses the bot, the file costs at most 1 credit, and otherwise 0
        credits. The errors are the same as in ``__call__``.
        """
        await self.ledger.count_pasted_megabytes(asker, 1)
        try:
            file = await self.fetch(url)
        except MediaDeniedError:
            # An unsigned URL is not bought. Instagram signs the URLs of all stories, so an
            # unsigned URL is not the URL of a story.
            if expires_at(url) is None or self._unnamed_answers_in_a_row() >= _MOST_UNNAMED:
                raise
            call = self.api.download_url(
                url, self.spool, refuse=self._count_unnamed_and_raise_unless_showable
            )
            return await self.ledger.reserve_call_and_settle(Charge("media", asker), call)
        await self.ledger.count_pasted_megabytes(asker, file.size // MEGABYTE, most=10**9)
        return file

    def _unnamed_answers_in_a_row(self) -> int:
        """Return the number of consecutive answers that named no account, up to the last answer.

        A day after the last answer that named no account, the number becomes 0.
        """
        return self._in_a_row.get(_UNNAMED, now=self.now()) or 0

    def _count_unnamed_and_raise_unless_showable(self, profile: Profile | None) -> None:
        """Raise an error if the bought file must not be shown.

        Also count an answer that names no account. Any other answer resets the count to 0.

        Raises:
            MediaError: The answer names no account.
            ProfilePrivateError: The account is private.
            StoriesError: The account is on the block list.
        """
        if profile is None:
            number = self._unnamed_answers_in_a_row() + 1
            self._in_a_row.put(_UNNAMED, number, until=self.now() + _NOT_BOUGHT_FOR)
            raise MediaError("the answer names no account", text=MEDIA_GONE)
        self._in_a_row.remove(_UNNAMED)
        if profile.is_private:
            raise ProfilePrivateError("a file of a private account", username=profile.username)
        if is_on_block_list(profile.profile_id, profile.username, self.blocked):
            raise StoriesError(text=PROFILE_BLOCKED, username=profile.username)
