"""One album to one chat: together while that works, around a bad item where it doesn't."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import structlog
from telegram.error import BadRequest, TelegramError
from telegram.ext import ExtBot

from bot.domain.errors import MediaTooBigError
from bot.domain.model import Asker, GiveUp, Muted, Outcome, Right, Target, TryLater
from bot.domain.records import FileKind, KnownFile
from bot.runtime.beside import together
from bot.runtime.metrics import Metrics
from bot.sending.file_ids import Files
from bot.sending.items import (
    METHODS,
    ByUrl,
    Item,
    MessageJson,
    SendOptions,
    Text,
    as_media,
    as_single,
    common,
    receipt,
)
from bot.sending.sources import Supply
from bot.telegram import api, outcomes
from bot.telegram.flood_limits import Lane

log = structlog.get_logger()

_URL_ALBUMS_REST = timedelta(minutes=10)  # after Telegram could not fetch several in a row
_MOST_URL_FAULTS = 3
_FLOOD_PATIENCE = timedelta(seconds=30)  # that a reply waits when an album met a flood limit
_RETRY_PATIENCE = timedelta(seconds=12)  # in all, that an alert waits for its chat after a refusal
_MOST_FLOODS = 3
_AS_SENT: dict[Right, tuple[FileKind, ...]] = {
    "photos": ("photo",),
    "videos": ("video",),
    "documents": ("document",),
    "gifs": ("animation",),
}
"""What needs a right, as it goes out."""


@dataclass(slots=True)
class SendRequest:
    """Where items go, how, and who pays for a download; ``patience`` is in seconds.

    ``floods`` counts the answers 429 that were waited for, ``leaving`` is told right before each
    request. ``until`` is when the patience of an alert ends that has to go another way.
    """

    target: Target
    text: Text
    options: SendOptions
    lane: Lane
    asker: Asker
    patience: float | None = None
    floods: int = 0
    until: datetime | None = None
    leaving: api.Leaving | None = None


class Attempts:
    """Sends items until each has arrived or has no source left."""

    def __init__(
        self,
        bot: ExtBot[None],
        files: Files,
        supply: Supply,
        *,
        metrics: Metrics,
        now: Callable[[], datetime],
    ) -> None:
        """Take the parts."""
        self._bot = bot
        self._files = files
        self._supply = supply
        self._now = now
        self._url_albums_from = now()
        self._url_faults = 0  # albums in a row whose addresses Telegram could not fetch
        self._unclassified = metrics.counter(
            "unclassified_total", "Refusals of Telegram that the table doesn't know."
        )
        self._sources = metrics.counter("media_sent_total", "Media sent, by their way.", "way")

    async def run(self, items: list[Item], request: SendRequest) -> Outcome | None:
        """Send all open items; None when each is sent or failed, else what stopped it."""
        self._supply.known_first(items)
        await self._advance([item for item in items if item.source is None], request)
        while waiting := _may_go(items, in_order=request.options.in_order):
            is_alone = not request.options.as_files  # documents make an album of their own
            together = [item for item in waiting if item.kind != "document" or not is_alone]
            batch = together if len(together) > 1 else waiting[:1]
            if stopped := await self._send(batch, request):
                return stopped
        return None

    async def _send(self, batch: list[Item], request: SendRequest) -> Outcome | None:
        try:
            messages = await (self._group if len(batch) > 1 else self._single)(batch, request)
        except api.NotWantedError:
            return outcomes.NOT_WANTED
        except TelegramError as error:
            log.info("not sent", chat=request.target.chat_id, n=len(batch), why=str(error))
            self._unclassified.inc(0 if outcomes.is_known(error) else 1)
            if request.lane == "alert":
                # Begun anew it would be refused and wait again, where a chat takes little; but
                # other chats wait for what is uploaded here.
                request.until = request.until or self._now() + _RETRY_PATIENCE
                request.patience = max(0.0, (request.until - self._now()).total_seconds())
            return await self._after(error, batch, request)
        if not messages:
            return TryLater(unknown=True, reason="an empty answer")
        request.text.caption = None  # it stands in the chat
        if len(batch) > 1 and _by_url(batch):
            self._url_faults = 0
        files: dict[str, KnownFile | None] = {}
        for item, message in zip(batch, messages, strict=False):
            self._sources.inc(way=type(item.source).__name__)
            item.sent, files[item.key] = receipt(item, message, self._now())
        await self._files.remember(files)
        return None

    async def _group(self, batch: list[Item], request: SendRequest) -> list[MessageJson]:
        text = request.text.arguments()
        media = [
            as_media(item, {} if number else text, request.options)
            for number, item in enumerate(batch)
        ]
        shown: list[MessageJson] = await self._call(
            "sendMediaGroup", {"media": media}, request, len(batch)
        )
        return shown

    async def _single(self, batch: list[Item], request: SendRequest) -> list[MessageJson]:
        (item,) = batch
        arguments = as_single(item, request.text.arguments(), request.options)
        return [await self._call(METHODS[item.kind], arguments, request, 1)]

    async def _call(
        self, method: str, arguments: dict[str, Any], request: SendRequest, weight: int
    ) -> Any:  # noqa: ANN401 - JSON
        shared = common(request.target.thread_id, request.options)
        return await api.call(
            self._bot,
            method,
            {"chat_id": request.target.chat_id, **shared, **arguments},
            limits={
                "lane": request.lane,
                "weight": weight,
                "patience": request.patience,
                "tries": 1 if weight > 1 else None,  # an album may have to go another way
                "leaving": request.leaving,
            },
        )

    async def _after(
        self, error: TelegramError, batch: list[Item], request: SendRequest
    ) -> Outcome | None:
        """Make the best of a refusal, after which nothing is in the chat; None to go on.

        An album is all or nothing (TDLib, MessagesManager::do_send_message_group): the item that
        failed goes another way, and all are sent again.
        """
        if outcomes.is_caption_fault(error) and request.text.simplify():
            return None
        outcome = outcomes.outcome_of(error)
        if isinstance(outcome, TryLater) and outcome.after:
            if len(batch) > 1 and not isinstance(error, api.TooSoonError):
                self._supply.give_up_urls(batch)
            return await self._after_flood(outcome, outcome.after, batch, request)
        if failure := outcomes.failed_item(error):
            return await self._after_item(*failure, outcome, batch, request)
        if isinstance(outcome, GiveUp) and outcome.scope == "item":
            return await self._after_whole(error, batch, request)
        return _refuse_kind(outcome, batch)

    async def _after_whole(
        self, error: TelegramError, batch: list[Item], request: SendRequest
    ) -> Outcome | None:
        """Go on after a refusal that does not say which item it is about."""
        if len(batch) == 1:
            await self._next_source(batch[0], error, request)
            return None
        by_url = _by_url(batch)
        if by_url and not outcomes.is_too_big(error):
            await self._give_up_urls(by_url, request)
            return None
        half = len(batch) // 2
        return await self._send(batch[:half], request) or await self._send(batch[half:], request)

    async def _after_item(
        self,
        index: int,
        word: str,
        outcome: Outcome,
        batch: list[Item],
        request: SendRequest,
    ) -> Outcome | None:
        """Go on after one item failed the whole album; ``word`` is what Telegram says of it."""
        refusal = BadRequest(word)
        nested = outcomes.outcome_of(refusal)
        if isinstance(nested, TryLater) or not 0 <= index < len(batch):
            return outcome
        if not (isinstance(nested, GiveUp) and nested.scope == "item"):
            return _refuse_kind(nested, batch)
        failed = batch[index]
        if outcomes.others_may_be_there(refusal):
            request.options = replace(
                request.options, silent=True
            )  # a repeat is better than a loss
        if outcomes.is_fetch_fault(refusal) and isinstance(failed.source, ByUrl):
            # Only the first failure is named; the other addresses are no better, perhaps.
            await self._give_up_urls(_by_url(batch), request)
        else:
            await self._next_source(failed, refusal, request)
        return None

    async def _after_flood(
        self, outcome: Outcome, after: timedelta, batch: list[Item], request: SendRequest
    ) -> Outcome | None:
        """Wait where a person waits; an album by URL, which may meet 429 for ever, is uploaded.

        (telegram-bot-api#505: single addresses and uploads work meanwhile.)
        """
        if request.lane == "alert" or after > _FLOOD_PATIENCE or request.floods == _MOST_FLOODS:
            return outcome
        request.floods += 1  # the limiter keeps the chat closed until then
        if len(batch) > 1:
            await self._advance(_by_url(batch), request)
        return None

    async def _give_up_urls(self, items: list[Item], request: SendRequest) -> None:
        """Upload what Telegram could not fetch; after several such albums, all of them."""
        self._url_faults += 1
        if self._url_faults >= _MOST_URL_FAULTS:
            self._url_albums_from = self._now() + _URL_ALBUMS_REST
            self._url_faults = 0
        await self._advance(items, request)

    async def _next_source(self, item: Item, error: TelegramError, request: SendRequest) -> None:
        if item.kind == "photo" and outcomes.wants_document(error):
            await self._supply.as_document(item, request.asker)
        elif outcomes.is_too_big(error) and not isinstance(item.source, ByUrl):
            self._supply.fail(item, MediaTooBigError.text)
        else:
            await self._supply.advance(item, request.asker, refused_in=request.target.chat_id)

    async def _advance(self, items: list[Item], request: SendRequest) -> None:
        """Give each its next source, all at once: some have to be downloaded."""
        if not items:
            return
        skip_url = len(items) > 1 and self._url_albums_from > self._now()
        for item in items:
            item.tried = max(item.tried, skip_url)
        await together(*(self._supply.advance(item, request.asker) for item in items))


def _may_go(items: list[Item], *, in_order: bool) -> list[Item]:
    """Return the items that are to be sent now."""
    until = (place for place, item in enumerate(items) if in_order and item.failed and item.later)
    return [item for item in items[: next(until, None)] if item.is_open]


def _refuse_kind(outcome: Outcome, batch: list[Item]) -> Outcome | None:
    """Give up what needs a right that the bot has not, and go on with the rest; None to go on.

    Where nothing of the batch is of the kind that the refusal names, it is about all of it.
    """
    if not (isinstance(outcome, Muted) and outcome.missing in _AS_SENT):
        return outcome
    kinds = _AS_SENT[outcome.missing]
    for item in [one for one in batch if one.kind in kinds] or batch:
        item.refused = outcome.missing
    return None


def _by_url(batch: list[Item]) -> list[Item]:
    return [item for item in batch if isinstance(item.source, ByUrl)]
