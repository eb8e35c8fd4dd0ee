"""The Bot API's error responses: a code, a description and optional parameters."""

from typing import Any


class Refusal(Exception):  # noqa: N818 - not an error of the program, but a regular response
    """An `ok: false` response of the server."""

    def __init__(self, code: int, description: str, **parameters: int) -> None:
        """Store the response. `parameters` may have retry_after or migrate_to_chat_id."""
        super().__init__(description)
        self.code = code
        self.description = description
        self.parameters = parameters

    def body(self) -> dict[str, Any]:
        """Return the JSON of the response."""
        body: dict[str, Any] = {
            "ok": False,
            "error_code": self.code,
            "description": self.description,
        }
        if self.parameters:
            body["parameters"] = self.parameters
        return body


def bad_request(text: str, **parameters: int) -> Refusal:
    """Return a 400 response.

    As on the real server, the first letter becomes lower case unless the first word is a CODE.
    """
    if len(text) > 1 and (text[1].islower() or text[1] == "'"):
        text = text[0].lower() + text[1:]
    return Refusal(400, f"Bad Request: {text}", **parameters)


def forbidden(text: str) -> Refusal:
    """Return a 403 response: the bot has no permission."""
    return Refusal(403, f"Forbidden: {text}")


def conflict(text: str) -> Refusal:
    """Return a 409 response: another client is already active."""
    return Refusal(409, f"Conflict: {text}")


def too_many_requests(retry_after: int) -> Refusal:
    """Return a 429 response with the seconds to wait in the text and in the parameters."""
    return Refusal(429, f"Too Many Requests: retry after {retry_after}", retry_after=retry_after)


UNAUTHORIZED = Refusal(401, "Unauthorized")
NOT_FOUND = Refusal(404, "Not Found")
METHOD_NOT_FOUND = Refusal(404, "Not Found: method not found")
TOO_LARGE = Refusal(413, "Request Entity Too Large")
DELETED_AT_ONCE = Refusal(
    500, "Internal Server Error: sent message was immediately deleted and can't be returned"
)
