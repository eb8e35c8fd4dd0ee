"""The search of kept stories. The search costs 0 credits.

A found story is sent again by file_id for 0 credits. If Telegram refuses the file_id of a live
story, the sender may buy the file for 1 credit.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from bot.domain import alert_rules
from bot.domain.albums import plan_albums
from bot.domain.errors import (
    NOTHING_FOUND,
    NOTHING_KEPT_OF_THAT_TIME,
    BotError,
    NothingKeptError,
    SubscriptionError,
)
from bot.domain.model import ORIGINAL, Album, FromNewest, Story
from bot.domain.past_search import Search, story_fits_all
from bot.domain.records import EPOCH, KnownFile
from bot.store import deliveries, file_ids, kept_stories, profiles
from bot.store.engine.database import Database, Tx
from bot.store.kept_stories import Kept
from bot.updates.unit_of_work import join_or_begin_read, join_or_begin_transaction

MOST = 30  # maximum number of stories per page; 30 stories of one profile fill three albums
_BATCH = 500  # the number of kept stories that a search reads at a time
# The minimum time for which a search stores the file_id of a found story. ``bot.sending`` reads
# the file_id to send the story.
_FILES_VALID_FOR = timedelta(hours=1)
# Kinds of media that can be in an album (Bot API, sendMediaGroup). Media of other kinds are sent
# alone.
_IN_ALBUMS = frozenset({"photo", "video"})


@dataclass(frozen=True, slots=True)
class Page:
    """The albums to send for one page of results. Each album has stories of a single profile.

    The profile with the oldest story is first. ``more`` is the pk of the oldest story of the page,
    or None on the last page.
    """

    albums: tuple[Album, ...]
    more: str | None = None
    originals: frozenset[str] = frozenset()
    """The pks of the stories that are sent as documents.

    These stories were also sent as documents the first time.
    """


@dataclass(frozen=True, slots=True)
class _Scope:
    """The kept stories that a search includes. ``profile_id`` is None for all profiles."""

    chat_id: int
    bot_id: int
    profile_id: str | None
    terms: tuple[str, ...]
    since: datetime
    hidden: frozenset[str]
    """The ids of the profiles on the block list."""


class Past:
    """The use case that finds the kept stories of a chat without calls of the Stories API."""

    def __init__(
        self, db: Database, *, blocked: Collection[str], now: Callable[[], datetime]
    ) -> None:
        """Read from ``db``. Profiles in ``blocked``, by id or name, are never shown."""
        self._db = db
        self._blocked = blocked
        self._now = now

    async def find_page_and_store_file_ids(
        self, chat_id: int, bot_id: int, search: Search, *, before: str | FromNewest = None
    ) -> Page:
        """Return a page of at most 30 kept stories that match a search, the latest first.

        The file_ids are stored for the sender. If ``before`` is the pk of a kept story, the page
        has older stories. The cost is 0 credits.

        Raises:
            NothingKeptError: The chat has no kept story (of the profile), or the profile is
                blocked.
            SubscriptionError: The chat has kept stories, but none that match the search.
        """
        now = self._now()
        within = alert_rules.KEPT_FOR
        if search.days is not None:
            within = min(within, timedelta(days=search.days))
        async with join_or_begin_read(self._db) as tx:
            scope = await self._read_search_scope(
                tx, chat_id, bot_id, search, posted_since=now - within
            )
            found = await _read_matching_kept_stories(tx, scope, before)
            if not found:
                raise await _nothing_found_error(tx, scope, search)
        shown = found[:MOST]
        await self._store_file_ids(bot_id, shown, now)
        originals = {kept.story.pk for kept in shown if kept.kind == "document"}
        more = shown[-1].story.pk if len(found) > MOST else None
        return Page(tuple(_pack_albums(shown)), more, frozenset(originals))

    async def _read_search_scope(
        self, tx: Tx, chat_id: int, bot_id: int, search: Search, *, posted_since: datetime
    ) -> _Scope:
        """Return the kept stories among which the bot searches.

        If the first word of the search is the username of a profile with kept stories, the bot
        searches only the stories of this profile.

        Raises:
            NothingKeptError: The first word names a blocked profile, or can only be a username,
                but no profile with this username has kept stories.
        """
        profile_id = None
        if search.username is not None:
            known = await profiles.find_by_username(tx, search.username, named_since=EPOCH)
            owner_id = known.profile_id if known else None
            profile_id = await kept_stories.profile_id_with_kept_stories(
                tx, chat_id, bot_id, owner_id, search.username
            )
        hidden: frozenset[str] = frozenset()
        if self._blocked:
            hidden = await kept_stories.profile_ids_among(tx, chat_id, bot_id, self._blocked)
        if profile_id in hidden or (profile_id is None and not search.first_term):
            raise NothingKeptError(username=search.username or "")
        terms = search.all_terms if profile_id is None else search.terms
        return _Scope(chat_id, bot_id, profile_id, terms, posted_since, hidden)

    async def _store_file_ids(self, bot_id: int, shown: Sequence[Kept], now: datetime) -> None:
        """Store the file_ids of kept stories for at least an hour.

        ``bot.sending`` reads the file_ids to send the stories.
        """
        files = {
            kept.story.pk + (ORIGINAL if kept.kind == "document" else ""): KnownFile(
                kept.kind,
                kept.file_id,
                kept.file_unique_id,
                until=max(kept.story.expires_at, now + _FILES_VALID_FOR),
            )
            for kept in shown
        }
        async with join_or_begin_transaction(self._db) as tx:
            await file_ids.store_files(tx, bot_id, files)

    async def is_recent_alert(self, chat_id: int, message_id: int) -> bool:
        """Return whether a message is an alert or a notice that the bot sent to the chat.

        Sent deliveries are kept for about three days. For older messages, return False.
        """
        async with join_or_begin_read(self._db) as tx:
            return await deliveries.is_recent_alert(tx, chat_id, message_id)


async def _read_matching_kept_stories(
    tx: Tx, scope: _Scope, before: str | FromNewest
) -> list[Kept]:
    """Return the stories of a page, newest first, and one more story if a further page exists.

    The stories are read in batches, because a chat may keep very many stories.
    """
    batch = _BATCH if scope.terms or scope.hidden else MOST + 1
    found: list[Kept] = []
    while True:
        rows, before = await kept_stories.latest_and_next_cursor(
            tx,
            scope.chat_id,
            scope.bot_id,
            scope.profile_id,
            posted_since=scope.since,
            before=before,
            limit=batch,
        )
        found += [
            kept
            for kept in rows
            if kept.story.profile.profile_id not in scope.hidden
            and story_fits_all(kept.story, scope.terms)
        ]
        if before is None or len(found) > MOST:
            return found[: MOST + 1]


async def _nothing_found_error(tx: Tx, scope: _Scope, search: Search) -> BotError:
    """Return the error whose text is the reason why a search has no result."""
    if scope.profile_id is not None and not search.terms:
        if search.days is None or search.days >= alert_rules.KEPT_FOR.days:
            return NothingKeptError(username=search.username or "")
        return SubscriptionError(text=NOTHING_KEPT_OF_THAT_TIME, username=search.username or "")
    if await kept_stories.has_any(tx, scope.chat_id, scope.bot_id):
        return SubscriptionError(text=NOTHING_FOUND, terms=search.text)
    if search.may_name_website:
        return NothingKeptError(username=search.username or "")
    return NothingKeptError()


def _pack_albums(result: Sequence[Kept]) -> list[Album]:
    """Group stories into albums. Each album has stories of a single profile, oldest first.

    The profiles are sorted by their oldest stories. Some kinds of stories are sent alone.
    """
    by_profile: dict[str, list[Kept]] = {}
    for kept in sorted(result, key=lambda kept: (kept.story.taken_at, kept.story.pk)):
        by_profile.setdefault(kept.story.profile.profile_id, []).append(kept)
    return [album for rows in by_profile.values() for album in _pack_albums_of_profile(rows)]


def _pack_albums_of_profile(rows: Sequence[Kept]) -> list[Album]:
    """Group the stories of a profile into albums, in the order of ``rows``.

    The media URLs are removed, because the URLs may have expired. The files are sent by file_id.
    """
    made: list[Album] = []
    run: list[Story] = []
    for kept in rows:
        story = replace(kept.story, media_url=None)
        if kept.kind in _IN_ALBUMS:
            run.append(story)
            continue
        made += [*plan_albums(run), Album((story,))]
        run = []
    return [*made, *plan_albums(run)]
