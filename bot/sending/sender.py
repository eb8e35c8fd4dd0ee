"""Sending albums. Each file comes from the cheapest source that works.

If an item fails, the other items are usually still sent. An item counts as arrived only if
Telegram returned its message.
"""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import datetime, timedelta
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
from bot.runtime.clock import utc_now
from bot.sending.attempts import Attempts, NotStopped, SendRequest
from bot.sending.file_ids import MAX_RESERVATION_AGE, Files
from bot.sending.items import Item, SendOptions, Text
from bot.sending.sources import Fallback, Supply
from bot.store.engine.database import Database
from bot.telegram.calls import Calls

__all__ = ["Fallback", "SendOptions", "Sender"]

_NO_ASKER = Asker(None)
_PLAIN = SendOptions()


class Sender:
    """Sends the photos and videos of stories."""

    def __init__(
        self,
        bot: ExtBot[None],
        media: Media,
        db: Database,
        *,
        fallback: Fallback | None = None,
        largest_file: int = LARGEST_FILE,
        tell: Callable[[str], Awaitable[None]] | None = None,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        """Create the sender.

        ``fallback`` downloads a story through the API for 1 credit, or a pasted URL for at most 1
        credit. ``largest_file`` is in bytes. ``tell`` is called with unknown error messages of
        Telegram, at most once an hour for the same message.
        """
        self._bot = bot
        self._files = Files(db, bot_id=lambda: bot.id, now=now)
        supply = Supply(
            self._files, media, fallback=fallback, tell=tell, now=now, largest=largest_file
        )
        self._attempts = Attempts(self._files, supply, now=now)

    async def send_album_and_buy_missing_files(
        self,
        target: Target,
        album: Album,
        *,
        caption_html: str | None = None,
        caption_for_count: Callable[[int], str] | None = None,
        options: SendOptions = _PLAIN,
        calls: Calls | None = None,
        asker: Asker = _NO_ASKER,
    ) -> Outcome:
        """Send the stories of ``album`` to ``target``. Return the outcome.

        ``asker`` pays 1 credit for each bought file. If ``asker`` has no chat, the schedule's
        budget pays. If some stories can't be sent, ``caption_for_count`` returns the caption. If
        another sender is uploading a story, a reply waits for the upload, and an alert waits until
        the upload is 5 seconds old. The stories in ``TryLater.items`` have arrived.

        Raises:
            DatabaseUnavailableError: The database failed before a story arrived. Nothing was sent.
        """
        calls = calls or Calls(self._bot)
        request = SendRequest(
            target,
            Text(caption_html, len(album.stories), caption_for_count=caption_for_count),
            options,
            calls,
            asker,
        )
        suffix = ORIGINAL if options.as_files else ""
        keys = [story.pk + suffix for story in album.stories]
        max_reservation_age = MAX_RESERVATION_AGE if request.is_alert else None
        async with self._files.wait_and_reserve_unknown(
            keys, max_reservation_age=max_reservation_age
        ) as known:
            if isinstance(known, timedelta):
                return TryLater(reason="another uploads it", upload_age=known)
            return await self._send_and_remove_files(album.stories, request)

    async def _send_and_remove_files(
        self, stories: tuple[Story, ...], request: SendRequest
    ) -> Outcome:
        options = request.options
        items = [
            Item(story, as_file=options.as_files, is_free=options.is_free) for story in stories
        ]
        try:
            stopped = await self._attempts.send_open_items_and_set_results(items, request)
        except DatabaseUnavailableError as error:
            if not any(item.sent or item.failed for item in items):
                raise
            # Return an outcome with the stories that have arrived, so that only the other stories
            # are sent again.
            stopped = TryLater(reason=str(error))
        finally:
            for item in items:
                for file in item.spooled:
                    file.remove()
        return _album_outcome(items, stopped, is_alert=request.is_alert)


def _album_outcome(items: list[Item], stopped: Outcome | NotStopped, *, is_alert: bool) -> Outcome:
    """Return the outcome of an album, with the items that have arrived.

    If the send stopped early, ``stopped`` decides. Otherwise a possible retry of an alert, a
    missing right, and success decide, in this order.
    """
    sent = tuple(item.sent for item in items if item.sent)
    ended = [item for item in items if item.failed]
    over = [item for item in ended if not (is_alert and item.later)]
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
