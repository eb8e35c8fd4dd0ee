"""Repeated sends of kept stories: by file_id, at no cost."""

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

MOST = 30  # maximum number of stories per page, which fill three albums
# The minimum remaining validity of a stored file_id, for the following send.
_LENT = timedelta(hours=1)
# Kinds that can be in an album (Bot API, sendMediaGroup). Other kinds are sent alone.
_IN_ALBUMS = frozenset({"photo", "video"})


@dataclass(frozen=True, slots=True)
class Page:
    """Albums to send, oldest first.

    ``more`` is the number of stories shown so far, or None after the last page.
    """

    albums: tuple[Album, ...]
    more: int | None = None
    originals: frozenset[str] = frozenset()
    """The stories that are sent as documents, like the first time."""


class Past:
    """Finds the kept stories of a chat without calls of the Stories API."""

    def __init__(
        self, db: Database, *, blocked: Collection[str], now: Callable[[], datetime]
    ) -> None:
        """Read from ``db``; ``blocked`` profiles (ids or names) are never shown."""
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
        """Return the latest kept stories of a profile, and store the file_ids for the sender.

        ``offset`` newer stories are skipped. A page has at most 30 stories. Cost: 0 credits.

        Raises:
            NothingKeptError: The chat has no kept story of the profile, or the profile is blocked.
            SubscriptionError: The chat has kept stories of the profile, but none of this period.
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
            # The current name, because the profile may have been renamed.
            owner = await profiles.get(tx, profile_id)
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
        """Return whether a message is an alert that the bot sent to the chat within three days."""
        return await fetch(self._db, lambda tx: deliveries.is_alert(tx, chat_id, message_id))


def _pack_albums(result: Sequence[Kept]) -> list[Album]:
    """Group stories into albums, oldest first; kinds that can't be in an album are sent alone.

    The media URLs have expired and are removed, so only the file_ids remain.
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
