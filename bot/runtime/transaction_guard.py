"""A guard: nobody begins what takes long while holding what others wait for.

Between the first effect of an update and its end one transaction is open. On SQLite a second
transaction that writes would wait for the first one for ever, and a call over the network lets
every other writer wait. On PostgreSQL a second transaction, even one that only reads, takes a
second connection of the pool: when each holder of a connection waits for one more, all wait.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

import structlog

log = structlog.get_logger()

is_strict = False
"""Whether it raises; the tests set this, while people are better served by a line in the log."""


_is_held: ContextVar[Callable[[], bool] | None] = ContextVar("is_held", default=None)


@contextmanager
def refusing_while(is_held: Callable[[], bool] | None) -> Iterator[None]:
    """Let the block, and the tasks that it starts, begin nothing long while ``is_held()``."""
    token = _is_held.set(is_held)
    try:
        yield
    finally:
        _is_held.reset(token)


@contextmanager
def holding() -> Iterator[None]:
    """Let the block, and the tasks that it starts, begin nothing long until the block ends.

    The block may end in another task than the one in which the block began.
    """
    outer = _is_held.get()
    if outer is not None and not outer():
        outer = None
    is_open = True

    def is_held() -> bool:
        return is_open or (outer is not None and outer())

    _is_held.set(is_held)
    try:
        yield
    finally:
        is_open = False
        if _is_held.get() is is_held:
            _is_held.set(outer)


def refuse_if_held(what: str) -> None:
    """Record that ``what`` is about to begin.

    Raises:
        RuntimeError: A transaction is held; only where ``is_strict``.
    """
    is_held = _is_held.get()
    if is_held is None or not is_held():
        return
    if is_strict:
        raise RuntimeError(f"{what} begins while a transaction is held")
    log.error("a transaction is held too long", by=what, stack_info=True)
