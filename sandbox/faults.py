"""Faults of the three services. Tests request the faults."""

import asyncio
import json
import socket
import struct
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field

from aiohttp import web

SERVICES = ("telegram", "stories", "cdn")
SOURCES = ("", "file_id", "url", "upload")
KINDS = frozenset(
    {
        "status",
        "body",
        "headers",
        "delay_s",
        "hang",
        "reset",
        "effect",
        "truncate",
        "slow_bytes_per_s",
        "fail_item",
        "description",
        "others",
    }
)
_POLL_S = 0.02  # interval at which a hanging request checks whether its client is still connected
_SLICES_PER_S = 20  # number of slices per second in which a slow body is written


@dataclass
class Fault:
    """A fault that waits for matching requests.

    - The fault skips the first `after` matches, and then hits `times` matches. If `times` is None,
      the fault hits all further matches.
    - If `every` is n, the fault hits only each n-th of the remaining matches.
    - A later fault may hit a match that this fault skips.
    - `chat_id` restricts the fault to Telegram calls that send to this chat. `source` (file_id,
      url, upload) restricts the fault to Telegram calls that send files from this source.
    """

    id: int
    service: str
    match: str
    times: int | None
    after: int
    fault: dict[str, object] = field(default_factory=dict)
    every: int = 1
    # The fault hits only requests to this host name; if empty, requests to any host name.
    host: str = ""
    chat_id: int | None = None
    source: str = ""
    seen: int = 0

    @property
    def loses_response(self) -> bool:
        """Return whether the request takes effect although its response is lost."""
        return bool(self.fault.get("effect")) or self.fault.get("reset") == "after"


class Faults:
    """The active faults, oldest first."""

    def __init__(self) -> None:
        """Start without faults."""
        self._faults: list[Fault] = []
        self._last = 0

    def add(self, spec: dict[str, object]) -> int:
        """Add a fault `{"service", "match", "times", "after", "fault"}`. Return the fault's id.

        Raises:
            ValueError: The spec is invalid.
        """
        self._last += 1
        self._faults.append(_parsed(self._last, spec))
        return self._last

    def clear(self, fault_id: int | None = None) -> None:
        """Remove one fault, or all faults if no id is given."""
        self._faults = [f for f in self._faults if fault_id is not None and f.id != fault_id]

    def count_matches(self, fault_id: int) -> int:
        """Return the number of matches of an active fault, without the first `after` matches.

        If the fault is not active, return 0.
        """
        return next((fault.seen for fault in self._faults if fault.id == fault_id), 0)

    def match_and_count_down(
        self,
        service: str,
        subject: str,
        host: str = "",
        *,
        chat_id: object = None,
        sources: Collection[str] = (),
    ) -> Fault | None:
        """Return the fault that hits a request, or None. Count down the limits of matching faults.

        The limits are `after` and `times`. A fault without remaining hits is removed. `subject` is
        the path with the query for the Stories API and the CDN, and the method's name for
        Telegram. `match` is compared case-insensitively. `host` is the host name of the request,
        because one service may have several. `chat_id` and `sources` are the target chat of a
        Telegram call and the sources of the call's files.
        """
        for fault in self._faults:
            if fault.service != service or fault.match.lower() not in subject.lower():
                continue
            if fault.host and fault.host != host:
                continue
            if fault.chat_id is not None and str(chat_id) != str(fault.chat_id):
                continue
            if fault.source and fault.source not in sources:
                continue
            if fault.after > 0:
                fault.after -= 1
                continue
            fault.seen += 1
            if fault.seen % fault.every:
                continue
            if fault.times is not None:
                fault.times -= 1
                if fault.times == 0:
                    self.clear(fault.id)
            return fault
        return None


def _parsed(fault_id: int, spec: dict[str, object]) -> Fault:
    service, match = spec.get("service"), spec.get("match", "")
    times, after, fault = spec.get("times"), spec.get("after", 0), spec.get("fault")
    every = spec.get("every", 1)
    if service not in SERVICES or not isinstance(service, str):
        raise ValueError(f"service must be one of {', '.join(SERVICES)}")
    if not isinstance(match, str):
        raise ValueError("match must be a string")  # noqa: TRY004  one error class for an invalid spec
    if not (times is None or (isinstance(times, int) and times > 0)):
        raise ValueError("times must be a number above zero, or null")
    if not isinstance(after, int) or after < 0:
        raise ValueError("after must be a number, zero or more")
    if not isinstance(every, int) or every < 1:
        raise ValueError("every must be a number above zero")
    if not isinstance(fault, dict) or not fault:
        raise ValueError("fault must be an object")
    if not isinstance(spec.get("host", ""), str):
        raise ValueError("host must be a string")  # noqa: TRY004  one error class for an invalid spec
    chat_id, source = spec.get("chat_id"), spec.get("source", "")
    if not (chat_id is None or isinstance(chat_id, int)):
        raise ValueError("chat_id must be a number")
    if not isinstance(source, str) or source not in SOURCES:
        raise ValueError(f"source must be one of {', '.join(filter(None, SOURCES))}")
    _check_kinds(fault)
    host = str(spec.get("host", ""))
    return Fault(fault_id, service, match, times, after, fault, every, host, chat_id, source)


def _check_kinds(fault: dict[str, object]) -> None:
    if unknown := set(fault) - KINDS:
        raise ValueError(f"unknown kind of fault: {', '.join(sorted(unknown))}")
    if fault.get("others", "sent") != "sent":
        raise ValueError('others must be "sent"')
    if fault.get("reset") not in {None, "before", "after"}:
        raise ValueError('reset must be "before" or "after"')
    if not isinstance(fault.get("effect", False), bool):
        raise ValueError("effect must be true or false")  # noqa: TRY004  one error class for an invalid spec


async def apply_before_effect(
    fault: Fault | None, request: web.Request
) -> web.StreamResponse | None:
    """Apply the part of a fault that precedes the request's effect.

    - `delay_s` waits for this number of real seconds. After the wait, the request continues.
    - `hang`, `reset: before` and `status`/`body` return a response, which ends the request.
    - If `effect` is set, `status`/`body` return no response here, so that the request first takes
      effect.
    """
    if fault is None:
        return None
    wanted = fault.fault
    delay = wanted.get("delay_s")
    if isinstance(delay, int | float):
        await asyncio.sleep(delay)
    if wanted.get("hang"):
        return await wait_for_disconnect(request)
    if wanted.get("reset") == "before":
        return reset_connection(request)
    if "status" in wanted or "body" in wanted:
        return None if wanted.get("effect") else scripted_response(wanted)
    return None


async def apply_after_effect(
    fault: Fault | None, request: web.Request, response: web.Response
) -> web.StreamResponse:
    """Apply the part of a fault that follows the request's effect.

    The response is lost, truncated or slowed.
    """
    if fault is None:
        return response
    if fault.loses_response:
        return lose_response(fault, request)
    if "truncate" in fault.fault or "slow_bytes_per_s" in fault.fault:
        body = response.body if isinstance(response.body, bytes) else b""
        headers = dict(response.headers)
        headers.setdefault("Content-Type", response.content_type)
        return await stream_body(
            fault,
            request,
            status=response.status,
            headers=headers,
            length=len(body),
            chunks=[body],
        )
    return response


def lose_response(fault: Fault, request: web.Request) -> web.StreamResponse:
    """Reset the connection or return a scripted response, to hide the effect of a request."""
    return (
        reset_connection(request)
        if fault.fault.get("reset") == "after"
        else scripted_response(fault.fault)
    )


def status_of(fault: Fault | None) -> int | None:
    """Return the status that a fault sends instead of the service. 0 means no response.

    Return None if the service itself answers, even if the response is delayed or damaged.
    """
    wanted = fault.fault if fault else {}
    if wanted.get("hang") or wanted.get("reset") == "before":
        return 0
    if wanted.get("effect"):
        return None
    if "status" in wanted or "body" in wanted:
        status = wanted.get("status", 200)
        return status if isinstance(status, int) else 500
    return None


def scripted_response(wanted: dict[str, object]) -> web.Response:
    """Return the response of a `status`/`body` fault.

    A body that is not a string is sent as JSON.
    """
    status = wanted.get("status", 200)
    headers = wanted.get("headers")
    body = wanted.get("body", "")
    text = body if isinstance(body, str) else json.dumps(body)
    looks_json = not isinstance(body, str) or text.lstrip()[:1] in {"{", "["}
    content_type = "application/json" if looks_json else "text/plain"
    response = web.Response(
        status=status if isinstance(status, int) else 500, text=text, content_type=content_type
    )
    if isinstance(headers, dict):
        response.headers.update({str(name): str(value) for name, value in headers.items()})
    return response


async def wait_for_disconnect(request: web.Request) -> web.StreamResponse:
    """Wait until the client disconnects. The returned response is never sent."""
    while (  # noqa: ASYNC110  a running handler has no other way to notice that the client has disconnected
        transport := request.transport
    ) is not None and not transport.is_closing():
        await asyncio.sleep(_POLL_S)
    return web.Response(status=500)


def reset_connection(request: web.Request) -> web.StreamResponse:
    """Drop the connection with a TCP reset. The returned response is never sent."""
    transport = request.transport
    if transport is not None:
        raw = transport.get_extra_info("socket")
        if raw is not None:
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        if isinstance(transport, asyncio.WriteTransport):
            transport.abort()
    return web.Response(status=500)


async def stream_body(
    fault: Fault | None,
    request: web.Request,
    *,
    status: int,
    headers: dict[str, str],
    length: int,
    chunks: Iterable[bytes],
) -> web.StreamResponse:
    """Stream a body of a known length. A fault may truncate or slow the stream."""
    wanted = fault.fault if fault else {}
    response = web.StreamResponse(status=status, headers=headers)
    response.content_length = length
    await response.prepare(request)
    if request.method == "HEAD":
        return response
    limit, rate = wanted.get("truncate"), wanted.get("slow_bytes_per_s")
    left = min(length, limit) if isinstance(limit, int) else length
    pace = rate if isinstance(rate, int | float) and rate > 0 else None
    try:
        for piece in _sliced(chunks, pace):
            await response.write(piece[:left])
            left -= min(left, len(piece))
            if left == 0:
                break
            if pace is not None:
                await asyncio.sleep(len(piece) / pace)
    except ConnectionError:
        return response  # the client disconnected, which is not an error of the server
    if isinstance(limit, int) and limit < length and request.transport is not None:
        request.transport.close()
    return response


def _sliced(chunks: Iterable[bytes], pace: float | None) -> Iterator[bytes]:
    if pace is None:
        yield from chunks
        return
    size = max(1, int(pace / _SLICES_PER_S))
    for chunk in chunks:
        for start in range(0, len(chunk), size):
            yield chunk[start : start + size]
