"""One call of the Stories API, in time: its key goes to one origin, nothing is paid twice.

Two habits of the HTTP client are undone here, since each request is billed. It sends a GET again
by itself when a connection breaks (``prevent_resending``), and a pooled connection that the server
has just closed can't be told from an answer that was lost (so each call has its own connection).
"""

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TypeVar

import aiohttp
from pydantic import SecretStr
from yarl import URL

from bot.domain.errors import (
    ApiUnavailableError,
    MediaError,
    OutOfServiceError,
    StoriesError,
)
from bot.domain.paid_calls import Answer
from bot.media.download import REDIRECTS
from bot.runtime import transaction_guard
from bot.runtime.clock import STORIES_API, steady
from bot.runtime.metrics import Metrics
from bot.runtime.open_files import REACHED, is_limit_reached
from bot.stories_api.endpoints import BALANCE
from bot.stories_api.failures import TOO_MANY, Failure, failure_of
from bot.stories_api.limits import CallRate, Failing
from bot.stories_api.response import (
    OK,
    ComplainedError,
    credits_in,
    read_error_body,
)

T = TypeVar("T")

LONGEST_WAIT = 0.5  # seconds before the second try; the jitter is full
DEADLINE = 30.0  # seconds of a call, waits and retries in it
MOST_TIMES = 5  # the nominal price; what an answer says beyond that is not believed
_DATE_DEADLINE = 10.0
_QUIET = 1.5  # seconds after a 429 that names none
_LATELY = 1800.0  # seconds for which an answer shows that the API works
_LEAST_S = 0.001  # of a timeout, as none would be 0

Read = Callable[[aiohttp.ClientResponse], Awaitable[T]]


@dataclass(frozen=True, slots=True)
class Query:
    """What is asked; ``subject`` is the username it is about, for the person who asked."""

    path: str
    params: dict[str, str] = field(default_factory=dict)
    nominal: int = 0
    subject: str = ""
    deadline: float = DEADLINE

    @property
    def about(self) -> str:
        """Return what it is about: an id, a name or an address."""
        return next((value for name, value in self.params.items() if name != "force"), self.path)


class Transport:
    """Asks the Stories API, as often as is safe and no faster than it allows."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        *,
        url: str,
        key: SecretStr,
        rate: float,
        metrics: Metrics,
        replicas: Callable[[], Awaitable[int]] | None = None,
        on_out_of_service: Callable[[OutOfServiceError], Awaitable[object]] | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        clock: Callable[[], float] = steady,
        jitter: Callable[[float, float], float] = random.uniform,
    ) -> None:
        """Ask at ``url``.

        ``replicas`` tells how many processes share the account's rate; each has its part of it.
        ``on_out_of_service`` is called once each time that the API puts us out of service.
        """
        self._session = session
        self._url = URL(url)
        self._key = key
        self.call_rate, self.failing = CallRate(rate), Failing()
        self._replicas = replicas
        self.heard: Callable[[str, str, float], None] = lambda *_: None
        """Gets the ``Date`` of each answer, and the seconds that the answer took."""
        self.out_of_service: str | None = None
        self.is_price_absurd: bool | None = None
        """Whether the last price that an answer stated was too high to be believed."""
        self._on_out_of_service = on_out_of_service
        self._now, self._steady, self._jitter = now, clock, jitter
        self._requests = metrics.counter(
            "api_requests_total", "Requests to the Stories API.", "endpoint", "outcome"
        )
        self._seconds = metrics.histogram("api_seconds", "Time of a call.", "endpoint")
        self._credits = metrics.counter("api_credits_total", "Credits billed.", "endpoint")
        metrics.gauge_of(
            "api_failing",
            "1 while the API fails for everybody.",
            lambda: float(self.failing.is_on),
        )
        metrics.gauge_of(
            "api_out_of_service",
            "1 while the key or the balance stops us.",
            lambda: float(self.out_of_service is not None),
        )

    def judge_outage(self) -> bool | None:
        """Return whether the API fails for everybody; None if it was not asked lately."""
        return self.failing.is_failing(self._steady(), within=_LATELY)

    async def ask(self, query: Query, read: Read[T]) -> Answer[T]:
        """Return what ``read`` makes of the answer.

        Raises:
            StoriesError: With ``credits``: what the call was billed, None when nobody knows.
        """
        transaction_guard.refuse_if_held(query.path)
        if query.path != BALANCE and self.out_of_service is not None:
            raise OutOfServiceError(self.out_of_service)
        started = self._steady()
        try:
            answer = await self._ask_and_count_failures(query, read, started + query.deadline)
        except (StoriesError, MediaError) as error:
            spent = query.nominal if error.credits is None else error.credits
            self._credits.labels(query.path).inc(spent)
            if isinstance(error, OutOfServiceError):
                await self._stop_service(error)
            raise
        finally:
            self._seconds.labels(query.path).observe(self._steady() - started)
        self._credits.labels(query.path).inc(answer.credits)
        return answer

    async def ask_for_date(self) -> None:
        """Make the free call for the ``Date`` of its answer; its content has no effect."""
        query = Query(BALANCE, deadline=_DATE_DEADLINE)
        await self._ask_and_retry(query, _read_nothing, self._steady() + query.deadline)

    async def _ask_and_count_failures(self, query: Query, read: Read[T], end: float) -> Answer[T]:
        """Ask, and learn from what comes whether the API fails for everybody."""
        result = await self._ask_and_retry(query, read, end)
        failure = result if isinstance(result, Failure) else None
        tells_nothing = failure is not None and (failure.status == TOO_MANY or failure.is_local)
        if query.path != BALANCE and not tells_nothing:
            if failure and failure.is_outage:
                self.failing.record_failure(query.about, self._steady())
            else:
                self.failing.record_answer(self._steady())
        if isinstance(result, Failure):
            raise result.error
        return result

    async def _ask_and_retry(self, query: Query, read: Read[T], end: float) -> Answer[T] | Failure:
        """Ask, and once more where the first answer surely was not billed."""
        last: Failure | None = None
        while await self._wait_turn(end):
            result = await self._send_once(query, read, end)
            if isinstance(result, Answer) or last or not result.again:
                return result
            last = result
            wait = self._jitter(0, LONGEST_WAIT) if result.after is None else result.after
            if self._steady() + wait >= end:
                return result
            await asyncio.sleep(wait)
        busy = ApiUnavailableError("too many calls at once")
        return last or Failure(busy, status=TOO_MANY)

    async def _wait_turn(self, end: float) -> bool:
        """Wait for our turn; return whether it comes in time."""
        replicas = await self._replicas() if self._replicas else 1
        now = self._steady()
        wait = self.call_rate.reserve_turn(now, within=end - now, replicas=replicas)
        if wait is None:
            return False
        await asyncio.sleep(wait)
        return True

    async def _send_once(self, query: Query, read: Read[T], end: float) -> Answer[T] | Failure:
        """Send one request; one that may have been billed is not tried again."""
        result: Answer[T] | Failure
        try:
            result = await self._send(query, read, end)
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
            # The request was not written.
            result = Failure(_lost_answer_error(query, error, 0), again=True)
            if is_limit_reached(error):
                local = ApiUnavailableError(f"{query.path}: {REACHED}", credits=0)
                result = Failure(local, again=True, is_local=True)
        except (aiohttp.ClientError, OSError, ValueError) as error:  # TimeoutError, too
            result = Failure(_lost_answer_error(query, error, None))
        self._record_result(query, result)
        return result

    async def _send(self, query: Query, read: Read[T], end: float) -> Answer[T] | Failure:
        asked_at = self._steady()
        left = max(end - asked_at, _LEAST_S)
        async with self._session.get(
            self._url.joinpath(query.path.lstrip("/")).with_query(query.params),
            headers={
                "x-access-key": self._key.get_secret_value(),
                "User-Agent": "Storybell/1.0",
                "Accept": "application/json, */*;q=0.5",
                "Connection": "close",
            },
            allow_redirects=False,  # the key goes to our origin only, and each hop may be billed
            timeout=aiohttp.ClientTimeout(total=left, sock_connect=10),
            middlewares=(prevent_resending,),
        ) as response:
            took_s = self._steady() - asked_at
            self.heard(STORIES_API, response.headers.get("Date", ""), took_s)
            return await self._result_of(query, response, read)

    async def _result_of(
        self, query: Query, response: aiohttp.ClientResponse, read: Read[T]
    ) -> Answer[T] | Failure:
        """Return what ``read`` makes of a good answer, or what a bad one means."""
        price = self._billed_price(query, response)
        body: bytes | None
        if response.status == OK or response.status in REDIRECTS:
            try:
                return Answer(await read(response), price)
            except ComplainedError as complained:
                body = complained.body
            except (aiohttp.ClientError, OSError, ValueError) as error:  # it was cut, or nonsense
                return Failure(_lost_answer_error(query, error, price))
            except MediaError as error:
                error.credits = price
                raise
        else:
            body = await read_error_body(response)
        return failure_of(
            response.status,
            response.headers,
            body,
            endpoint=query.path,
            price=price,
            now=self._now(),
            subject=query.subject,
        )

    def _billed_price(self, query: Query, response: aiohttp.ClientResponse) -> int:
        """Return what an answer says that it cost, nominal where it says nothing.

        What is absurd is not believed: else one wrong header would end the day for everybody.
        """
        stated, most = credits_in(response.headers), query.nominal * MOST_TIMES
        if stated is None or not most:
            return query.nominal
        self.is_price_absurd = stated > most
        return min(stated, most)

    def _record_result(self, query: Query, result: Answer[T] | Failure) -> None:
        outcome = "ok" if isinstance(result, Answer) else type(result.error).__name__
        self._requests.labels(query.path, outcome).inc()
        if isinstance(result, Failure) and result.status == TOO_MANY:
            quiet = _QUIET if result.after is None else result.after
            self.call_rate.pause(self._steady() + quiet)

    async def _stop_service(self, error: OutOfServiceError) -> None:
        is_news, self.out_of_service = self.out_of_service is None, str(error)
        if is_news and self._on_out_of_service is not None:
            await self._on_out_of_service(error)


async def _read_nothing(_: aiohttp.ClientResponse) -> None:
    """Leave the body unread."""


def _lost_answer_error(query: Query, error: Exception, credits: int | None) -> ApiUnavailableError:  # noqa: A002 - the project's word
    """Name the error without its cause, whose text may hold the request with its key."""
    return ApiUnavailableError(f"{query.path}: {type(error).__name__}", credits=credits)


async def prevent_resending(
    request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType
) -> aiohttp.ClientResponse:
    """Keep the HTTP client from sending a request again by itself after a broken connection."""
    try:
        return await handler(request)
    except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError):
        raise
    except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError) as error:
        raise aiohttp.ClientError(type(error).__name__) from None
