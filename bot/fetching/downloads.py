"""The last way to a story's file, and who pays for it."""

from dataclasses import dataclass

from bot.billing.ledger import Ledger, Payer
from bot.domain.model import Asker, Story
from bot.media.spool import MediaFile, Spool
from bot.stories_api.client import StoriesApi


@dataclass(frozen=True, slots=True)
class Downloads:
    """Downloads through the Stories API, for 1 credit."""

    api: StoriesApi
    ledger: Ledger
    spool: Spool

    async def __call__(self, story: Story, asker: Asker) -> MediaFile:
        """Return a story's file; an alert, which no chat asked for, is paid by the schedule."""
        alert = Payer("schedule", profile_id=story.profile.profile_id)
        payer = alert if asker.chat_id is None else Payer("media", asker)
        return await self.ledger.spend(payer, self.api.download(story, self.spool))
