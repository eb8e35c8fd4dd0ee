"""What can be shown in any chat at no cost: held stories, by what somebody types."""

from collections.abc import Callable
from collections.abc import Set as AbstractSet
from datetime import datetime

from bot.domain.alert_rules import is_blocked
from bot.domain.links import Link
from bot.domain.model import Story
from bot.domain.records import KnownFile
from bot.fetching.names import VALID_FOR
from bot.store import answers, held, profiles
from bot.store.engine.database import Database

MOST = 50  # results; Bot API, answerInlineQuery


class Held:
    """Finds held stories; nothing is ever asked of the Stories API."""

    def __init__(
        self, db: Database, *, blocked: AbstractSet[str], now: Callable[[], datetime]
    ) -> None:
        """``blocked`` profiles, by id or name, are never shown."""
        self._db = db
        self._blocked = blocked
        self._now = now

    async def stories(
        self, person: int, bot_id: int, beginning: str | None, link: Link | None
    ) -> list[tuple[Story, KnownFile]]:
        """Return what is held of a ``link`` or name, the newest first.

        And of what the person follows, as far as its name has that ``beginning``; None of nothing.
        """
        now, name = self._now(), (link and link.username) or ""
        pk = link.story_id if link else None
        async with self._db.read() as tx:
            ids: set[str] = set()
            if beginning is not None:
                ids = await held.followed(tx, person, begins_with=beginning)
            if name and (known := await profiles.named(tx, name, since=now - VALID_FOR)):
                # What was said of the name a moment ago, private or gone, is said in chats, too.
                is_refused = await answers.get(tx, answers.verdict_key(name), now=now)
                ids = ids - {known.profile_id} if is_refused else ids | {known.profile_id}
            result = await held.newest(tx, bot_id, ids, pk=pk, now=now, most=MOST)
        return [
            (story, file)
            for story, file in result
            if not is_blocked(story.profile.profile_id, story.profile.username, self._blocked)
        ]
