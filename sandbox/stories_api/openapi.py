"""The OpenAPI document of the sandbox's Stories API, generated from the table of endpoints."""

from functools import cache

from sandbox.stories_api.endpoints import ENDPOINTS, Endpoint, Param

Schema = dict[str, object]

_TEXT: Schema = {"type": "string"}
_MAYBE_TEXT: Schema = {"type": ["string", "null"]}
_NUMBER: Schema = {"type": "number"}
_BOX = dict.fromkeys(("x", "y", "width", "height"), _NUMBER)


def _object(required: dict[str, Schema], optional: dict[str, Schema] | None = None) -> Schema:
    return {
        "type": "object",
        "required": sorted(required),
        "properties": {**required, **(optional or {})},
    }


def _list(of: str) -> Schema:
    return {"type": "array", "items": _ref(of)}


def _ref(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


_PERSON: dict[str, Schema] = {
    "pk": _TEXT,
    "id": _TEXT,
    "username": _MAYBE_TEXT,
    "full_name": _MAYBE_TEXT,
    "profile_pic_url": _MAYBE_TEXT,
    "profile_pic_url_hd": _MAYBE_TEXT,
    "is_private": {"type": "boolean"},
    "is_verified": {"type": "boolean"},
}
SCHEMAS: dict[str, Schema] = {
    "UserShort": _object(_PERSON),
    "User": _object(_PERSON, {"media_count": {"type": "integer"}, "biography": _TEXT}),
    "StoryMention": _object({"user": _ref("UserShort")}, _BOX),
    "StoryLink": _object({"webUri": _TEXT}, {**_BOX, "z": _NUMBER, "rotation": _NUMBER}),
    "StoryHashtag": _object({"hashtag": _object({"name": _TEXT})}, _BOX),
    "StoryLocation": _object({"location": _object({"name": _TEXT})}, _BOX),
    "StorySticker": _object(_BOX),
    "StoryMedia": _object({"media_pk": _TEXT}, _BOX),
    "Story": _object(
        {
            "pk": {"type": "string", "pattern": "^[0-9]+$"},
            "id": {"type": "string", "pattern": "^[0-9]+_[0-9]+$"},
            "code": {"type": "string", "pattern": "^[A-Za-z0-9_-]+$"},
            "taken_at": {"type": "string", "format": "date-time"},
            "user": _ref("UserShort"),
            "mentions": _list("StoryMention"),
            "links": _list("StoryLink"),
            "hashtags": _list("StoryHashtag"),
            "locations": _list("StoryLocation"),
            "stickers": _list("StorySticker"),
        },
        {
            "media_type": {"type": ["integer", "null"], "enum": [1, 2, None]},
            "product_type": _MAYBE_TEXT,
            "thumbnail_url": _MAYBE_TEXT,
            "video_url": _MAYBE_TEXT,
            "video_duration": {"type": ["number", "null"]},
            "sponsor_tags": _list("UserShort"),
            "medias": _list("StoryMedia"),
        },
    ),
    "Stories": {"type": "array", "items": {"$ref": "#/components/schemas/Story"}},
    "Highlight": _object(
        {
            "pk": _TEXT,
            "id": _TEXT,
            "title": _TEXT,
            "user": _ref("UserShort"),
            "created_at": {"type": "string", "format": "date-time"},
            "is_pinned_highlight": {"type": "boolean"},
            "media_count": {"type": "integer"},
            "media_ids": {"type": "array", "items": _TEXT},
            "items": _list("Story"),
        }
    ),
    "Highlights": {"type": "array", "items": {"$ref": "#/components/schemas/Highlight"}},
    "Share": _object({"pk": _TEXT, "type": {"type": "string", "enum": ["highlight", "story"]}}),
    "Balance": _object(
        {
            "requests": {"type": "integer"},
            "rate": _NUMBER,
            "currency": _TEXT,
            "amount": _NUMBER,
        }
    ),
    "Error": _object({"detail": _TEXT}, {"exc_type": _TEXT}),
    "InsufficientFunds": _object(
        {"state": {"type": "boolean"}, "error": _TEXT, "exc_type": _TEXT}
    ),
    "HTTPValidationError": _object({"detail": _list("ValidationError")}),
    "ValidationError": _object(
        {"loc": {"type": "array", "items": _TEXT}, "msg": _TEXT, "type": _TEXT}
    ),
}
_REFUSALS = {
    "400": ("An argument cannot be used", "Error"),
    "401": ("The access key is missing or unknown", "Error"),
    "402": ("The balance does not cover the call", "InsufficientFunds"),
    "403": ("The account is private", "Error"),
    "404": ("No such account or story", "Error"),
    "405": ("Only GET", "Error"),
    "422": ("A parameter is missing or has the wrong type", "HTTPValidationError"),
    "429": ("Too many requests a second", "Error"),
    "500": ("The service failed", "Error"),
}


@cache
def document() -> Schema:
    """Return the complete document in OpenAPI 3.1."""
    return {
        "openapi": "3.1.0",
        "info": {"title": "Sandbox of the Stories API", "version": "1.0.0"},
        "paths": {path: {"get": _operation(endpoint)} for path, endpoint in ENDPOINTS.items()},
        "components": {
            "schemas": SCHEMAS,
            "securitySchemes": {"key": {"type": "apiKey", "in": "header", "name": "x-access-key"}},
        },
        "security": [{"key": []}],
    }


def _operation(endpoint: Endpoint) -> Schema:
    responses = {
        status: {"description": text, "content": _json(_ref(shape))}
        for status, (text, shape) in _REFUSALS.items()
    }
    return {
        "operationId": endpoint.path.strip("/").replace("/", "_"),
        "summary": endpoint.summary,
        "x-reqs-cost": endpoint.cost,
        "parameters": [_parameter(param) for param in endpoint.params],
        "responses": {**_good(endpoint), **responses},
    }


def _good(endpoint: Endpoint) -> Schema:
    if endpoint.returns != "Download":
        content = _json(_ref(endpoint.returns))
        return {"200": {"description": "OK", "content": content}}
    anything: Schema = {}
    kinds = ("image/jpeg", "image/webp", "video/mp4", "application/json")
    return {
        "200": {
            "description": "The file, its URL or its story",
            "content": {kind: {"schema": anything} for kind in kinds},
        },
        "302": {"description": "The file is at the CDN"},
    }


def _json(schema: Schema) -> Schema:
    return {"application/json": {"schema": schema}}


def _parameter(param: Param) -> Schema:
    schema: Schema = {} if param.kind == "flag" else {"type": param.kind}
    return {
        "name": param.name,
        "in": "query",
        "required": param.required,
        "description": param.text or param.name.replace("_", " ").capitalize(),
        "schema": schema,
    }
