"""Sends whose outcome is unknown by the rule of ``docs/failures.md``, "A send fails".

A 429 leaves two outcomes unknown. Part of an album may be in the chat if Telegram lacks some of
its files. A late 429 with a short wait may result from a failure of a data centre. The bot counts
the copy of such a send, so the repeat is silent.
"""

from collections.abc import Callable
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from sandbox.cdn import Cdn
from sandbox.telegram import inputs
from sandbox.telegram.call import METHODS, Call, Handler
from sandbox.telegram.refusals import Refusal

FLOOD = 429
LATE_S = 7.0
"""A 429 after more seconds is late."""
SHORT_WAIT_S = 8
"""A late 429 with at most this number of seconds leaves the outcome unknown."""
FIELDS = {"sendphoto": "photo", "sendvideo": "video", "sendanimation": "animation",
          "senddocument": "document", "sendmediagroup": ""}  # fmt: skip
"""The methods that send media, and the field of a single file."""


class UnknownSend(NamedTuple):
    """A story that a send with unknown outcome may have delivered to a chat."""

    at: float
    chat: int
    pk: str


class SentFile(NamedTuple):
    """The story of a file in a call, and the source of the file."""

    pk: str
    source: str


def watch_sends(cdn: Cdn, remember: Callable[[UnknownSend], None]) -> None:
    """Report each story in a send with unknown outcome, for the rest of the process."""
    for name in FIELDS:
        METHODS[name] = _watched(METHODS[name], cdn, remember)


def _watched(handler: Handler, cdn: Cdn, remember: Callable[[UnknownSend], None]) -> Handler:
    async def watched(call: Call) -> Any:
        began = call.world.clock.now()
        try:
            return await handler(call)
        except Refusal as refusal:
            if refusal.code == FLOOD:
                files = _files(call, cdn)
                took = call.world.clock.now() - began
                if is_unknown(files, took, refusal.parameters["retry_after"]):
                    chat = call.integer("chat_id")
                    for file in files:
                        remember(UnknownSend(began, chat, file.pk))
            raise

    return watched


def is_unknown(files: list[SentFile], took: float, wait: int) -> bool:
    """Return whether a 429 after ``took`` seconds leaves the outcome of a send unknown."""
    is_late = took > LATE_S and wait <= SHORT_WAIT_S
    is_new_album = len(files) > 1 and any(file.source != "file_id" for file in files)
    return is_late or is_new_album


def _files(call: Call, cdn: Cdn) -> list[SentFile]:
    """Return the files of a call, in order."""
    field = FIELDS[call.method.lower()]
    if field:
        return [_file(call, cdn, field, call.text(field), field)]
    return [_file(call, cdn, item["type"], item["media"]) for item in call.json("media")]


def _file(call: Call, cdn: Cdn, kind: str, value: str, field: str = "") -> SentFile:
    given = inputs.parse_file(call, kind, value, field)
    if isinstance(given, str):
        found = cdn.parse_path(urlsplit(given).path)
        return SentFile(found[1] if found else "", "url")
    return SentFile(given.content.story_pk or "", given.source)
