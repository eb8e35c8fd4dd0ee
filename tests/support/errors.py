"""Assertions for errors of the bot that differ only in the text."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TypeVar

import pytest

from bot.domain.errors import BotError

E = TypeVar("E", bound=BotError)


@contextmanager
def raises(kind: type[E], text: str) -> Iterator[pytest.ExceptionInfo[E]]:
    """Expect an error of ``kind`` with the given text for the person."""
    with pytest.raises(kind) as raised:
        yield raised
    assert raised.value.text == text
