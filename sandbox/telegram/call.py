"""A call of a Bot API method with the parsed parameters, and the list of all methods."""

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from sandbox.faults import Fault
from sandbox.telegram.model import Message
from sandbox.telegram.params import Upload
from sandbox.telegram.people import Bot
from sandbox.telegram.refusals import bad_request
from sandbox.telegram.services import Services
from sandbox.telegram.world import World

_TRUE = frozenset({"true", "yes", "1"})


@dataclass(slots=True)
class Call:
    """A call of a method, with the objects that the method needs."""

    services: Services
    world: World
    bot: Bot
    method: str
    params: dict[str, Any]
    files: dict[str, Upload]
    fault: Fault | None = None
    made: list[Message] = field(default_factory=list)  # messages that the call has added to chats

    def text(self, name: str) -> str:
        """Return a parameter as text, or an empty string if the parameter is missing."""
        value = self.params.get(name)
        if value is None:
            return ""
        if isinstance(value, str):
            return value
        return json.dumps(value, ensure_ascii=False)

    def integer(self, name: str, default: int = 0) -> int:
        """Return a parameter as an integer. An invalid number is 0, as on the real server."""
        value = self.params.get(name)
        return default if value is None else parse_int(value)

    def flag(self, name: str) -> bool:
        """Return a parameter as a boolean."""
        return parse_bool(self.params.get(name))

    def given(self, name: str) -> bool:
        """Return whether the caller sent a parameter with a value."""
        return self.params.get(name) not in {None, ""} if self._plain(name) else True

    def _plain(self, name: str) -> bool:
        return not isinstance(self.params.get(name), dict | list)

    def json(self, name: str, what: str | None = None) -> Any:  # noqa: ANN401 - any JSON value
        """Return the decoded value of a JSON parameter, or None if the parameter is missing.

        `what` is the name of the parameter in the error message.

        Raises:
            Refusal: The parameter is not valid JSON.
        """
        value = self.params.get(name)
        if not isinstance(value, str):
            return value
        if not value:
            return None
        try:
            return json.loads(value)
        except (ValueError, RecursionError):
            raise bad_request(f"can't parse {what or name} JSON object") from None


def parse_int(value: object) -> int:
    """Return the number that the leading digits of a text form, as parsed by the real server."""
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, int | float):
        return int(value)
    text = str(value).strip()
    sign, digits = (-1, text[1:]) if text[:1] == "-" else (1, text)
    end = next((i for i, c in enumerate(digits) if c not in "0123456789"), len(digits))
    return sign * int(digits[:end][:18] or 0)


def parse_bool(value: object) -> bool:
    """Return a boolean, as parsed by the real server."""
    if isinstance(value, bool):
        return value
    return value is not None and str(value).strip().lower() in _TRUE


Handler = Callable[[Call], Awaitable[Any]]
METHODS: dict[str, Handler] = {}


def method(name: str) -> Callable[[Handler], Handler]:
    """Register a handler for the method `name`, written as in the published Bot API."""

    def register(handler: Handler) -> Handler:
        METHODS[name.lower()] = handler
        return handler

    return register
