"""An album out, from the cheapest source that works; one bad item never costs the rest.

Only what came back as a message has arrived. A media group that fails has delivered nothing
(TDLib, MessagesManager::do_send_message_group).
"""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime
from functools import reduce

from telegram.ext import ExtBot

from bot.domain.alert_rules import combine_missing_rights
from bot.domain.errors import DatabaseUnavailableError
from bot.domain.model import (
    LARGEST_FILE,
    ORIGINAL,
    Album,
    Asker,
    Muted,
    Outcome,
    Sent,
    Story,
    Target,
    TryLater,
)
from bot.media.download import Media
from bot.sending.attempts import Attempts, SendRequest
from bot.sending.file_ids import PATIENCE, Files, StillUploadedError
from bot.sending.items import Item, SendOptions, Text
from bot.sending.sources import Fallback, Supply
from bot.store.engine.database import Database
from bot.telegram.api import Leaving
from bot.telegram.flood_limits import Lane

__all__ = ["Fallback", "SendOptions", "Sender"]

_NO_ASKER = Asker(None)
_PLAIN = SendOptions()


class Sender:
    """The only one that sends media."""

    def __init__(
        self,
        bot: ExtBot[None],
        media: Media,
        db: Database,
        *,
        fallback: Fallback | None = None,
        largest_file: int = LARGEST_FILE,
        tell: Callable[[str], Awaitable[None]] | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """Take the parts; ``fallback`` downloads a story through the API and pays for it.

        Telegram takes ``largest_file`` bytes. ``tell`` is called with the words of a refusal that
        we don't know.
        """
        self._files = Files(db, bot_id=lambda: bot.id, now=now)
        supply = Supply(
            self._files, media, fallback=fallback, tell=tell, now=now, largest=largest_file
        )
        self._attempts = Attempts(bot, self._files, supply, now=now)

    async def send_album(
        self,
        target: Target,
        album: Album,
        *,
        caption_html: str | None = None,
        options: SendOptions = _PLAIN,
        lane: Lane = "reply",
        asker: Asker = _NO_ASKER,
        leaving: Leaving | None = None,
    ) -> Outcome:
        """Send the stories of ``album`` to ``target``; ``asker`` pays if the API must be asked.

        ``leaving`` is told right before each request that may put some of it into ``target``.

        The caption stands at the first item. TryLater names in ``items`` what did arrive: the
        rest may be sent again. The same story is uploaded once, whoever else sends it meanwhile:
        a person waits for that, an alert comes again where it takes long, and others go before.
        """
        request = SendRequest(target, Text(caption_html), options, lane, asker, leaving=leaving)
        suffix = ORIGINAL if options.as_files else ""
        keys = [story.pk + suffix for story in album.stories]
        try:
            patience = PATIENCE if lane == "alert" else None
            async with self._files.reserve_unknown(keys, patience=patience):
                return await self._send(album.stories, request)
        except StillUploadedError:
            return TryLater(reason="another uploads it")

    async def _send(self, stories: tuple[Story, ...], request: SendRequest) -> Outcome:
        as_files = request.options.as_files
        items = [Item(story, story.kind, as_file=as_files) for story in stories]
        for item in items:
            item.kind = item.expected_kind
        try:
            stopped = await self._attempts.send_open_items(items, request)
        except DatabaseUnavailableError as error:  # between two requests: what arrived is known
            stopped = TryLater(reason=str(error))
        finally:
            for item in items:
                for file in item.spooled:
                    file.remove()
        return _album_outcome(items, stopped, request.lane)


def _album_outcome(items: list[Item], stopped: Outcome | None, lane: Lane) -> Outcome:
    """Return what came of a whole album.

    An alert waits for what may work later; a person gets the sentence now.
    """
    sent = tuple(item.sent for item in items if item.sent)
    ended = [item for item in items if item.failed]
    over = [item for item in ended if lane != "alert" or not item.later]
    failed = {item.story.pk: item.failed for item in over}
    if isinstance(stopped, TryLater | Muted):
        return replace(stopped, items=sent, failed=failed)
    if stopped is not None:
        return replace(stopped, items=sent)
    if len(over) < len(ended):
        return TryLater(reason="media unavailable", items=sent, failed=failed)
    missing = [item.refused for item in items if item.refused]
    if missing:
        return Muted(reduce(combine_missing_rights, missing), items=sent, failed=failed)
    return Sent(sent, failed)
