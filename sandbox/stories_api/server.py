"""The Stories API's listener: access keys, charges, and the order of the checks."""

import json
from dataclasses import dataclass, field

from aiohttp import web

from sandbox import faults as faulty
from sandbox.beliefs import Switches
from sandbox.cdn import Cdn
from sandbox.clock import Clock
from sandbox.faults import Fault, Faults
from sandbox.instagram import Instagram
from sandbox.media import Blob
from sandbox.requestlog import RequestLog
from sandbox.stories_api.answers import (
    NONE_AS,
    Answers,
    EdgePage,
    Redirect,
    Refusal,
)
from sandbox.stories_api.billing import Billing
from sandbox.stories_api.endpoints import ENDPOINTS, Endpoint, Invalid, parse_parameters
from sandbox.stories_api.openapi import document
from sandbox.stories_api.shapes import Shapes

BAD_KEY, EMPTY_KEY = "bad-key", "empty-key"
_UNFUNDED: dict[str, object] = {
    "state": False,
    "error": "Top up your account at https://hikerapi.com/billing",
    "exc_type": "InsufficientFunds",
}


@dataclass
class Answer:
    """A response before it is written. `body` is JSON, or a `Blob`."""

    status: int
    body: object
    headers: dict[str, str] = field(default_factory=dict)
    cost: int = 0
    edge: bool = False  # the edge server in front of the service sent the response for free


class StoriesApi:
    """The complete Stories API."""

    def __init__(
        self,
        clock: Clock,
        faults: Faults,
        log: RequestLog,
        instagram: Instagram,
        cdn: Cdn,
        *,
        seed: int = 0,
        switches: Switches | None = None,
    ) -> None:
        """Answer requests about `instagram` with links to `cdn`.

        `bad-key` and a missing key are refused (401), and `empty-key` has no credits (402). All
        other keys are accepted.
        """
        self.billing = Billing(clock)
        self._switches = switches = switches or Switches()
        self.edge_info = False
        self._clock, self._faults, self._log = clock, faults, log
        self._answers = Answers(
            instagram, cdn, self.billing, Shapes(instagram, cdn, seed), switches
        )
        self.shapes = Shapes(instagram, cdn, seed + 1)

    @property
    def info_format(self) -> str:
        """Return the format of `x-hiker-info`."""
        return self._switches["price_header"]

    def configure(self, wanted: dict[str, object]) -> dict[str, object]:
        """Change settings of the service. Return all settings.

        `info_format`, `rate`, `balance` and `download_mode` are settings. `none_as` is the
        response for an empty list. `forced_private` is the response for a private account with
        `force`. `edge_info` sets whether pages of the edge server carry `x-hiker-info`.
        `forced_blind` is a list of names whose stories `force` hides. `also_billed` is a list of
        statuses that are billed although they should be free.

        Raises:
            ValueError: A setting or its value is unknown.
        """
        for name, value in wanted.items():
            if not (self._set_answers(name, value) or self._set_account(name, value)):
                raise ValueError(f"no such setting: {name} = {value!r}")
        return {
            "info_format": self.info_format,
            "rate": self.billing.rate,
            "balance": self.billing.balance,
            "download_mode": self._switches["download_by_id"],
            "none_as": self._answers.none_as,
            "forced_private": self._switches["forced_private"],
            "forced_blind": sorted(self._answers.forced_blind),
            "edge_info": self.edge_info,
            "also_billed": sorted(self.billing.also_billed),
        }

    def _set_answers(self, name: str, value: object) -> bool:
        """Change a setting of the responses. Return False if the setting or value is unknown.

        Raises:
            ValueError: The value is unknown for an assumption.
        """
        choices = {
            "edge_info": (self, (False, True)),
            "none_as": (self._answers, NONE_AS),
        }
        beliefs = {
            "info_format": ("price_header",),
            "forced_private": ("forced_private",),
            "download_mode": ("download_by_id", "download_by_story_url", "download_by_url"),
        }
        if name in beliefs:
            for belief in beliefs[name]:
                self._switches.set(belief, str(value))
            return True
        if name in choices:
            owner, allowed = choices[name]
            if value not in allowed:
                return False
            setattr(owner, name, value)
        elif name == "forced_blind" and isinstance(value, list):
            self._answers.forced_blind = {str(username).lower() for username in value}
        else:
            return False
        return True

    def _set_account(self, name: str, value: object) -> bool:
        """Change a setting of the account. Return False if the setting or value is unknown."""
        if name == "also_billed" and isinstance(value, list):
            self.billing.also_billed = frozenset(map(int, value))
        elif name == "balance" and isinstance(value, int):
            self.billing.balance = value
        elif name == "rate" and (value is None or (isinstance(value, int | float) and value > 0)):
            self.billing.set_rate_limit(value)
        else:
            return False
        return True

    def app(self) -> web.Application:
        """Return the listener, which serves the OpenAPI document and every other path."""
        app = web.Application()
        app.router.add_get("/openapi.json", _openapi)
        app.router.add_route("*", "/{path:.*}", self._serve)
        return app

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        fault = self._faults.match_and_count_down(
            "stories", _subject(request), request.url.host or ""
        )
        scripted = faulty.status_of(fault)
        if scripted is not None:
            cost = 0 if _from_the_edge(fault) else self._nominal(request)
            billed = self.billing.charge(request.path, cost, scripted)
            self._log_request(request, scripted, billed, fault)
        early = await faulty.apply_before_effect(fault, request)
        if early is not None:
            edge = _from_the_edge(fault)
            return early if edge else self._labelled(early, self._nominal(request))
        answer = self._decide(request)
        billable = 0 if answer.edge else answer.cost
        billed = self.billing.charge(
            request.path, self._billable(billable, answer.status), answer.status
        )
        self._log_request(request, answer.status, billed, fault)
        return await self._write(request, answer, fault)

    def _decide(self, request: web.Request) -> Answer:
        """Check a request in the order of the real API, and return the answer."""
        if (blocked := _at_the_edge(request)) is not None:
            return blocked
        endpoint = ENDPOINTS.get(request.path)
        if endpoint is None:
            return _unknown(request)
        if request.method != "GET":
            return Answer(405, {"detail": "Method Not Allowed"}, {"Allow": "GET"})
        key = _key(request)
        if key in {"", BAD_KEY}:
            return Answer(401, _refused_key(key))
        if (wait := self.billing.acquire_token()) > 0:
            body: dict[str, object] = {
                "detail": "Too many requests",
                "exc_type": "RateLimitError",
            }
            return Answer(429, body, {"Retry-After": str(max(1, round(wait)))})
        return self._afforded(endpoint, request, key)

    def _afforded(self, endpoint: Endpoint, request: web.Request, key: str) -> Answer:
        try:
            values = parse_parameters(endpoint, request.query)
        except Invalid as invalid:
            return Answer(422, {"detail": invalid.detail}, cost=endpoint.cost)
        cost = self._price(endpoint, values)
        if key == EMPTY_KEY or self.billing.balance < cost:
            return Answer(402, dict(_UNFUNDED), cost=cost)
        try:
            return Answer(200, self._answers.answer(endpoint.path, values), cost=cost)
        except EdgePage as page:
            return Answer(403, page.html, cost=cost, edge=True)
        except Refusal as refusal:
            return Answer(refusal.status, refusal.body, cost=cost)
        except Redirect as elsewhere:
            return Answer(302, None, {"Location": elsewhere.url}, cost=cost)

    def _nominal(self, request: web.Request) -> int:
        endpoint = ENDPOINTS.get(request.path)
        if endpoint is None:
            return 0
        try:
            return self._price(endpoint, parse_parameters(endpoint, request.query))
        except Invalid:
            return endpoint.cost

    def _price(self, endpoint: Endpoint, values: dict[str, object]) -> int:
        believed = self._switches.price(endpoint.path, forced=bool(values.get("force")))
        return endpoint.price(values) if believed is None else believed

    def _billable(self, cost: int, status: int) -> int:
        """Return the credits to charge for a call whose price is known."""
        if status == 200 and self._switches["bill_of_answers"] == "more":
            return cost + 1 if cost else 0
        is_free = status in {403, 404} and self._switches[f"bill_of_{status}"] == "free"
        return 0 if is_free else cost

    async def _write(
        self, request: web.Request, answer: Answer, fault: Fault | None
    ) -> web.StreamResponse:
        if isinstance(answer.body, Blob):
            return await self._write_blob(request, answer, answer.body, fault)
        if isinstance(answer.body, str) and answer.status == 403:
            kind = "text/html" if answer.body.startswith("<") else "text/plain"
            response = web.Response(status=403, text=answer.body, content_type=kind)
        elif answer.body is None:
            response = web.Response(status=answer.status)
        else:
            text = json.dumps(answer.body, ensure_ascii=False, separators=(",", ":"))
            response = web.Response(
                status=answer.status, text=text, content_type="application/json"
            )
        response.headers.update(answer.headers)
        if request.path in ENDPOINTS and (self.edge_info or not answer.edge):
            self._labelled(response, answer.cost)
        return await faulty.apply_after_effect(fault, request, response)

    async def _write_blob(
        self, request: web.Request, answer: Answer, blob: Blob, fault: Fault | None
    ) -> web.StreamResponse:
        if fault is not None and fault.loses_response:
            return faulty.lose_response(fault, request)
        headers = {"Content-Type": blob.content_type, "x-hiker-info": self._info(answer.cost)}
        return await faulty.stream_body(
            fault,
            request,
            status=200,
            headers=headers,
            length=len(blob),
            chunks=blob.chunks(),
        )

    def _labelled(self, response: web.StreamResponse, cost: int) -> web.StreamResponse:
        response.headers.setdefault("x-hiker-info", self._info(cost))
        return response

    def _info(self, cost: int) -> str:
        return f'{{"reqs": {cost}}}' if self.info_format == "json" else f"reqs={cost}"

    def _log_request(
        self, request: web.Request, status: int, billed: int, fault: Fault | None
    ) -> None:
        params: dict[str, object] = dict(request.query)
        if "access_key" in params:
            params["access_key"] = "***"
        extra: dict[str, object] = {"method": request.method, "host": request.url.host}
        if fault is not None:
            extra["fault"] = fault.id
        self._log.add(
            service="stories",
            path=request.path,
            params=params,
            status=status,
            at=self._clock.now(),
            billed=billed,
            **extra,
        )


async def _openapi(_: web.Request) -> web.Response:
    return web.json_response(document())


def _subject(request: web.Request) -> str:
    query = "&".join(f"{k}={v}" for k, v in request.query.items() if k != "access_key")
    return f"{request.path}?{query}" if query else request.path


def _key(request: web.Request) -> str:
    return request.headers.get("x-access-key") or request.query.get("access_key", "")


def _refused_key(key: str) -> dict[str, object]:
    # The text of the real API is not known, so this text is invented.
    missing = "You forgot to add the access key to the request"
    return {
        "detail": missing if not key else "The access key is not valid",
        "exc_type": "Unauthorized",
    }


def _at_the_edge(request: web.Request) -> Answer | None:
    """Return the edge server's refusal of a client without a User-Agent, or None."""
    agent = request.headers.get("User-Agent", "")
    if not agent or agent.startswith("Python-urllib"):
        return Answer(403, "error code: 1010", edge=True)
    return None


def _from_the_edge(fault: Fault | None) -> bool:
    """Return whether a scripted response imitates a page of the edge server, which is free.

    The body is HTML or `error code: …`, and the status is not 200. Such a response has no price
    header `x-hiker-info`, unless the fault's `headers` add this header.
    """
    if fault is None or fault.fault.get("status", 200) == 200:
        return False
    body = str(fault.fault.get("body", "")).lstrip().lower()
    return body.startswith(("error code:", "<!doctype html", "<html"))


def _unknown(request: web.Request) -> Answer:
    bare = request.path.rstrip("/")
    if bare in ENDPOINTS:
        return Answer(307, None, {"Location": str(request.url.with_path(bare, keep_query=True))})
    return Answer(404, {"detail": "Not Found"})
