"""Export and import of a chat's subscriptions with all options, as JSON."""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from bot.domain.errors import BotError
from bot.domain.links import parse_profile_username
from bot.domain.options import Options, Preferences
from bot.domain.sentences import N_

LARGEST = 256 * 1024  # maximum size of an imported file in bytes
_MOST = 1000  # maximum number of subscriptions in a file
_VERSION = 1
_PREFERENCES = frozenset(Preferences().to_json())  # the JSON keys of preferences in an entry


UNREADABLE = N_(
    "I can't read this file. Please send one made by /export, or <code>following.json</code> or "
    "<code>following.html</code> from your Instagram data."
)


@dataclass(frozen=True, slots=True)
class ImportEntry:
    """A subscription in a file for export or import.

    ``preferences`` is None for a name without options. In that case, the defaults of the chat
    apply.
    """

    username: str
    preferences: Preferences | None = None


@dataclass(frozen=True, slots=True)
class Import:
    """The content of an imported file: profiles, unreadable entries, and the chat's rules."""

    entries: list[ImportEntry]
    skipped: list[str] = field(default_factory=list)
    rules: Options = field(default_factory=Options)
    """The rules of the whole chat. All other options have their default values."""

    @property
    def has_rules_alone(self) -> bool:
        """Return whether the file has rules, and no profiles or unreadable entries."""
        return bool(self.rules.rules) and not self.entries and not self.skipped


def export_to_json(entries: Iterable[ImportEntry], rules: Options | None = None) -> bytes:
    """Return the content of an export file: the subscriptions and the chat-wide rules as JSON."""
    rows = [
        {"username": entry.username, **(entry.preferences or Preferences()).to_json()}
        for entry in entries
    ]
    value: dict[str, object] = {"storybell": _VERSION, "subscriptions": rows}
    if rules is not None and rules.rules:
        value["rules"] = rules.rules
    return json.dumps(value, indent=2, ensure_ascii=False).encode()


def parse_import(data: bytes) -> Import:
    """Parse an exported file, or a JSON list of names.

    If a name occurs several times, the first entry counts.

    Raises:
        BotError: The file has a different format, or more than 256 KiB or 1,000 subscriptions.
    """
    if len(data) > LARGEST:
        raise BotError("too large", text=UNREADABLE)
    text = data.lstrip(b"\xef\xbb\xbf \t\r\n")
    value = _parse_json(text)
    rows = _subscription_rows_or_raise(value)
    entries: dict[str, ImportEntry] = {}
    skipped: list[str] = []
    for row in rows:
        entry = _parse_entry(row)
        if entry is None:
            skipped.append(_shortened_username_or_row(row))
        else:
            entries.setdefault(entry.username, entry)
    return Import(list(entries.values()), skipped, _chat_wide_rules_in(value))


def _parse_json(text: bytes) -> Any:  # noqa: ANN401 - JSON
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise BotError("no JSON", text=UNREADABLE) from error


def _chat_wide_rules_in(value: Any) -> Options:  # noqa: ANN401 - JSON
    """Return the chat-wide rules in the JSON value of a file. Ignore invalid rules."""
    rules = value.get("rules") if isinstance(value, dict) else None
    known = Options.from_json(rules) if isinstance(rules, dict) else Options()
    return Options(only=known.only, without=known.without)


def _subscription_rows_or_raise(value: Any) -> list[Any]:  # noqa: ANN401 - JSON
    rows = value.get("subscriptions") if isinstance(value, dict) else value
    if not isinstance(rows, list) or len(rows) > _MOST:
        raise BotError("no list of subscriptions", text=UNREADABLE)
    return rows


def _parse_entry(row: object) -> ImportEntry | None:
    if isinstance(row, str):
        row = {"username": row}
    if not isinstance(row, dict) or not isinstance(row.get("username"), str):
        return None
    username = parse_profile_username(row["username"])
    if username is None:
        return None
    has_preferences = not _PREFERENCES.isdisjoint(row)
    return ImportEntry(username, Preferences.from_json(row) if has_preferences else None)


def _shortened_username_or_row(row: object) -> str:
    return str(row.get("username") if isinstance(row, dict) else row)[:64]
