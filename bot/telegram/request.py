"""The transport for PTB, built on aiohttp, with fast calls, streamed uploads and precise errors.

The URL of each call contains the bot token, so the messages of aiohttp's errors are never passed
on.
"""

import io
import json
import re
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, cast

import aiohttp
import structlog
from pydantic_core import from_json, to_json
from telegram._utils.defaultvalue import DefaultValue
from telegram._utils.types import JSONDict, ODVInput
from telegram.error import NetworkError, RetryAfter
from telegram.request import BaseRequest, RequestData
from yarl import URL

from bot.runtime.clock import TELEGRAM, event_loop_time_s
from bot.runtime.metrics import UNSEEN, Metrics
from bot.runtime.open_files import REACHED, is_open_files_limit_reached
from bot.runtime.proxies import connector

log = structlog.get_logger()

_PATIENCE_WITHOUT_WORD = 30  # seconds to wait after a 429 response that states no time
# If a query fails at Telegram, TDLib retries for 7 seconds, and then answers 429 with a wait of 8
# seconds (NetQueryDelayer::delay). A late 429 response may therefore be caused by a failure.
_LATE_S, _LONGEST_LATE_WAIT_S = 7.0, 8
_MEDIA_METHODS = frozenset(
    {"sendPhoto", "sendVideo", "sendDocument", "sendAnimation", "sendMediaGroup"}
)


class NotSentError(NetworkError):
    """Raised if Telegram has not received the whole call. The call may be retried."""


class TooManyFilesError(NotSentError):
    """Raised if this process has reached its limit of open files. Telegram was not called."""


class CutOffError(NotSentError):
    """Raised if the connection broke during an upload, before the whole file was read."""


class UnknownOutcomeError(NetworkError):
    """Raised if a call was sent, but its answer is lost, invalid, or reports a server error.

    The call may have had an effect.
    """


class LateFloodError(RetryAfter):
    """Raised for a 429 response that may be caused by a failure at Telegram.

    After such a failure, it is unknown whether the call had an effect.
    """


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Timeouts in seconds of each kind of call, including the time to connect.

    ``media`` is for calls in which Telegram fetches or processes a file.
    """

    connect: float = 10
    call: float = 20
    media: float = 60
    upload: float = 120


class _HttpAnswer(NamedTuple):
    """An HTTP answer. If no header ``Retry-After`` was sent, ``retry_after`` is ""."""

    status: int
    payload: bytes
    retry_after: str


class AiohttpRequest(BaseRequest):
    """The transport of Bot API calls.

    If a call fails and nothing was sent, the call is retried once. A broken upload is not retried.
    """

    def __init__(
        self,
        *,
        connections: int = 256,
        timeouts: Timeouts | None = None,
        metrics: Metrics = UNSEEN,
        proxy: str = "",
        on_server_time: Callable[[str, datetime | str, float], None] = lambda *_: None,
    ) -> None:
        """Create a transport without an open session (see ``initialize``).

        ``proxy`` is a URL or "". After each answer of the Bot API, ``on_server_time`` gets the
        server's name, the server's time or "", and the seconds until the answer began.
        """
        self._on_server_time = on_server_time
        self._connections = connections
        self._proxy = proxy
        self._timeouts = timeouts or Timeouts()
        self._session: aiohttp.ClientSession | None = None
        self._calls = metrics.get_or_create_counter(
            "telegram_requests_total", "Calls of the Bot API by what came of them.", "outcome"
        )

    @property
    def read_timeout(self) -> float | None:
        """Return the seconds that PTB adds to the timeout of a long poll."""
        return self._timeouts.call

    async def initialize(self) -> None:
        """Open the session. If the session is open, do nothing."""
        if self._session is None or self._session.closed:
            self._session = aiohttp.ClientSession(
                connector=connector(self._proxy, limit=self._connections, ttl_dns_cache=300),
                headers={"User-Agent": "Storybell/1.0", "Accept-Encoding": "identity"},
                cookie_jar=aiohttp.DummyCookieJar(),
            )

    async def shutdown(self) -> None:
        """Close the session and its connections."""
        if self._session is not None:
            await self._session.close()

    async def do_request(  # noqa: PLR0917 - PTB's signature
        self,
        url: str,
        method: str,
        request_data: RequestData | None = None,
        read_timeout: ODVInput[float] = BaseRequest.DEFAULT_NONE,
        write_timeout: ODVInput[float] = BaseRequest.DEFAULT_NONE,  # noqa: ARG002 - PTB's signature
        connect_timeout: ODVInput[float] = BaseRequest.DEFAULT_NONE,  # noqa: ARG002 - PTB's signature
        pool_timeout: ODVInput[float] = BaseRequest.DEFAULT_NONE,  # noqa: ARG002 - PTB's signature
    ) -> tuple[int, bytes]:
        """Make a call to the Bot API. Return the status and the body of the answer.

        ``read_timeout`` is in seconds, without the time to connect. None means no time limit after
        the connecting. By default, ``Timeouts`` applies.

        Raises:
            NotSentError: The call certainly had no effect. ``TooManyFilesError`` is a subclass.
            UnknownOutcomeError: The call was sent, but the answer was lost, invalid, or has a
                status of 500 or more.
            LateFloodError: A 429 response came late, so the call may have had an effect.
            OSError: A file of an upload can't be opened.
        """
        timeout = self._timeout(url, request_data, read_timeout)
        sent_at = event_loop_time_s()
        try:
            answer = await self._attempt(url, method, request_data, timeout)
        except CutOffError:
            # The upload is not retried, because a retry would take long, and the caller may have a
            # different source of the file.
            raise
        except NotSentError:
            sent_at = event_loop_time_s()
            answer = await self._attempt(url, method, request_data, timeout)
        status, payload = _answer_for_ptb(answer) if method == "POST" else answer[:2]
        self._calls.labels(str(status)).inc()
        if status == HTTPStatus.TOO_MANY_REQUESTS and event_loop_time_s() - sent_at > _LATE_S:
            wait = int(from_json(payload)["parameters"]["retry_after"])
            if wait <= _LONGEST_LATE_WAIT_S:
                raise LateFloodError(wait)
        if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            raise UnknownOutcomeError(_refusal_words(payload) or f"Telegram answered {status}")
        return status, payload

    @staticmethod
    def parse_json_payload(payload: bytes) -> JSONDict:
        """Return the JSON object in an answer.

        Raises:
            UnknownOutcomeError: The answer is not a JSON object, so it may be from a proxy.
        """
        try:
            # ``from_json`` takes half of the time of ``json.loads``. orjson would be faster by
            # only 3 µs of 300 µs.
            answer = from_json(payload)
        except ValueError:
            answer = None
        if not isinstance(answer, dict):
            raise UnknownOutcomeError("Invalid server response")
        return answer

    async def _attempt(
        self,
        url: str,
        method: str,
        data: RequestData | None,
        timeout: aiohttp.ClientTimeout,  # noqa: ASYNC109 - aiohttp's timeout type, passed to aiohttp
    ) -> _HttpAnswer:
        if self._session is None:
            raise NotSentError("the transport is not open")
        failure: NetworkError
        with ExitStack() as files:
            uploads: list[_Upload] = []
            body = _body_with_opened_files(data, files, uploads)
            asked_at = event_loop_time_s()
            try:
                async with self._session.request(
                    method, URL(url, encoded=True), timeout=timeout, allow_redirects=False, **body
                ) as response:
                    took_s = event_loop_time_s() - asked_at
                    payload = await response.read()
                    if _IS_BOT_API.match(payload):
                        at: datetime | str = response.headers.get("Date", "")
                        if _METHOD.search(url) and (sent := _SENT_AT.search(payload)):
                            at = datetime.fromtimestamp(int(sent[1]), UTC)
                        self._on_server_time(TELEGRAM, at, took_s)
                    return _HttpAnswer(
                        response.status, payload, response.headers.get("Retry-After", "")
                    )
            except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
                failure = NotSentError(f"no connection to Telegram ({type(error).__name__})")
                if is_open_files_limit_reached(error):
                    failure = TooManyFilesError(REACHED)
            except (aiohttp.ClientError, TimeoutError, OSError) as error:
                kind = (
                    CutOffError if any(upload.left for upload in uploads) else UnknownOutcomeError
                )
                failure = kind(f"no answer from Telegram ({type(error).__name__})")
        outcome = "not sent" if isinstance(failure, NotSentError) else "unknown"
        self._calls.labels(outcome).inc()
        # If this error were raised inside ``except``, Python would attach aiohttp's error, whose
        # message may contain the URL.
        raise failure

    def _timeout(
        self, url: str, data: RequestData | None, read_timeout: ODVInput[float]
    ) -> aiohttp.ClientTimeout:
        times = self._timeouts
        if not isinstance(read_timeout, DefaultValue):
            total = None if read_timeout is None else times.connect + read_timeout
        elif data is not None and data.contains_files:
            total = times.upload
        elif url.rpartition("/")[2] in _MEDIA_METHODS:
            total = times.media
        else:
            total = times.call
        return aiohttp.ClientTimeout(total=total, connect=times.connect)


class _Upload(io.BufferedReader):
    """An open file. ``left`` is the number of bytes that have not been read yet."""

    def __init__(self, path: Path) -> None:
        """Open the file."""
        super().__init__(io.FileIO(path))
        self.left = path.stat().st_size

    def read(self, size: int | None = -1, /) -> bytes:
        """Return the next bytes of the file, and subtract their number from ``left``."""
        data = super().read(size)
        self.left -= len(data)
        return data


def _body_with_opened_files(
    data: RequestData | None, files: ExitStack, uploads: list[_Upload]
) -> dict[str, Any]:
    """Open the files of a request, and return aiohttp's arguments for the body of the request.

    ``files`` will close the opened files, which are also added to ``uploads``.

    Raises:
        TooManyFilesError: This process has reached its limit of open files.
        OSError: A file can't be opened for a different reason.
    """
    if data is None:
        return {}
    if data.contains_files:
        return {"data": _form_with_opened_files(data, files, uploads)}
    try:
        text = to_json(data.parameters)
    except ValueError:
        # The text contains a lone surrogate, which ``to_json`` refuses. ``json`` can encode the
        # surrogate, so that Telegram decides whether to accept the text.
        text = json.dumps(data.parameters).encode()
    return {"data": text, "headers": _JSON}


_IS_BOT_API = re.compile(
    rb'\{"ok": ?(?:true|false)'
)  # answers in a different format come from a proxy, whose clock may be wrong
_METHOD = re.compile("/send[A-Z][A-Za-z]+$")
# The first match is the date of the sent message. A quoted message and its date follow later.
_SENT_AT = re.compile(rb'"date": ?([0-9]{10})[,}]')
_JSON = {"Content-Type": "application/json"}


def _form_with_opened_files(
    data: RequestData, files: ExitStack, uploads: list[_Upload]
) -> aiohttp.FormData:
    """Open the files of a form, and return the form. Call this again for each attempt.

    Raises:
        TooManyFilesError: This process has reached its limit of open files.
        OSError: A file can't be opened for a different reason.
    """
    form = aiohttp.FormData(default_to_multipart=True)
    for name, value in data.json_parameters.items():
        form.add_field(name, value)
    parts = cast("dict[str, tuple[str, BinaryIO | bytes | Path, str]]", data.multipart_data)
    for name, (filename, content, mime) in parts.items():
        if isinstance(content, Path):
            try:
                content = files.enter_context(_Upload(content))  # noqa: PLW2901 - the same file, opened
            except OSError as error:
                if is_open_files_limit_reached(error):
                    raise TooManyFilesError(REACHED) from None
                raise
            uploads.append(content)
        form.add_field(name, content, filename=filename, content_type=mime)
    return form


def _refusal_words(payload: bytes) -> str:
    """Return the field ``description`` of an error of Telegram, or "" if the field is missing."""
    try:
        return str(from_json(payload)["description"])
    except (ValueError, TypeError, KeyError):
        return ""


def _answer_for_ptb(answer: _HttpAnswer) -> tuple[int, bytes]:
    """Return the status and the body of an answer, changed so that PTB raises the right error.

    Without the change, PTB would treat any 2xx status as a success, and a 429 response without
    parameters as a network error.
    """
    status, payload, wait = answer
    if status < 300 and payload[:12].replace(b" ", b"").startswith(b'{"ok":true'):  # noqa: PLR2004 - 2xx
        return status, payload
    try:
        document = json.loads(payload)
    except (ValueError, RecursionError):
        document = None
    document = document if isinstance(document, dict) else {}
    if status < 300 and document.get("ok") is not True:  # noqa: PLR2004 - 2xx
        status = int(document.get("error_code") or HTTPStatus.INTERNAL_SERVER_ERROR)
    parameters = document.get("parameters") or {}
    if status == HTTPStatus.TOO_MANY_REQUESTS and not parameters.get("retry_after"):
        seconds = int(wait) if wait.isdigit() else _PATIENCE_WITHOUT_WORD
        payload = json.dumps({"ok": False, "parameters": {"retry_after": seconds}}).encode()
    return status, payload
