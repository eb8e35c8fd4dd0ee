"""Preferences of which nothing is as it is by default: what keeps them must keep all of it."""

from dataclasses import fields
from datetime import UTC, datetime
from typing import Any

from bot.domain.model import Options, Preferences

_WORDS = {"media": "video", "caption": "full"}
MUTED_UNTIL = datetime(2027, 1, 2, 3, 4, 5, tzinfo=UTC)


def unlike_defaults() -> Preferences:
    """Return such preferences, made from the fields: a new field is among them."""
    preferences: Preferences = _unlike(Preferences())
    return preferences


def _unlike(plain: Any) -> Any:
    values: dict[str, Any] = {}
    for one in fields(plain):
        match getattr(plain, one.name):
            case bool(default):
                values[one.name] = not default
            case str():
                values[one.name] = _WORDS.get(one.name, "#sale")
            case Options() as options:
                values[one.name] = _unlike(options)
            case None:
                values[one.name] = MUTED_UNTIL
            case other:
                raise AssertionError(f"how does {other!r} of {one.name} become another value?")
    return type(plain)(**values)
