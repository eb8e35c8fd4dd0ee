"""The HTTP transport of the Stories API. The API key is sent only to the origin of the API.

aiohttp must not repeat a billed request (``prevent_resending``). A closed pooled connection would
look like a lost answer, so each request uses a new connection.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
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
from bot.domain.model import Unknown
from bot.domain.paid_calls import Answer
from bot.media.download import REDIRECTS
from bot.runtime import transaction_guard
from bot.runtime.clock import STORIES_API
from bot.runtime.metrics import Metrics
from bot.runtime.open_files import REACHED, is_open_files_limit_reached
from bot.stories_api.endpoints import BALANCE
from bot.stories_api.failures import TOO_MANY, Failure, failure_of
from bot.stories_api.limits import CallRate, OutageDetector
from bot.stories_api.response import (
    OK,
    ComplainedError,
    billed_credits_in,
    read_error_body,
)

T = TypeVar("T")

LONGEST_WAIT = 0.5  # maximum seconds of the random pause before a retry (full jitter)
DEADLINE = 30.0  # maximum seconds of a call with its waits and retries
# If an answer states a price above this multiple of the normal price, the price is reduced to this
# multiple.
MOST_TIMES = 5
_DATE_DEADLINE = 10.0
_QUIET = 1.5  # seconds to pause after a 429 response without Retry-After
_LATELY = 1800.0  # for this number of seconds after an answer, the API counts as working
_LEAST_S = 0.001  # minimum timeout in seconds, because 0 would mean no timeout

Read = Callable[[aiohttp.ClientResponse], Awaitable[T]]


@dataclass(frozen=True, slots=True)
class Query:
    """The parameters of a call. ``subject`` is the requested username, used in error messages.

    ``nominal`` is the normal price in credits. ``deadline`` is in seconds. ``checks_privacy`` is
    False if the call skips the privacy check.
    """

    path: str
    params: dict[str, str] = field(default_factory=dict)
    nominal: int = 0
    subject: str = ""
    deadline: float = DEADLINE
    checks_privacy: bool = True

    @property
    def subject_or_path(self) -> str:
        """Return the subject of the call: an id, a name or a URL, or else the path of the call."""
        return next(iter(self.params.values()), self.path)


class Transport:
    """Calls the Stories API within its rate limit. A call is retried only if it was not billed."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        *,
        url: str,
        key: SecretStr,
        rate: float,
        metrics: Metrics,
        replicas: Callable[[], Awaitable[int]] | None,
        on_out_of_service: Callable[[OutOfServiceError], Awaitable[object]] | None,
        now: Callable[[], datetime],
        clock: Callable[[], float],
        jitter: Callable[[float, float], float],
    ) -> None:
        """Create a transport for the API at ``url``. ``rate`` is in calls per second.

        ``replicas`` returns the number of processes that share the rate equally.
        ``on_out_of_service`` is called once when an answer of the API stops all paid calls.
        """
        self._session = session
        self._url = URL(url)
        self._key = key
        self.call_rate, self.failing = CallRate(rate), OutageDetector()
        self._replicas = replicas
        self.on_server_time: Callable[[str, str, float], None] = lambda *_: None
        """A function called with a server's name, its ``Date`` header and the call's seconds."""
        self.out_of_service: str | None = None
        self.is_price_absurd: bool | None = None
        """Whether the last price that an answer to a paid call stated was too high to be trusted.

        None means that no answer has stated a price yet.
        """
        self._on_out_of_service = on_out_of_service
        self._now, self._clock, self._jitter = now, clock, jitter
        self._requests = metrics.get_or_create_counter(
            "api_requests_total", "Requests to the Stories API.", "endpoint", "outcome"
        )
        self._seconds = metrics.get_or_create_histogram(
            "api_seconds", "Time of a call.", "endpoint"
        )
        self._credits = metrics.get_or_create_counter(
            "api_credits_total", "Credits billed.", "endpoint"
        )
        metrics.add_computed_gauge(
            "api_failing",
            "1 while the API fails for everybody.",
            lambda: float(self.failing.is_on),
        )
        metrics.add_computed_gauge(
            "api_out_of_service",
            "1 while the key or the balance stops us.",
            lambda: float(self.out_of_service is not None),
        )

    def seems_down_for_everyone(self) -> bool | Unknown:
        """Return whether the API seems to be down for everyone, or None if unknown.

        The result is unknown if this process has detected no outage, and no paid call has shown in
        the last 30 minutes that the API works.
        """
        return self.failing.is_failing(self._clock(), within=_LATELY)

    async def ask(self, query: Query, read: Read[T]) -> Answer[T]:
        """Make a call. Return the result of ``read`` for the answer, and the billed credits.

        While paid calls are stopped, only the call for the balance is made.

        Raises:
            OutOfServiceError: Paid calls are stopped, or this call stops paid calls.
            StoriesError: The call failed. The field ``credits`` has the billed credits, or None if
                unknown.
            MediaError: ``read`` cannot save the file, or refuses the file. The field ``credits``
                has the billed credits.
        """
        transaction_guard.raise_or_log_if_transaction_held(query.path)
        if query.path != BALANCE and self.out_of_service is not None:
            raise OutOfServiceError(self.out_of_service)
        started = self._clock()
        try:
            answer = await self._ask_and_count_failures(query, read, started + query.deadline)
        except (StoriesError, MediaError) as error:
            spent = query.nominal if error.credits is None else error.credits
            self._credits.labels(query.path).inc(spent)
            if isinstance(error, OutOfServiceError):
                await self._stop_service_and_report(error)
            raise
        finally:
            self._seconds.labels(query.path).observe(self._clock() - started)
        self._credits.labels(query.path).inc(answer.credits)
        return answer

    async def request_server_date(self) -> None:
        """Make a free call only to pass the ``Date`` header to ``on_server_time``.

        A failed call is ignored.
        """
        query = Query(BALANCE, deadline=_DATE_DEADLINE)
        await self._ask_and_retry(query, _read_nothing, self._clock() + query.deadline)

    async def _ask_and_count_failures(self, query: Query, read: Read[T], end: float) -> Answer[T]:
        """Make a call, and record whether the API works.

        Nothing is recorded for the balance, after a failure because of the rate limit or of this
        machine, and after a ``MediaError``.

        Raises:
            StoriesError: The call failed.
            MediaError: ``read`` cannot save the received file, or refuses the file.
        """
        result = await self._ask_and_retry(query, read, end)
        failure = result if isinstance(result, Failure) else None
        tells_nothing = failure is not None and (failure.status == TOO_MANY or failure.is_local)
        if query.path != BALANCE and not tells_nothing:
            if failure and failure.is_outage:
                self.failing.record_failure(query.subject_or_path, self._clock())
            else:
                self.failing.record_answer(self._clock())
        if isinstance(result, Failure):
            raise result.error
        return result

    async def _ask_and_retry(self, query: Query, read: Read[T], end: float) -> Answer[T] | Failure:
        """Make a call, and retry once if the first attempt was free and may be retried.

        Both attempts must begin before the time ``end``. If the first attempt would begin too
        late, return a failure with the status 429.

        Raises:
            MediaError: ``read`` cannot save the received file, or refuses the file.
        """
        last: Failure | None = None
        while await self._wait_for_turn_unless_too_long(end):
            result = await self._send_once_and_count(query, read, end)
            if isinstance(result, Answer) or last or not result.again:
                return result
            last = result
            wait = self._jitter(0, LONGEST_WAIT) if result.after is None else result.after
            if self._clock() + wait >= end:
                return result
            await asyncio.sleep(wait)
        busy = ApiUnavailableError("too many calls at once")
        return last or Failure(busy, status=TOO_MANY)

    async def _wait_for_turn_unless_too_long(self, end: float) -> bool:
        """Wait for the rate limit. Return True after the wait.

        If the wait would not end before ``end``, return False without a wait.
        """
        replicas = await self._replicas() if self._replicas else 1
        now = self._clock()
        wait = self.call_rate.reserve_turn_and_return_wait_s(
            now, within=end - now, replicas=replicas
        )
        if wait is None:
            return False
        await asyncio.sleep(wait)
        return True

    async def _send_once_and_count(
        self, query: Query, read: Read[T], end: float
    ) -> Answer[T] | Failure:
        """Send a request once, and count the result. Return the answer or the failure.

        A failure allows no retry if the request may have been billed.

        Raises:
            MediaError: ``read`` cannot save the received file, or refuses the file. This result is
                not counted in ``api_requests_total``.
        """
        result: Answer[T] | Failure
        try:
            result = await self._send(query, read, end)
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
            # The request was not sent, so the request may be retried.
            result = Failure(_lost_answer_error(query, error, 0), again=True)
            if is_open_files_limit_reached(error):
                local = ApiUnavailableError(f"{query.path}: {REACHED}", credits=0)
                result = Failure(local, again=True, is_local=True)
        except (aiohttp.ClientError, OSError, ValueError) as error:
            # The request may have been sent and billed, so the request is not retried. The class
            # ``OSError`` above also covers ``TimeoutError``.
            result = Failure(_lost_answer_error(query, error, None))
        self._count_result_and_pause_if_busy(query, result)
        return result

    async def _send(self, query: Query, read: Read[T], end: float) -> Answer[T] | Failure:
        asked_at = self._clock()
        left = max(end - asked_at, _LEAST_S)
        params = query.params if query.checks_privacy else {**query.params, "force": "on"}
        async with self._session.get(
            self._url.joinpath(query.path.lstrip("/")).with_query(params),
            headers={
                "x-access-key": self._key.get_secret_value(),
                "User-Agent": "Storybell/1.0",
                "Accept": "application/json, */*;q=0.5",
                "Connection": "close",
            },
            # Redirects are not followed, because a redirect could send the key to a different
            # host, and the redirected request could be billed.
            allow_redirects=False,
            timeout=aiohttp.ClientTimeout(total=left, sock_connect=10),
            middlewares=(prevent_resending,),
        ) as response:
            took_s = self._clock() - asked_at
            self.on_server_time(STORIES_API, response.headers.get("Date", ""), took_s)
            return await self._read_result(query, response, read)

    async def _read_result(
        self, query: Query, response: aiohttp.ClientResponse, read: Read[T]
    ) -> Answer[T] | Failure:
        """Return the result of ``read`` for a successful answer. Otherwise return the failure.

        Raises:
            MediaError: ``read`` cannot save the received file, or refuses the file. The error has
                the billed credits.
        """
        price = self._capped_billed_credits_flagging_absurd(query, response)
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
            ) as error:  # these errors mean that the body is incomplete or invalid
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

    def _capped_billed_credits_flagging_absurd(
        self, query: Query, response: aiohttp.ClientResponse
    ) -> int:
        """Return the price that the answer states, or the normal price if no price is stated.

        At most five times the normal price is returned, so that a wrong header cannot use up the
        budget. ``is_price_absurd`` records whether the stated price was higher.
        """
        stated, most = billed_credits_in(response.headers), query.nominal * MOST_TIMES
        if stated is None or not most:
            return query.nominal
        self.is_price_absurd = stated > most
        return min(stated, most)

    def _count_result_and_pause_if_busy(self, query: Query, result: Answer[T] | Failure) -> None:
        outcome = "ok" if isinstance(result, Answer) else type(result.error).__name__
        self._requests.labels(query.path, outcome).inc()
        if isinstance(result, Failure) and result.status == TOO_MANY:
            quiet = _QUIET if result.after is None else result.after
            self.call_rate.pause(self._clock() + quiet)

    async def _stop_service_and_report(self, error: OutOfServiceError) -> None:
        was_in_service = self.out_of_service is None
        self.out_of_service = str(error)
        if was_in_service and self._on_out_of_service is not None:
            await self._on_out_of_service(error)


async def _read_nothing(_: aiohttp.ClientResponse) -> None:
    """Return None without reading the body."""


def _lost_answer_error(
    query: Query,
    error: Exception,
    credits: int | Unknown,  # noqa: A002 - the project's term
) -> ApiUnavailableError:
    """Return the error of a request whose answer was lost or unreadable.

    The original error is not attached, because its text may contain the API key.
    """
    return ApiUnavailableError(f"{query.path}: {type(error).__name__}", credits=credits)


async def prevent_resending(
    request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType
) -> aiohttp.ClientResponse:
    """Stop aiohttp from sending a request again after a broken connection.

    Raises:
        aiohttp.ClientConnectorError: No connection was made. The request was not sent.
        aiohttp.ConnectionTimeoutError: No connection was made in time. The request was not sent.
        aiohttp.ClientError: The connection broke after the request may have been sent.
    """
    try:
        return await handler(request)
    except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError):
        raise
    except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError) as error:
        raise aiohttp.ClientError(type(error).__name__) from None
