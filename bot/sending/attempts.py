"""One album to one chat: together while that works, around a bad item where it doesn't."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Literal

import structlog
from telegram.error import BadRequest, TelegramError
from telegram.ext import ExtBot

from bot.domain.errors import MediaTooBigError
from bot.domain.model import Asker, GiveUp, Outcome, Target, TryLater
from bot.domain.records import KnownFile
from bot.runtime.beside import together
from bot.runtime.metrics import Metrics
from bot.sending.file_ids import Files
from bot.sending.items import (
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
from bot.sending.sources import Supply
from bot.telegram import api, outcomes

log = structlog.get_logger()

Lane = Literal["reply", "alert"]
URL_ALBUMS_REST = timedelta(minutes=10)  # after Telegram could not fetch several in a row
MOST_URL_FAULTS = 3
FLOOD_PATIENCE = timedelta(seconds=30)  # that a reply waits when an album met a flood limit
MOST_FLOODS = 3


@dataclass(slots=True)
class Trip:
    """Where parcels go, how, and who pays for a download; ``patience`` is in seconds.

    ``floods`` counts the answers 429 that were waited for, ``leaving`` is told right before each
    request.
    """

    target: Target
    text: Text
    options: SendOptions
    lane: Lane
    asker: Asker
    patience: float | None = None
    floods: int = 0
    leaving: api.Leaving | None = None


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
        self._url_faults = 0  # albums in a row whose addresses Telegram could not fetch
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
        except api.NotWantedError:
            return outcomes.NOT_WANTED
        except TelegramError as error:
            log.info("not sent", chat=trip.target.chat_id, n=len(batch), why=str(error))
            self._unclassified.inc(0 if outcomes.is_known(error) else 1)
            return await self._after(error, batch, trip)
        if not messages:
            return TryLater(unknown=True, reason="an empty answer")
        trip.text.spend()
        if len(batch) > 1 and _by_url(batch):
            self._url_faults = 0
        found: dict[str, KnownFile | None] = {}
        for parcel, message in zip(batch, messages, strict=False):
            self._ways.inc(way=type(parcel.way).__name__)
            parcel.sent, found[parcel.story.pk] = receipt(parcel, message)
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
        return await api.call(
            self._bot,
            method,
            {"chat_id": trip.target.chat_id, **shared, **arguments},
            limits={
                "lane": trip.lane,
                "weight": weight,
                "patience": trip.patience,
                "tries": 1 if weight > 1 else None,  # an album may have to go another way
                "leaving": trip.leaving,
            },
        )

    async def _after(
        self, error: TelegramError, batch: list[Parcel], trip: Trip
    ) -> Outcome | None:
        """Make the best of a refusal, after which nothing is in the chat; None to go on.

        An album is all or nothing (TDLib, MessagesManager::do_send_message_group): the item that
        failed goes another way, and all are sent again.
        """
        if outcomes.is_caption_fault(error) and trip.text.simplify():
            return None
        outcome = outcomes.outcome_of(error)
        if isinstance(outcome, TryLater) and outcome.after:
            return await self._after_flood(outcome, outcome.after, batch, trip)
        if found := outcomes.failed_item(error):
            return await self._after_item(*found, outcome, batch, trip)
        if isinstance(outcome, GiveUp) and outcome.scope == "item":
            return await self._after_whole(error, batch, trip)
        return outcome

    async def _after_whole(
        self, error: TelegramError, batch: list[Parcel], trip: Trip
    ) -> Outcome | None:
        """Go on after a refusal that does not say which item it is about."""
        if len(batch) == 1:
            await self._next_way(batch[0], error, trip)
            return None
        by_url = _by_url(batch)
        if by_url and not outcomes.is_too_big(error):
            await self._leave_addresses(by_url, trip)
            return None
        half = len(batch) // 2
        return await self._send(batch[:half], trip) or await self._send(batch[half:], trip)

    async def _after_item(
        self,
        index: int,
        word: str,
        outcome: Outcome,
        batch: list[Parcel],
        trip: Trip,
    ) -> Outcome | None:
        """Go on after one item failed the whole album; ``word`` is what Telegram says of it."""
        refusal = BadRequest(word)
        nested = outcomes.outcome_of(refusal)
        if isinstance(nested, TryLater) or not 0 <= index < len(batch):
            return outcome
        if not (isinstance(nested, GiveUp) and nested.scope == "item"):
            return nested
        failed = batch[index]
        if outcomes.others_may_be_there(refusal):
            trip.options = replace(trip.options, silent=True)  # a repeat is better than a loss
        if outcomes.is_fetch_fault(refusal) and isinstance(failed.way, ByUrl):
            # Only the first failure is named; the other addresses are no better, perhaps.
            await self._leave_addresses(_by_url(batch), trip)
        else:
            await self._next_way(failed, refusal, trip)
        return None

    async def _after_flood(
        self, outcome: Outcome, after: timedelta, batch: list[Parcel], trip: Trip
    ) -> Outcome | None:
        """Wait where a person waits; an album by URL, which may meet 429 for ever, is uploaded.

        (telegram-bot-api#505: single addresses and uploads work meanwhile.)
        """
        if len(batch) > 1:
            self._supply.leave_addresses(batch)
        if trip.lane == "alert" or after > FLOOD_PATIENCE or trip.floods == MOST_FLOODS:
            return outcome
        trip.floods += 1  # the limiter keeps the chat closed until then
        if len(batch) > 1:
            await self._advance(_by_url(batch), trip)
        return None

    async def _leave_addresses(self, parcels: list[Parcel], trip: Trip) -> None:
        """Upload what Telegram could not fetch; after several such albums, all of them."""
        self._supply.leave_addresses(parcels)
        self._url_faults += 1
        if self._url_faults >= MOST_URL_FAULTS:
            self._url_albums_from = self._now() + URL_ALBUMS_REST
            self._url_faults = 0
        await self._advance(parcels, trip)

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
        for parcel in parcels:
            parcel.tried = max(parcel.tried, skip_url)
        await together(*(self._supply.advance(parcel, trip.asker) for parcel in parcels))


def _by_url(batch: list[Parcel]) -> list[Parcel]:
    return [parcel for parcel in batch if isinstance(parcel.way, ByUrl)]
