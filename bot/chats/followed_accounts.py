"""Reads the followed accounts from the export of personal data that Instagram offers.

The list is a JSON or HTML file, alone or in an archive. Programs that read the export show this
format: ``{"relationships_following": [{"title", "string_list_data": [{"href", "value"}]}]}``.
Newer files have the name only in ``href`` (``/_u/name``) and ``title``.
"""

import json
import re
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from html import unescape
from io import BytesIO
from itertools import islice
from typing import Any

from bot.domain.links import parse_profile_username

LARGEST = 4 * 2**20  # maximum bytes of a list, and of all unpacked lists of an archive
LARGEST_ARCHIVE = 20 * 2**20  # maximum bytes of an archive; Bot API, getFile: files of up to 20 MB
MOST = 10_000  # maximum number of names that are read
_MOST_FILES = 10  # maximum number of lists that are read in one archive

# Each object, array and list item of a JSON text needs one of these characters, so their number
# limits the memory of the parsed text. An entry of the export has about 9 of these characters.
_STRUCTURE = (b"{", b"[", b",")
_MOST_STRUCTURE = 12 * MOST

_ARCHIVE = b"PK\x03\x04"
_KEY = "relationships_following"
_MEMBER = re.compile(r"(?:.*/)?followers_and_following/following(?:_\d+)?\.(?:json|html)")
_HREF = re.compile(rb'href="(https?://(?:www\.)?instagram\.com/[^"]{1,200})"', re.IGNORECASE)
_PLAIN = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}
_BROKEN = (zipfile.BadZipFile, zlib.error, RuntimeError, EOFError, OSError, ValueError)

# The end record of a ZIP directory has 22 bytes, and a comment of up to 65,535 bytes (APPNOTE
# 4.3.16).
_END, _END_BYTES, _LONGEST_END = b"PK\x05\x06", 22, 22 + 65_535
_END_OF_ZIP64 = b"PK\x06\x07"
_LARGEST_DIRECTORY = 4 * 2**20


def followed_usernames_in(data: bytes) -> list[str] | None:
    """Return at most 10,000 unique usernames of followed accounts, in the order of the file.

    ``data`` is a list, or an archive of which at most 10 lists are read. Return None without a
    readable list of followed accounts.
    """
    files = list(_lists_in_archive(data)) if data.startswith(_ARCHIVE) else [data]
    found = [_names_in_list(file) for file in files if len(file) <= LARGEST]
    lists = [names for names in found if names is not None]
    if not lists:
        return None
    unique = dict.fromkeys(name for names in lists for name in names)
    return list(unique)[:MOST]


def _lists_in_archive(data: bytes) -> Iterator[bytes]:
    """Yield at most 10 lists of followed accounts in an archive, up to the first unreadable list.

    The lists have at most ``LARGEST`` bytes in total.
    """
    if not _has_small_directory(data):
        return
    left = LARGEST
    try:
        with zipfile.ZipFile(BytesIO(data)) as archive:
            lists = (member for member in archive.infolist() if _is_readable_followed_list(member))
            for member in islice(lists, _MOST_FILES):
                with archive.open(member) as file:
                    body = file.read(left + 1)
                left -= len(body)
                if left < 0:
                    return
                yield body
    except _BROKEN:
        return


def _is_readable_followed_list(member: zipfile.ZipInfo) -> bool:
    """Return whether a file in an archive has the name and compression of a readable list."""
    return member.compress_type in _PLAIN and bool(_MEMBER.fullmatch(member.filename))


def _has_small_directory(data: bytes) -> bool:
    """Return whether the end record of an archive states a directory of at most 4 MiB.

    Return False for an archive in the format ZIP64, and for an archive without an end record.
    """
    place = data.rfind(_END, max(0, len(data) - _LONGEST_END))
    if place < 0 or len(data) < place + _END_BYTES or _END_OF_ZIP64 in data[place - 20 : place]:
        return False
    return int.from_bytes(data[place + 12 : place + 16], "little") <= _LARGEST_DIRECTORY


def _names_in_list(data: bytes) -> Iterable[str] | None:
    """Return the usernames in a list of followed accounts.

    Return None if the data are not a list of followed accounts, or if the JSON has too many values
    to be parsed.
    """
    text = data.lstrip(b"\xef\xbb\xbf \t\r\n")
    if text.startswith(b"<"):
        return list(_names_in_html(text)) or None
    if sum(text.count(pattern) for pattern in _STRUCTURE) > _MOST_STRUCTURE:
        return None
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    rows = value.get(_KEY) if isinstance(value, dict) else value
    entries = [row for row in rows if _is_entry(row)] if isinstance(rows, list) else []
    if not entries:
        return None
    return [name for name in map(_username_in_entry, entries) if name]


def _names_in_html(text: bytes) -> Iterator[str]:
    for found in _HREF.finditer(text):
        if name := parse_profile_username(unescape(found[1].decode("utf-8", "ignore"))):
            yield name


def _is_entry(row: object) -> bool:
    return isinstance(row, dict) and isinstance(row.get("string_list_data"), list)


def _username_in_entry(row: dict[str, Any]) -> str | None:
    """Return the username of an entry.

    The first valid username in the URL, the value or the title is used, in this order. Return None
    if the entry has no valid username.
    """
    first = next(iter(row["string_list_data"]), None)
    texts = [row.get("title")]
    if isinstance(first, dict):
        texts = [first.get("href"), first.get("value"), *texts]
    names = (parse_profile_username(text) for text in texts if isinstance(text, str))
    return next(filter(None, names), None)
