"""The CDN: signed, expiring media links, and the server that serves the media."""

import base64
import hashlib
import hmac
import random
import re
from collections.abc import Collection
from urllib.parse import urlencode

from aiohttp import web

from sandbox import faults as faulty
from sandbox import media
from sandbox.clock import Clock
from sandbox.faults import Fault, Faults
from sandbox.instagram import Instagram, Story
from sandbox.requestlog import RequestLog

VIDEO_LIFE_S = 32 * 3_600  # mean lifetime of a link to a video
IMAGE_LIFE_S = 108 * 3_600  # mean lifetime of a link to an image, 4.5 days
_FOLDERS = {"photo": "t51.82787-15", "poster": "t51.71878-15", "avatar": "t51.2885-19"}
_IMAGE = re.compile(r"/v/(t51\.[0-9-]+)/\d+_(\d+)_\d+_n\.jpg")
_VIDEO = re.compile(r"/o1/v/t2/f2/m78/AQ([A-Za-z0-9_-]+)\.mp4")
_POPS = ("ord5-1", "ord5-2", "ord5-3", "sea1-1", "sea5-1", "lga3-1", "fra3-2", "gru1-1")


class Cdn:
    """The generator of media links, and the server of the media."""

    def __init__(
        self, clock: Clock, faults: Faults, log: RequestLog, instagram: Instagram, seed: int = 0
    ) -> None:
        """Create a CDN for the media of `instagram`.

        The caller sets `origin` when the port is known.
        """
        self.origin = ""
        self._clock, self._faults, self._log = clock, faults, log
        self._instagram = instagram
        self._rng = random.Random(f"{seed}/cdn")
        self._secret = self._rng.randbytes(32)

    def link(self, kind: str, pk: str) -> str:
        """Return a new link to the `photo`, `video` or `poster` of a story, or to an `avatar`.

        The `pk` of an avatar is the pk of a profile. The link expires after about `VIDEO_LIFE_S`
        or `IMAGE_LIFE_S` seconds. Each call creates a new signature, so two links to the same
        story always differ.
        """
        life = VIDEO_LIFE_S if kind == "video" else IMAGE_LIFE_S
        expires = int(self._clock.now() + life * self._rng.uniform(0.95, 1.05))
        path = _path(kind, pk)
        query = {
            "stp": "dst-jpg_e35_tt6",
            "_nc_cat": str(self._rng.randrange(100, 112)),
            "_nc_ht": f"scontent-{self._rng.choice(_POPS)}.cdninstagram.com",
            "_nc_oc": _token(self._rng.randbytes(57)),
            "_nc_ohc": _token(self._rng.randbytes(17)),
            "_nc_gid": _token(self._rng.randbytes(16)),
            "efg": _token(b'{"vencode_tag":"ig.story.%s.sandbox"}' % kind.encode()),
            "ccb": "7-5",
            "oe": f"{expires:X}",
            "_nc_sid": "1d576d",
        }
        query["oh"] = self._signature(path, query.items())
        return f"{self.origin}{path}?{urlencode(query)}"

    def parse_path(self, path: str) -> tuple[str, str] | None:
        """Return the kind and the pk of the media at a path of this CDN.

        Return None for any other path.
        """
        if found := _VIDEO.fullmatch(path):
            return ("video", pk) if (pk := _pk_in(found[1])) is not None else None
        if found := _IMAGE.fullmatch(path):
            kinds = {folder: kind for kind, folder in _FOLDERS.items()}
            return (kinds[found[1]], found[2]) if found[1] in kinds else None
        return None

    def refusal(self, path: str, query: Collection[tuple[str, str]]) -> tuple[int, str] | None:
        """Return the `(status, text)` of the refusal of a link, or None if the link is valid."""
        if self.parse_path(path) is None:
            return 404, "Not Found"
        signed = [(name, value) for name, value in query if name != "oh"]
        pairs = dict(query)
        given = pairs.get("oh", "")
        if not hmac.compare_digest(given.encode(), self._signature(path, signed).encode()):
            return 403, "Bad URL hash"
        if int(pairs["oe"], 16) <= self._clock.now():
            return 403, "URL signature expired"
        return None if self.blob(path) is not None else (404, "Not Found")

    def blob(self, path: str) -> media.Blob | None:
        """Return the media for a path, or None if no story or profile has media at the path."""
        found = self.parse_path(path)
        if found is None:
            return None
        kind, pk = found
        if kind == "avatar":
            profile = self._instagram.by_pk(pk)
            return media.avatar(int(pk)) if profile is not None else None
        story = self._instagram.story(pk)
        if story is None:
            return None
        return blob_of(story, kind)

    def app(self) -> web.Application:
        """Return the listener, which serves GET and HEAD requests for every path."""
        app = web.Application()
        app.router.add_get("/{path:.*}", self._serve)
        return app

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        fault = self._faults.match_and_count_down("cdn", request.path_qs)
        scripted = faulty.status_of(fault)
        if scripted is not None:
            self._log_request(request, scripted, fault)
        early = await faulty.apply_before_effect(fault, request)
        if early is not None:
            return early
        refused = self.refusal(request.path, list(request.query.items()))
        if refused is not None:
            self._log_request(request, refused[0], fault)
            response = web.Response(status=refused[0], text=refused[1])
            return await faulty.apply_after_effect(fault, request, response)
        blob = self.blob(request.path)
        if blob is None:
            return web.Response(status=404, text="Not Found")
        return await self._send(request, blob, fault)

    async def _send(
        self, request: web.Request, blob: media.Blob, fault: Fault | None
    ) -> web.StreamResponse:
        total = len(blob)
        headers = {
            "Content-Type": blob.content_type,
            "Accept-Ranges": "bytes",
            "Cache-Control": "max-age=1209600, no-transform",
            "Access-Control-Allow-Origin": "*",
        }
        span = _span(request, total)
        if span is None:
            self._log_request(request, 416, fault)
            return web.Response(status=416, headers={"Content-Range": f"bytes */{total}"})
        start, stop = span
        status = 206 if "Range" in request.headers else 200
        if status == 206:
            headers["Content-Range"] = f"bytes {start}-{stop - 1}/{total}"
        self._log_request(request, status, fault)
        if fault and fault.loses_response:
            return faulty.lose_response(fault, request)
        chunks = blob.chunks(start, stop)
        return await faulty.stream_body(
            fault, request, status=status, headers=headers, length=stop - start, chunks=chunks
        )

    def _log_request(self, request: web.Request, status: int, fault: Fault | None) -> None:
        extra: dict[str, object] = {"method": request.method}
        if fault is not None:
            extra["fault"] = fault.id
        if (found := self.parse_path(request.path)) is not None:
            extra["kind"], extra["pk"] = found
        if "Range" in request.headers:
            extra["range"] = request.headers["Range"]
        params: dict[str, object] = {"oe": request.query.get("oe", "")}
        self._log.add(
            service="cdn",
            path=request.path,
            params=params,
            status=status,
            at=self._clock.now(),
            billed=None,
            **extra,
        )

    def _signature(self, path: str, query: Collection[tuple[str, str]]) -> str:
        signed = path + "?" + urlencode(sorted(query))
        digest = hmac.new(self._secret, signed.encode(), hashlib.sha256).digest()
        return "00_Af" + _token(digest[:24])


def blob_of(story: Story, kind: str) -> media.Blob | None:
    """Return the `photo`, `video` or `poster` of a story, or None if the story has no such file.

    A photo story has only a photo. A video story has only a video and a poster.
    """
    if kind == "video":
        silent = story.silent
        blob = (
            media.video(story.pk, story.variant, story.size, silent=silent)
            if story.media_type == 2
            else None
        )
    elif kind == "poster":
        blob = media.poster(story.pk, story.variant) if story.media_type == 2 else None
    elif story.media_type != 1:
        blob = None
    else:
        blob = (
            media.webp(story.pk)
            if story.webp
            else media.photo(story.pk, story.variant, story.size)
        )
    if blob is not None and story.content_type is not None:
        return media.Blob(story.content_type, blob.pieces)
    return blob


def _path(kind: str, pk: str) -> str:
    digest = hashlib.sha256(f"{kind}/{pk}".encode()).digest()
    if kind == "video":
        return f"/o1/v/t2/f2/m78/AQ{_token(digest[:8] + pk.encode())}.mp4"
    before, after = int.from_bytes(digest[:4], "big"), int.from_bytes(digest[4:12], "big")
    return f"/v/{_FOLDERS[kind]}/{before}_{pk}_{after}_n.jpg"


def _pk_in(token: str) -> str | None:
    try:
        return base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))[8:].decode()
    except ValueError:
        return None


def _token(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def _span(request: web.Request, total: int) -> tuple[int, int] | None:
    """Return the start and the stop of the requested bytes. The stop is not included.

    Return None if the range cannot be satisfied.
    """
    try:
        asked = request.http_range
    except ValueError:
        return None
    start, stop, _ = asked.indices(total)
    return (start, stop) if start < stop else None
