"""The last way to a story's file, and who pays for it."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from bot.billing.ledger import Ledger, Payer
from bot.domain.model import MEGABYTE, Asker, Story
from bot.media.spool import MediaFile, Spool
from bot.sending.sources import is_pasted
from bot.stories_api.client import StoriesApi


@dataclass(frozen=True, slots=True)
class Downloads:
    """Downloads through the Stories API, for 1 credit; ``fetch`` gets what somebody has pasted."""

    api: StoriesApi
    ledger: Ledger
    spool: Spool
    fetch: Callable[[str], Awaitable[MediaFile]]

    async def __call__(self, story: Story, asker: Asker) -> MediaFile:
        """Return a story's file; an alert, which no chat asked for, is paid by the schedule.

        A pasted address of a file costs no credit: so its bytes are counted.
        """
        if is_pasted(story):
            await self.ledger.take_megabytes(asker, 1)
            file = await self.fetch(story.media_url or "")
            await self.ledger.take_megabytes(asker, file.size // MEGABYTE, most=10**9)
            return file
        alert = Payer("schedule", profile_id=story.profile.profile_id)
        payer = alert if asker.chat_id is None else Payer("media", asker)
        return await self.ledger.spend(payer, self.api.download(story, self.spool))
