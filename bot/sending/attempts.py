"""Sending an album to a chat. If Telegram refuses the album, smaller parts may be sent."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import takewhile
from typing import Any, TypeAlias

import structlog
from telegram.error import RetryAfter, TelegramError

from bot.domain.errors import MediaTooBigError
from bot.domain.model import Asker, Muted, Outcome, PermanentFailure, Right, Target, TryLater
from bot.domain.records import FileKind, KnownFile
from bot.runtime.background import run_together
from bot.sending.file_ids import Files
from bot.sending.items import (
    METHODS,
    ByFileId,
    ByUrl,
    Item,
    MessageJson,
    SendOptions,
    Text,
    arguments_to_send_alone,
    as_album_element,
    common_arguments,
    parse_sent_item_and_file,
)
from bot.sending.sources import Supply
from bot.telegram import api, outcomes
from bot.telegram.calls import Calls
from bot.telegram.outcomes import OF_FILES, Refusal

NotStopped: TypeAlias = None
"""None instead of an outcome means that nothing has stopped the send."""

log = structlog.get_logger()

# A reply waits for the end of a flood limit only if the flood limit lasts at most this time.
_FLOOD_PATIENCE = timedelta(seconds=30)
# The longest time, after the first error of an alert, in which the alert waits for flood limits.
_RETRY_PATIENCE = timedelta(seconds=12)
_MOST_FLOODS = 3  # maximum number of times that a reply is sent again after 429 responses
_AS_SENT: dict[Right, tuple[FileKind, ...]] = {
    "photos": ("photo",),
    "videos": ("video",),
    "documents": ("document",),
    "gifs": ("animation",),
}
"""The kinds of files that each right permits."""


@dataclass(slots=True)
class SendRequest:
    """A request to send an album: the target, the caption, the options and the current state."""

    target: Target
    text: Text
    options: SendOptions
    calls: Calls
    asker: Asker
    longest_wait_s: float | None = None
    """The longest single wait for a flood limit, in seconds."""
    floods: int = 0
    """The number of flood limits after which a reply was sent again."""
    until: datetime | None = None
    """The time until which an alert may wait for flood limits."""
    refused_alone: str = ""
    """The unknown error message, without numbers, that last postponed a story sent alone."""
    items: list[Item] = field(default_factory=list)

    @property
    def is_alert(self) -> bool:
        """Return whether the message is an alert. If not, the message is a reply to a person."""
        return self.calls.lane == "alert"


class Attempts:
    """Sends the items of an album. If Telegram refuses an item, the next source may be tried."""

    def __init__(
        self,
        files: Files,
        supply: Supply,
        *,
        now: Callable[[], datetime],
    ) -> None:
        """Store new file_ids in ``files``, and find the sources of items with ``supply``."""
        self._files = files
        self._supply = supply
        self._now = now

    async def send_open_items_and_set_results(
        self, items: list[Item], request: SendRequest
    ) -> Outcome | NotStopped:
        """Send the open items (``Item.is_open``), and store the results in ``items``.

        Return the outcome that stopped the send, or None. After a stop, items may still be open. A
        bought file costs 1 credit. The caller must remove the files in ``Item.spooled``.

        Raises:
            DatabaseUnavailableError: The number of sent copies can't be stored, a refused file_id
                can't be deleted, or a purchase can't be recorded. ``items`` shows which items have
                arrived.
        """
        request.items = items
        self._supply.set_known_files_as_sources(items)
        if request.is_alert:
            self._supply.postpone_refused_in_three_chats(items)
        sourceless = [item for item in items if item.source is None and item.is_open]
        find = self._supply.set_or_buy_next_source_or_fail
        # Downloads for several items run at the same time.
        await run_together(*(find(item, request.asker) for item in sourceless))
        return await self._send_all(items, request)

    async def _send_all(self, items: list[Item], request: SendRequest) -> Outcome | NotStopped:
        """Send items until no item can be sent any more. Each bought file costs 1 credit.

        Return the outcome that stopped the send, or None.
        """
        while waiting := _sendable(items, in_order=request.options.in_order):
            # An album contains either only documents or no documents. Some items must be sent
            # alone.
            groups = [
                item
                for item in takewhile(lambda candidate: not candidate.alone, waiting)
                if item.kind != "document" or request.options.as_files
            ]
            is_album = len(groups) > 1 and not request.options.one_by_one
            batch = groups if is_album else waiting[:1]
            if stopped := await self._send_batch_and_store_file_ids(batch, request):
                return stopped
        return None

    async def _send_batch_and_store_file_ids(
        self, batch: list[Item], request: SendRequest
    ) -> Outcome | NotStopped:
        shown = sum(item.is_open or item.sent is not None for item in request.items)
        request.text.set_story_count_in_caption(shown)
        try:
            send = self._send_group if len(batch) > 1 else self._send_single
            messages = await send(batch, request)
        except TelegramError as error:
            log.info("not sent", chat=request.target.chat_id, n=len(batch), why=str(error))
            if request.is_alert:
                # After an error, an alert waits for the flood limit of its chat, because Telegram
                # would refuse a new send too. The wait is short, because other chats wait for the
                # files that this send uploads.
                request.until = request.until or self._now() + _RETRY_PATIENCE
                request.longest_wait_s = max(0.0, (request.until - self._now()).total_seconds())
            return await self._handle_error_and_return_stop_outcome(error, batch, request)
        if not messages:
            return TryLater(unknown=True, reason="an empty answer")
        # The caption has arrived, so later messages must not repeat the caption.
        request.text.caption = None
        new: dict[str, KnownFile] = {}
        for item, message in zip(batch, messages, strict=False):
            item.sent, file = parse_sent_item_and_file(item, message, self._now())
            if file and not isinstance(item.source, ByFileId):
                new[item.file_key] = file
        await self._files.store_and_cache(new)
        return None

    async def _send_group(self, batch: list[Item], request: SendRequest) -> list[MessageJson]:
        text = request.text.caption_arguments()
        media = [
            as_album_element(item, {} if number else text, request.options)
            for number, item in enumerate(batch)
        ]
        shown: list[MessageJson] = await self._call_telegram(
            "sendMediaGroup", {"media": media}, request
        )
        return shown

    async def _send_single(self, batch: list[Item], request: SendRequest) -> list[MessageJson]:
        (item,) = batch
        arguments = arguments_to_send_alone(
            item, request.text.caption_arguments(), request.options
        )
        return [await self._call_telegram(METHODS[item.kind], arguments, request)]

    async def _call_telegram(
        self, method: str, arguments: dict[str, Any], request: SendRequest
    ) -> Any:  # noqa: ANN401 - JSON
        shared = common_arguments(request.target.thread_id, request.options)
        return await request.calls.call_once(
            method,
            {"chat_id": request.target.chat_id, **shared, **arguments},
            longest_wait_s=request.longest_wait_s,
        )

    async def _handle_error_and_return_stop_outcome(
        self, error: TelegramError, batch: list[Item], request: SendRequest
    ) -> Outcome | NotStopped:
        """Change a send after an error, so that the next request may succeed, and return None.

        If the send can't continue, return the outcome that stops the send. A bought file costs 1
        credit.
        """
        outcome, refusal = outcomes.outcome_of(error), outcomes.parse_refusal(error)
        if refusal.scope == "caption" and request.text.simplify_caption():
            return None
        if refusal.scope == "buttons" and request.options.buttons:
            request.options = replace(request.options, buttons=[])
            return None
        if isinstance(outcome, TryLater) and outcome.after:
            if len(batch) > 1 and not isinstance(error, api.TooSoonError):
                self._supply.record_url_refusals(batch)
                is_unknown = isinstance(error, RetryAfter) and not _all_have_file_ids(batch)
                outcome = replace(outcome, unknown=outcome.unknown or is_unknown)
            return _count_flood_or_return_outcome(outcome, request)
        if not (isinstance(outcome, PermanentFailure) and outcome.scope == "item"):
            return _give_up_items_without_right(outcome, batch)
        if len(batch) > 1:
            return await self._adjust_album_or_send_its_halves(refusal, batch, request)
        await self._set_or_buy_next_source_or_postpone(refusal, batch[0], request)
        return None

    async def _adjust_album_or_send_its_halves(
        self, refusal: Refusal, batch: list[Item], request: SendRequest
    ) -> Outcome | NotStopped:
        """Adjust an album whose content Telegram refused, or send the halves of the album.

        No item of the album has arrived (TDLib, MessagesManager::do_send_message_group). Return
        None if the send can continue. Otherwise return the outcome that stops the send. A bought
        file costs 1 credit.
        """
        blamed = _items_with_url_source(batch)
        # If Telegram could not fetch several URLs, the error names only the first URL. For this
        # reason, all URLs of the album are replaced.
        is_named = refusal.scope != "fetch"
        if is_named and refusal.item is not None and refusal.item < len(batch):
            blamed = [batch[refusal.item]]
        elif refusal.scope == "size":
            blamed = []  # the total size of the album is too large, so no single item is the cause
        if blamed:
            await run_together(
                *(self._set_free_source_or_mark_alone(refusal, item, request) for item in blamed)
            )
            return None
        if request.refused_alone == refusal.words_without_numbers:
            # Telegram refused an earlier story with the same error message, although that story
            # was sent alone. The cause is therefore not a particular story of this album.
            for item in batch:
                await self._supply.postpone_refused_and_report(
                    item, refusal, request.target.chat_id
                )
            return None
        stopped = await self._send_all(batch[: len(batch) // 2], request)
        rest = _sendable(batch, in_order=request.options.in_order)
        return stopped or await self._send_all(rest, request)

    async def _set_or_buy_next_source_or_postpone(
        self, refusal: Refusal, item: Item, request: SendRequest
    ) -> None:
        if refusal.scope == "size" and not isinstance(item.source, ByUrl):
            self._supply.fail_item(item, MediaTooBigError.text)
        elif refusal.scope in OF_FILES:
            if not await self._convert_if_refused_photo(refusal, item, request):
                await self._supply.set_or_buy_next_source_or_fail(item, request.asker)
        elif (
            request.refused_alone == refusal.words_without_numbers
            or not await self._supply.set_next_free_source(item, request.asker)
        ):
            request.refused_alone = refusal.words_without_numbers
            await self._supply.postpone_refused_and_report(item, refusal, request.target.chat_id)

    async def _set_free_source_or_mark_alone(
        self, refusal: Refusal, item: Item, request: SendRequest
    ) -> None:
        """Set the next source of a refused item: the URL, or an upload of the file at the URL.

        A photo that Telegram refused as a photo becomes a document. Without such a change, mark
        the item as ``alone``. The file at a pasted URL may cost 1 credit.
        """
        if not (
            await self._convert_if_refused_photo(refusal, item, request)
            or await self._supply.set_next_free_source(item, request.asker)
        ):
            item.alone = True

    async def _convert_if_refused_photo(
        self, refusal: Refusal, item: Item, request: SendRequest
    ) -> bool:
        is_one = refusal.scope == "photo" and item.kind == "photo"
        return is_one and await self._supply.download_and_convert_to_document(item, request.asker)


def _count_flood_or_return_outcome(
    outcome: TryLater, request: SendRequest
) -> Outcome | NotStopped:
    """Return None if a reply may be sent again after a flood limit. Otherwise return ``outcome``.

    The reply must certainly not have arrived. At most three flood limits of at most 30 seconds are
    allowed.
    """
    if outcome.unknown or outcome.partly or request.is_alert:
        return outcome
    is_long = outcome.after is None or outcome.after > _FLOOD_PATIENCE
    if is_long or request.floods == _MOST_FLOODS:
        return outcome
    request.floods += 1  # the rate limiter delays the next call until the flood limit ends
    return None


def _all_have_file_ids(batch: list[Item]) -> bool:
    """Return whether all items of an album are sent by file_id.

    Otherwise, some items may arrive despite a 429 response (rubenlagus/TelegramBots#1520).
    """
    return all(isinstance(item.source, ByFileId) for item in batch)


def _sendable(items: list[Item], *, in_order: bool) -> list[Item]:
    """Return the items that can be sent now.

    If ``in_order`` is True, the items after the first item that will be retried later are omitted.
    """
    until = (place for place, item in enumerate(items) if in_order and item.failed and item.later)
    return [item for item in items[: next(until, None)] if item.is_open]


def _give_up_items_without_right(outcome: Outcome, batch: list[Item]) -> Outcome | NotStopped:
    """Give up the items whose kind of file the bot has no right to send, and return None.

    If no item has this kind, give up all items. If ``outcome`` reports no such missing right,
    change nothing and return ``outcome``.
    """
    if not (isinstance(outcome, Muted) and outcome.missing in _AS_SENT):
        return outcome
    kinds = _AS_SENT[outcome.missing]
    for item in [candidate for candidate in batch if candidate.kind in kinds] or batch:
        item.refused = outcome.missing
    return None


def _items_with_url_source(batch: list[Item]) -> list[Item]:
    return [item for item in batch if isinstance(item.source, ByUrl)]
