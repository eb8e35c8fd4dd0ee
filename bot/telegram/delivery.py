"""One album to one chat: together while that works, around a bad item where it doesn't."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Literal

import structlog
from telegram.error import BadRequest, TelegramError
from telegram.ext import ExtBot

from bot.domain import Asker, GiveUp, Outcome, SentItem, Target, TryLater
from bot.errors import MediaTooBigError
from bot.metrics import Metrics
from bot.telegram import outcomes, raw
from bot.telegram.files import Files
from bot.telegram.parcels import (
    METHODS,
    ByUrl,
    Parcel,
    SendOptions,
    Shown,
    Text,
    as_media,
    as_single,
    common,
    receipt,
)
from bot.telegram.supply import Supply

log = structlog.get_logger()

Lane = Literal["reply", "alert"]
URL_ALBUMS_REST = timedelta(minutes=10)  # after Telegram could not fetch one by its addresses


@dataclass(slots=True)
class Trip:
    """Where parcels go, how, and who pays for a download; ``patience`` is in seconds."""

    target: Target
    text: Text
    options: SendOptions
    lane: Lane
    asker: Asker
    patience: float | None = None


class Delivery:
    """Sends parcels until each has arrived or has no way left."""

    def __init__(
        self,
        bot: ExtBot[None],
        files: Files,
        supply: Supply,
        *,
        paid: bool,
        metrics: Metrics,
        now: Callable[[], datetime],
    ) -> None:
        """``paid`` sends alerts as paid broadcasts (Bot API, allow_paid_broadcast)."""
        self._bot = bot
        self._files = files
        self._supply = supply
        self._paid = paid
        self._now = now
        self._url_albums_from = now()
        self._unclassified = metrics.counter(
            "unclassified_total", "Refusals of Telegram that the table doesn't know."
        )
        self._ways = metrics.counter("media_sent_total", "Media sent, by their way.", "way")

    async def run(self, parcels: list[Parcel], trip: Trip) -> Outcome | None:
        """Send all open parcels; None when each is sent or failed, else what stopped it."""
        self._supply.known_first(parcels)
        await self._advance([parcel for parcel in parcels if parcel.way is None], trip)
        while waiting := [parcel for parcel in parcels if parcel.is_open]:
            together = [parcel for parcel in waiting if parcel.kind != "document"]
            batch = together if len(together) > 1 else waiting[:1]
            if stopped := await self._send(batch, trip):
                return stopped
        return None

    async def _send(self, batch: list[Parcel], trip: Trip) -> Outcome | None:
        try:
            messages = await (self._group if len(batch) > 1 else self._single)(batch, trip)
        except TelegramError as error:
            log.info("not sent", chat=trip.target.chat_id, n=len(batch), why=str(error))
            self._unclassified.inc(0 if outcomes.is_known(error) else 1)
            return await self._after(error, batch, trip)
        trip.text.spend()
        found = {}
        for parcel, message in zip(batch, messages, strict=False):
            self._ways.inc(way=type(parcel.way).__name__)
            parcel.sent, file = receipt(parcel, message)
            if file:
                found[parcel.story.pk] = file
        await self._files.remember(found)
        return None

    async def _group(self, batch: list[Parcel], trip: Trip) -> list[Shown]:
        text = trip.text.arguments()
        media = [
            as_media(parcel, {} if number else text, trip.options)
            for number, parcel in enumerate(batch)
        ]
        shown: list[Shown] = await self._call("sendMediaGroup", {"media": media}, trip, len(batch))
        return shown

    async def _single(self, batch: list[Parcel], trip: Trip) -> list[Shown]:
        (parcel,) = batch
        arguments = as_single(parcel, trip.text.arguments(), trip.options)
        return [await self._call(METHODS[parcel.kind], arguments, trip, 1)]

    async def _call(self, method: str, arguments: dict[str, Any], trip: Trip, weight: int) -> Any:  # noqa: ANN401 - JSON
        paid = self._paid and trip.lane == "alert"
        shared = common(trip.target.thread_id, trip.options, paid=paid)
        return await raw.call(
            self._bot,
            method,
            {"chat_id": trip.target.chat_id, **shared, **arguments},
            limits={"lane": trip.lane, "weight": weight, "patience": trip.patience},
        )

    async def _after(
        self, error: TelegramError, batch: list[Parcel], trip: Trip
    ) -> Outcome | None:
        """Make the best of a refusal; None when it is worth to go on."""
        if outcomes.is_caption_fault(error) and trip.text.simplify():
            return None
        if found := outcomes.failed_item(error):
            return await self._after_part(*found, error, batch, trip)
        outcome = outcomes.outcome_of(error)
        if not (isinstance(outcome, GiveUp) and outcome.scope == "item"):
            return outcome
        if len(batch) == 1:
            await self._next_way(batch[0], error, trip)
            return None
        by_url = [parcel for parcel in batch if isinstance(parcel.way, ByUrl)]
        if by_url and not outcomes.is_too_big(error):
            self._url_albums_from = self._now() + URL_ALBUMS_REST
            await self._advance(by_url, trip)
            return None
        half = len(batch) // 2
        return await self._send(batch[:half], trip) or await self._send(batch[half:], trip)

    async def _after_part(
        self, index: int, word: str, error: TelegramError, batch: list[Parcel], trip: Trip
    ) -> Outcome | None:
        """Go on after one item of a group failed: the others are in the chat.

        Only the first failure is named. Where Telegram could not fetch an address, it may have
        failed with the later ones as well: those are sent again, silently. A repeat is better
        than a loss.
        """
        refusal = BadRequest(word)
        nested = outcomes.outcome_of(refusal)
        if not 0 <= index < len(batch):
            return outcomes.outcome_of(error)
        doubtful = isinstance(nested, TryLater) or outcomes.is_fetch_fault(refusal)
        for number, parcel in enumerate(batch):
            is_lost = number > index and doubtful and isinstance(parcel.way, ByUrl)
            if number != index and not is_lost:
                parcel.sent = SentItem(parcel.story.pk, 0)
        if index:
            trip.text.spend()
        if not (isinstance(nested, GiveUp) and nested.scope == "item"):
            return outcomes.outcome_of(error) if isinstance(nested, TryLater) else nested
        trip.options = replace(trip.options, silent=True)
        if doubtful:
            self._url_albums_from = self._now() + URL_ALBUMS_REST
        await asyncio.gather(
            self._next_way(batch[index], refusal, trip),
            self._advance([parcel for parcel in batch if parcel.is_open][1:], trip),
        )
        return None

    async def _next_way(self, parcel: Parcel, error: TelegramError, trip: Trip) -> None:
        if parcel.kind == "photo" and outcomes.wants_document(error):
            await self._supply.as_document(parcel, trip.asker)
        elif outcomes.is_too_big(error) and not isinstance(parcel.way, ByUrl):
            self._supply.fail(parcel, MediaTooBigError.text)
        else:
            await self._supply.advance(parcel, trip.asker)

    async def _advance(self, parcels: list[Parcel], trip: Trip) -> None:
        """Give each its next way, all at once: some have to be downloaded."""
        skip_url = len(parcels) > 1 and self._url_albums_from > self._now()
        async with asyncio.TaskGroup() as group:
            for parcel in parcels:
                parcel.tried = max(parcel.tried, skip_url)
                group.create_task(self._supply.advance(parcel, trip.asker))
