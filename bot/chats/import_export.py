"""A chat's subscriptions as a file: JSON with all options, OPML with what feed readers know."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from xml.etree import ElementTree as ET
from xml.parsers import expat

from bot.domain.errors import N_, BotError
from bot.domain.links import parse_argument
from bot.domain.model import Options

LARGEST = 256 * 1024  # bytes of a file that is read
_MOST = 1000  # subscriptions in it
_VERSION = 1
_PAGE = "https://www.instagram.com/"


class BadFileError(BotError):
    """The file is not one of ours, nor OPML."""

    text = N_(
        "I can't read this file. Please send one made by /export, or an OPML file with "
        "Instagram links."
    )


@dataclass(frozen=True, slots=True)
class ImportEntry:
    """One subscription in a file; ``thread_id`` is only right in the chat it came from."""

    username: str
    profile_id: str = ""
    options: Options = field(default_factory=Options)
    paused: bool = False
    thread_id: int | None = None


@dataclass(frozen=True, slots=True)
class Import:
    """What a file held: entries, each profile of a topic once, and lines that made no sense."""

    entries: list[ImportEntry]
    skipped: list[str] = field(default_factory=list)


def to_json(entries: Iterable[ImportEntry]) -> bytes:
    """Return the subscriptions as JSON."""
    rows = [
        {
            "username": entry.username,
            "profile_id": entry.profile_id,
            "options": entry.options.values(),
            "paused": entry.paused,
            "thread_id": entry.thread_id,
        }
        for entry in entries
    ]
    value = {"storybell": _VERSION, "subscriptions": rows}
    return json.dumps(value, indent=2, ensure_ascii=False).encode()


def to_opml(entries: Iterable[ImportEntry]) -> bytes:
    """Return the subscriptions as OPML 2.0; options are in attributes that readers ignore."""
    root = ET.Element("opml", version="2.0")
    ET.SubElement(ET.SubElement(root, "head"), "title").text = "Storybell"
    body = ET.SubElement(root, "body")
    for entry in entries:
        outline = ET.SubElement(
            body,
            "outline",
            type="link",
            text=entry.username,
            url=f"{_PAGE}{entry.username}/",
        )
        options = entry.options.values() | ({"paused": True} if entry.paused else {})
        if options:
            outline.set("storybellOptions", json.dumps(options, sort_keys=True))
    return (
        b"<?xml version='1.0' encoding='utf-8'?>\n"
        + ET.tostring(root, encoding="unicode").encode()
    )


def read(data: bytes) -> Import:
    """Return what an exported file, or any OPML with Instagram addresses, holds.

    Raises:
        BadFileError: It is neither, or too large.
    """
    if len(data) > LARGEST:
        raise BadFileError("too large")
    text = data.lstrip(b"\xef\xbb\xbf \t\r\n")
    rows = _rows_of_opml(text) if text.startswith(b"<") else _rows_of_json(text)
    entries: dict[tuple[str, int | None], ImportEntry] = {}
    skipped: list[str] = []
    for row in rows:
        entry = _entry(row)
        if entry is None:
            skipped.append(_shown(row))
        else:
            entries.setdefault((entry.username, entry.thread_id), entry)
    return Import(list(entries.values()), skipped)


def _rows_of_json(text: bytes) -> list[Any]:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise BadFileError("no JSON") from error
    rows = value.get("subscriptions") if isinstance(value, dict) else value
    if not isinstance(rows, list) or len(rows) > _MOST:
        raise BadFileError("no list of subscriptions")
    return rows


def _rows_of_opml(text: bytes) -> list[Any]:
    parser = expat.ParserCreate()
    rows: list[Any] = []
    is_opml = False

    def start(name: str, attributes: Mapping[str, str]) -> None:
        nonlocal is_opml
        is_opml = is_opml or name == "opml"
        address = attributes.get("url") or attributes.get("htmlUrl") or attributes.get("xmlUrl")
        if name == "outline" and address:
            options = _options_in(attributes.get("storybellOptions", ""))
            rows.append({"username": address, "options": options, "paused": options.get("paused")})

    def refuse(*_: object) -> None:
        raise BadFileError("a document type is not needed and may be a trap")

    parser.StartElementHandler = start
    parser.StartDoctypeDeclHandler = refuse
    try:
        parser.Parse(text, True)  # noqa: FBT003 - expat's own signature: this is all
    except expat.ExpatError as error:
        raise BadFileError("no XML") from error
    if not is_opml or len(rows) > _MOST:
        raise BadFileError("no OPML")
    return rows


def _options_in(text: str) -> dict[str, Any]:
    try:
        value = json.loads(text or "{}")
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _entry(row: object) -> ImportEntry | None:
    if isinstance(row, str):
        row = {"username": row}
    if not isinstance(row, dict) or not isinstance(row.get("username"), str):
        return None
    link = parse_argument(row["username"])
    if link is None or link.kind != "profile" or link.username is None:
        return None
    options, profile_id, thread = (row.get(key) for key in ("options", "profile_id", "thread_id"))
    return ImportEntry(
        username=link.username,
        profile_id=profile_id if isinstance(profile_id, str) else "",
        options=Options.of(options) if isinstance(options, dict) else Options(),
        paused=row.get("paused") is True,
        thread_id=thread if isinstance(thread, int) and not isinstance(thread, bool) else None,
    )


def _shown(row: object) -> str:
    return str(row.get("username") if isinstance(row, dict) else row)[:64]
