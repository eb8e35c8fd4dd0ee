"""The HTTP transport of the Stories API: a single origin for the key, and no double payment.

Each request is billed, so two features of the HTTP client are disabled. The client resends a GET
after a broken connection (``prevent_resending`` stops resending). A pooled connection that the
server has just closed looks like a lost answer, so each call uses a new connection.
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

LONGEST_WAIT = 0.5  # the maximum seconds of the random pause before a retry (full jitter)
DEADLINE = 30.0  # seconds of a call, including waits and retries
# If an answer states a price above this multiple of the nominal price, the stated price is
# ignored.
MOST_TIMES = 5
_DATE_DEADLINE = 10.0
_QUIET = 1.5  # the pause in seconds after a 429 without Retry-After
_LATELY = 1800.0  # seconds after an answer for which the API counts as working
_LEAST_S = 0.001  # the minimum timeout in seconds; 0 would disable the timeout

Read = Callable[[aiohttp.ClientResponse], Awaitable[T]]


@dataclass(frozen=True, slots=True)
class Query:
    """The parameters of a call.

    ``subject`` is the requested username, for messages to the person.
    """

    path: str
    params: dict[str, str] = field(default_factory=dict)
    nominal: int = 0
    subject: str = ""
    deadline: float = DEADLINE

    @property
    def about(self) -> str:
        """Return the subject of the call: an id, a name or a URL."""
        return next((value for name, value in self.params.items() if name != "force"), self.path)


class Transport:
    """The transport that calls the Stories API within its rate limit, with safe retries only."""

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
        """Create a transport for ``url``.

        ``replicas`` returns the number of processes that share the account's rate equally.
        ``on_out_of_service`` is called each time that paid calls become disabled by the API.
        """
        self._session = session
        self._url = URL(url)
        self._key = key
        self.call_rate, self.failing = CallRate(rate), Failing()
        self._replicas = replicas
        self.heard: Callable[[str, str, float], None] = lambda *_: None
        """Called with the ``Date`` of each answer, and the duration of the answer in seconds."""
        self.out_of_service: str | None = None
        self.is_price_absurd: bool | None = None
        """Whether the last price stated by an answer was above the limit."""
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
        """Return whether the API fails for all callers, or None without a recent call."""
        return self.failing.is_failing(self._steady(), within=_LATELY)

    async def ask(self, query: Query, read: Read[T]) -> Answer[T]:
        """Make a call and return the result of ``read`` for the answer.

        Raises:
            StoriesError: The call failed. ``credits`` is the billed amount, or None if unknown.
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
        """Make the free call for the ``Date`` of its answer. The content has no effect."""
        query = Query(BALANCE, deadline=_DATE_DEADLINE)
        await self._ask_and_retry(query, _read_nothing, self._steady() + query.deadline)

    async def _ask_and_count_failures(self, query: Query, read: Read[T], end: float) -> Answer[T]:
        """Make a call, and record whether the API fails for all callers."""
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
        """Make a call, and retry once if the first answer was certainly not billed."""
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
        """Wait for the next turn of the rate limit. Return whether the turn is before ``end``."""
        replicas = await self._replicas() if self._replicas else 1
        now = self._steady()
        wait = self.call_rate.reserve_turn(now, within=end - now, replicas=replicas)
        if wait is None:
            return False
        await asyncio.sleep(wait)
        return True

    async def _send_once(self, query: Query, read: Read[T], end: float) -> Answer[T] | Failure:
        """Send a single request. A request that may have been billed is not retried."""
        result: Answer[T] | Failure
        try:
            result = await self._send(query, read, end)
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
            # The request was not sent.
            result = Failure(_lost_answer_error(query, error, 0), again=True)
            if is_limit_reached(error):
                local = ApiUnavailableError(f"{query.path}: {REACHED}", credits=0)
                result = Failure(local, again=True, is_local=True)
        except (aiohttp.ClientError, OSError, ValueError) as error:
            # ``OSError`` includes ``TimeoutError``.
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
            # The key must not be sent to another host, and each redirect may be billed.
            allow_redirects=False,
            timeout=aiohttp.ClientTimeout(total=left, sock_connect=10),
            middlewares=(prevent_resending,),
        ) as response:
            took_s = self._steady() - asked_at
            self.heard(STORIES_API, response.headers.get("Date", ""), took_s)
            return await self._result_of(query, response, read)

    async def _result_of(
        self, query: Query, response: aiohttp.ClientResponse, read: Read[T]
    ) -> Answer[T] | Failure:
        """Return the result of ``read`` for a successful answer, or the classified failure."""
        price = self._billed_price(query, response)
        body: bytes | None
        if response.status == OK or response.status in REDIRECTS:
            try:
                return Answer(await read(response), price)
            except ComplainedError as complained:
                body = complained.body
            except (
                aiohttp.ClientError,
                OSError,
                ValueError,
            ) as error:  # the body was cut off or invalid
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
        """Return the price stated by an answer, or the nominal price without a statement.

        A price above the limit is not trusted. Otherwise a single wrong header would use up the
        day's budget.
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
    """Do not read the body."""


def _lost_answer_error(query: Query, error: Exception, credits: int | None) -> ApiUnavailableError:  # noqa: A002 - the project's term
    """Return the error of a lost answer without its cause, whose text may contain the API key."""
    return ApiUnavailableError(f"{query.path}: {type(error).__name__}", credits=credits)


async def prevent_resending(
    request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType
) -> aiohttp.ClientResponse:
    """Prevent the HTTP client from resending a request after a broken connection."""
    try:
        return await handler(request)
    except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError):
        raise
    except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError) as error:
        raise aiohttp.ClientError(type(error).__name__) from None
