"""A guard against slow operations while an open transaction blocks other writers.

A network call would make all other writers wait. A second transaction could wait forever, on
SQLite for the first transaction, and on PostgreSQL for a free connection.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

import structlog

log = structlog.get_logger()

is_strict = False
"""Whether a forbidden slow operation raises an error.

The value is True in tests. In production, the value is False, and the guard only logs the
operation.
"""


_NEVER = bool  # ``bool()`` is False
_is_held: ContextVar[Callable[[], bool]] = ContextVar("is_held", default=_NEVER)


@contextmanager
def refusing_slow_operations_while(is_held: Callable[[], bool] | None) -> Iterator[None]:
    """Forbid slow operations in the ``with`` block while ``is_held()`` returns True.

    The ban also applies to tasks that are started in the block. If ``is_held`` is None, slow
    operations are allowed.
    """
    token = _is_held.set(is_held or _NEVER)
    try:
        yield
    finally:
        _is_held.reset(token)


class SlowOperationBan:
    """A period in which slow operations are forbidden in a task and in its child tasks.

    The period may end in a different task.
    """

    def begin(self) -> None:
        """Forbid slow operations in this task and in the tasks that this task starts later."""
        outer = _is_held.get()
        self._outer = outer if outer() else _NEVER
        self._is_open = True
        _is_held.set(self)

    def __call__(self) -> bool:
        """Return whether slow operations are forbidden."""
        return self._is_open or self._outer()

    def end(self) -> None:
        """Allow slow operations again, unless an outer period forbids them."""
        self._is_open = False
        if _is_held.get() is self:
            _is_held.set(self._outer)


def raise_or_log_if_transaction_held(operation: str) -> None:
    """Raise or log an error if slow operations are forbidden now.

    ``operation`` is the name of the slow operation that is about to begin.

    Raises:
        RuntimeError: Slow operations are forbidden now, and ``is_strict`` is True.
    """
    if not _is_held.get()():
        return
    if is_strict:
        raise RuntimeError(f"{operation} begins while a transaction is held")
    log.error("a transaction is held too long", by=operation, stack_info=True)
