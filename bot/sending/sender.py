"""The sending of albums from the cheapest source that works.

A failed item does not affect other items, except if items must arrive in order. An item has
arrived only if Telegram returned its message. If Telegram rejects the content of an album, nothing
of the album was sent (TDLib, MessagesManager::do_send_message_group). After a 429 response or a
lost answer, a part may have been sent.
"""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import datetime
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
    """Sends all photos and videos of the bot."""

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

        ``fallback`` downloads a story through the API for 1 credit. ``fallback`` also downloads a
        pasted URL for 0 credits, or for 1 credit if the media host refuses the bot and the URL is
        signed.

        ``largest_file`` is Telegram's limit in bytes. ``tell`` is called with the text of an
        unknown error message of Telegram. After the first call, ``tell`` is called again for the
        same message only if the message has not occurred for an hour.
        """
        self._bot = bot
        self._files = Files(db, bot_id=lambda: bot.id, now=now)
        supply = Supply(
            self._files, media, fallback=fallback, tell=tell, now=now, largest=largest_file
        )
        self._attempts = Attempts(self._files, supply, now=now)

    async def send_album(
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

        A file that must be bought costs 1 credit. ``asker`` pays the credit. For an ``asker``
        without a chat, the budget of the schedule pays.

        ``calls`` makes the requests. Without ``calls``, the album is sent as a reply, and the
        requests are not recorded. The first item has the caption. If some stories can't be sent,
        ``caption_for_count`` returns the caption for the remaining number of stories.

        In the outcome, ``TryLater.items`` are the stories that have arrived. Only the other
        stories may be sent again. If a different sender uploads one of the stories, wait for the
        upload. If an alert would have to wait for an upload that began more than 5 seconds ago,
        return ``TryLater`` instead.

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
        async with self._files.reserve_unknown_unless_busy(
            keys, max_reservation_age=max_reservation_age
        ) as known:
            if known is None:
                return TryLater(reason="another uploads it")
            return await self._send_and_remove_files(album.stories, request)

    async def _send_and_remove_files(
        self, stories: tuple[Story, ...], request: SendRequest
    ) -> Outcome:
        options = request.options
        items = [
            Item(story, as_file=options.as_files, is_free=options.is_free) for story in stories
        ]
        try:
            stopped = await self._attempts.send_open_items(items, request)
        except DatabaseUnavailableError as error:
            if not any(item.sent or item.failed for item in items):
                raise
            # The outcome must have the stories that have arrived.
            stopped = TryLater(reason=str(error))
        finally:
            for item in items:
                for file in item.spooled:
                    file.remove()
        return _album_outcome(items, stopped, is_alert=request.is_alert)


def _album_outcome(items: list[Item], stopped: Outcome | NotStopped, *, is_alert: bool) -> Outcome:
    """Return the outcome of a whole album.

    In a reply, items that may succeed later count as failed now. The first of these rules that
    applies determines the outcome:

    - If the send stopped before the end of the album, the outcome is ``stopped``, with the items
      that have arrived.
    - If items of an alert may succeed later, the outcome is ``TryLater``.
    - If items need a missing right, the outcome is ``Muted``.
    - Otherwise, the outcome is ``Sent``.
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
