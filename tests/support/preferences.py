"""Preferences without any default value, for tests that all values are stored."""

from dataclasses import fields
from datetime import UTC, datetime
from typing import Any

from bot.domain.options import CHOICES, TEXTS, Options, Preferences

_TEXTS = ("#sale", "8-20")
"""Each option with a text accepts at least one of these."""
MUTED_UNTIL = datetime(2027, 1, 2, 3, 4, 5, tzinfo=UTC)


def unlike_defaults() -> Preferences:
    """Return preferences without default values. New fields are included automatically."""
    preferences: Preferences = _unlike(Preferences())
    return preferences


def _unlike(plain: Any) -> Any:
    values: dict[str, Any] = {}
    for one in fields(plain):
        match getattr(plain, one.name):
            case bool(default):
                values[one.name] = not default
            case str(default):
                texts = [TEXTS[one.name](text) for text in _TEXTS if one.name in TEXTS]
                words = {*texts, *CHOICES.get(one.name, ())} - {"", default}
                assert words, (
                    f"add what cleans {one.name} to TEXTS in bot/domain/options.py,"
                    " or a text that it takes to _TEXTS here"
                )
                values[one.name] = max(words)
            case Options() as options:
                values[one.name] = _unlike(options)
            case None:
                values[one.name] = MUTED_UNTIL
            case other:
                raise AssertionError(f"how does {other!r} of {one.name} become another value?")
    return type(plain)(**values)
