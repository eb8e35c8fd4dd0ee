"""The endpoints of the Stories API: parameters and prices."""

from collections.abc import Mapping
from dataclasses import dataclass

OFF = frozenset({"", "0", "false", "off", "no", "none", "null"})


@dataclass(frozen=True)
class Param:
    """A query parameter. `kind` is a JSON Schema type, or `flag` for `force`."""

    name: str
    kind: str = "string"
    required: bool = True
    text: str = ""


@dataclass(frozen=True)
class Endpoint:
    """A path and its price in credits. `returns` is the schema name of a 200 response."""

    path: str
    summary: str
    params: tuple[Param, ...]
    returns: str
    cost: int = 1
    # Price with `force`; without the privacy check, the call costs one credit less.
    forced_cost: int | None = None

    def price(self, values: Mapping[str, object]) -> int:
        """Return the price in credits of a call with the given parameters."""
        if values.get("force") and self.forced_cost is not None:
            return self.forced_cost
        return self.cost


class Invalid(ValueError):  # noqa: N818  named after the reason phrase of the status
    """Raised for invalid parameters. `detail` is the list of errors in a 422 response."""

    def __init__(self, detail: list[dict[str, object]]) -> None:
        """Store the list of errors."""
        super().__init__("invalid parameters")
        self.detail = detail


_AMOUNT = Param("amount", "integer", required=False, text="At most so many items; 0 for all")
_FORCE = Param("force", "flag", required=False, text="Skip account privacy check")
_ID, _URL, _USERNAME = Param("id"), Param("url"), Param("username")
_USER_ID = Param("user_id")

ENDPOINTS = {
    e.path: e
    for e in (
        Endpoint("/v1/story/by/id", "Get story object by id", (_ID,), "Story"),
        Endpoint("/v1/story/by/url", "Get story object by url", (_URL,), "Story"),
        Endpoint("/v1/story/download", "Download story media by story id", (_ID,), "Download"),
        Endpoint(
            "/v1/story/download/by/story/url",
            "Download story file by story URL",
            (_URL,),
            "Download",
        ),
        Endpoint(
            "/v1/story/download/by/url", "Download story file by URL to file", (_URL,), "Download"
        ),
        Endpoint(
            "/v1/user/stories", "Get user stories", (_USER_ID, _AMOUNT, _FORCE), "Stories", 2, 1
        ),
        Endpoint(
            "/v1/user/stories/by/username",
            "Get user stories by username",
            (_USERNAME, _AMOUNT, _FORCE),
            "Stories",
            3,
            2,
        ),
        Endpoint(
            "/v1/user/highlights",
            "Get a user's highlights",
            (_USER_ID, _AMOUNT, _FORCE),
            "Highlights",
            2,
            1,
        ),
        Endpoint("/v1/highlight/by/url", "Get a highlight by url", (_URL,), "Highlight"),
        Endpoint("/v1/user/by/username", "Get user object by username", (_USERNAME,), "User"),
        Endpoint("/v1/user/by/id", "Get user object by id", (_ID,), "User"),
        Endpoint("/v1/share/by/url", "Get share object by url", (_URL,), "Share"),
        Endpoint("/sys/balance", "Get the account's balance", (), "Balance", 0),
    )
}


def parse_parameters(endpoint: Endpoint, query: Mapping[str, str]) -> dict[str, object]:
    """Return the parameters of a call by name, including defaults.

    Raises:
        Invalid: A parameter is missing or is not an integer.
    """
    values: dict[str, object] = {}
    faults: list[dict[str, object]] = []
    for param in endpoint.params:
        raw = query.get(param.name)
        if raw is None:
            if param.required:
                faults.append(_fault(param, "field required", "value_error.missing"))
            values[param.name] = _default(param)
        elif param.kind == "integer":
            number = _integer(raw)
            if number is None:
                faults.append(_fault(param, "value is not a valid integer", "type_error.integer"))
            values[param.name] = number
        elif param.kind == "flag":
            values[param.name] = raw.strip().lower() not in OFF
        else:
            values[param.name] = raw
    if faults:
        raise Invalid(faults)
    return values


def _default(param: Param) -> object:
    return {"integer": 0, "flag": False}.get(param.kind)


def _integer(raw: str) -> int | None:
    try:
        return int(raw) if len(raw) < 100 else None
    except ValueError:
        return None


def _fault(param: Param, message: str, kind: str) -> dict[str, object]:
    return {"loc": ["query", param.name], "msg": message, "type": kind}
