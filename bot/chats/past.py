"""What a chat was sent, again: by file_id, at no cost, where its subscription keeps stories."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from bot.domain import alert_rules
from bot.domain.albums import plan_albums
from bot.domain.errors import NOTHING_KEPT_OF_THAT_TIME, NothingKeptError, SubscriptionError
from bot.domain.model import ORIGINAL, Album, Story
from bot.domain.records import EPOCH, KnownFile
from bot.store import deliveries, file_ids, kept_stories, profiles
from bot.store.engine.database import Database
from bot.store.kept_stories import Kept
from bot.updates.unit_of_work import fetch, reading, writing

MOST = 30  # stories at once: three albums
_LENT = timedelta(hours=1)  # how long a file_id is at hand for the album that is to go
_IN_ALBUMS = frozenset({"photo", "video"})  # Bot API, sendMediaGroup: others go alone here


@dataclass(frozen=True, slots=True)
class Page:
    """Albums to send, oldest first; ``more`` tells how many were shown where there are more."""

    albums: tuple[Album, ...]
    more: int | None = None
    originals: frozenset[str] = frozenset()
    """The stories that were sent as files, and are again."""


class Past:
    """Finds what a chat was sent; nothing of it is asked of the Stories API."""

    def __init__(
        self, db: Database, *, blocked: Collection[str], now: Callable[[], datetime]
    ) -> None:
        """``blocked`` profiles, by id or name, are never shown."""
        self._db = db
        self._blocked = blocked
        self._now = now

    async def latest_page(
        self,
        chat_id: int,
        bot_id: int,
        username: str,
        *,
        within: timedelta = alert_rules.KEPT_FOR,
        offset: int = 0,
    ) -> Page:
        """Return the latest stories of a profile that the chat was sent, and put them at hand.

        ``offset`` newer ones are left out; at most 30 come. 0 credits.

        Raises:
            NothingKeptError: There is nothing of it.
            SubscriptionError: The chat keeps stories of the profile, but none of that time.
        """
        now = self._now()
        async with reading(self._db) as tx:
            known = await profiles.named(tx, username, since=EPOCH)
            owner_id = known.profile_id if known else None
            profile_id = await kept_stories.profile_named(tx, chat_id, bot_id, owner_id, username)
            if profile_id is None:
                raise NothingKeptError(username=username)
            result = await kept_stories.latest(
                tx,
                chat_id,
                bot_id,
                profile_id,
                since=now - within,
                offset=offset,
                limit=MOST + 1,
            )
            owner = await profiles.get(tx, profile_id)  # it may have another name by now
        names = {username, owner.username if owner else username}
        if any(alert_rules.is_on_block_list(profile_id, name, self._blocked) for name in names):
            raise NothingKeptError(username=username)
        if not result:
            is_all = within >= alert_rules.KEPT_FOR
            if is_all:
                raise NothingKeptError(username=username)
            raise SubscriptionError(text=NOTHING_KEPT_OF_THAT_TIME, username=username)
        shown = result[:MOST]
        async with writing(self._db) as tx:
            lent = {one.story.pk: max(one.story.expires_at, now + _LENT) for one in shown}
            originals = {one.story.pk for one in shown if one.kind == "document"}
            files = {
                one.story.pk + (ORIGINAL if one.story.pk in originals else ""): KnownFile(
                    one.kind, one.file_id, one.file_unique_id, until=lent[one.story.pk]
                )
                for one in shown
            }
            await file_ids.remember(tx, bot_id, files)
        more = None if len(result) <= MOST else offset + MOST
        return Page(tuple(_pack_albums(shown)), more, frozenset(originals))

    async def is_alert(self, chat_id: int, message_id: int) -> bool:
        """Return whether a message is what the bot has brought to a chat within three days."""
        return await fetch(self._db, lambda tx: deliveries.is_alert(tx, chat_id, message_id))


def _pack_albums(result: Sequence[Kept]) -> list[Album]:
    """Return albums, oldest first, of what an album takes, and the others alone.

    A story's addresses are over by now: only its file_id is left.
    """
    made: list[Album] = []
    run: list[Story] = []
    for one in sorted(result, key=lambda one: (one.story.taken_at, one.story.pk)):
        story = replace(one.story, media_url=None)
        if one.kind in _IN_ALBUMS:
            run.append(story)
            continue
        made += [*plan_albums(run), Album((story,))]
        run = []
    return [*made, *plan_albums(run)]
