"""Paid downloads of story files, tried after all free sources and charged to the ledger."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol

from bot.billing.ledger import Charge, Ledger
from bot.domain.model import MEGABYTE, Asker, Story
from bot.domain.paid_calls import Call
from bot.media.spool import MediaFile, Spool
from bot.sending.sources import is_pasted


class DownloadsStories(Protocol):
    """The part of the paid API that downloads files."""

    def download(self, story: Story, spool: Spool) -> Call[MediaFile]:
        """Return the API call that downloads a story's file.

        The code that awaits the call must remove the file after use.
        """


@dataclass(frozen=True, slots=True)
class Downloads:
    """Downloads files through the Stories API for 1 credit each.

    ``fetch`` downloads a file from a pasted URL.
    """

    api: DownloadsStories
    ledger: Ledger
    spool: Spool
    fetch: Callable[[str], Awaitable[MediaFile]]

    async def __call__(self, story: Story, asker: Asker) -> MediaFile:
        """Return a story's file.

        The schedule pays for an alert, the asker for a reply. The download of a file from a pasted
        URL costs no credit; the size of the file counts against a daily limit of megabytes.

        Raises:
            PastedLimitError: The asker's daily limit of megabytes is exceeded.
        """
        if is_pasted(story):
            await self.ledger.take_megabytes(asker, 1)
            file = await self.fetch(story.media_url or "")
            await self.ledger.take_megabytes(asker, file.size // MEGABYTE, most=10**9)
            return file
        alert = Charge("schedule", profile_id=story.profile.profile_id)
        charge = alert if asker.chat_id is None else Charge("media", asker)
        return await self.ledger.spend(charge, self.api.download(story, self.spool))
