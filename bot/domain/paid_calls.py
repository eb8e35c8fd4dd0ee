"""A paid call in the project's words: its operation, its price, its answer."""

from collections.abc import Awaitable, Callable, Generator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Generic, TypeVar

T_co = TypeVar("T_co", covariant=True)


class Operation(StrEnum):
    """What is asked for, as the ledger stores it: no vendor's word."""

    STORY = "story"
    STORIES = "stories"
    PROFILE = "profile"
    HIGHLIGHTS = "highlights"
    DOWNLOAD = "download"


@dataclass(frozen=True, slots=True)
class Answer(Generic[T_co]):
    """What was asked for, and the credits that it was billed.

    ``is_checked`` is false where the API did not look whether the account is private.
    """

    value: T_co
    credits: int
    is_checked: bool = True


@dataclass(frozen=True, slots=True)
class Call(Generic[T_co]):
    """A call, made when it is awaited; ``price`` is what its dearest way costs, in credits."""

    operation: Operation
    price: int
    make: Callable[[], Awaitable[Answer[T_co]]]

    def __await__(self) -> Generator[Any, Any, Answer[T_co]]:
        """Make the call."""
        return self.make().__await__()


@dataclass(frozen=True, slots=True)
class Balance:
    """The account: credits left, and calls a second."""

    credits: int
    rate: float
