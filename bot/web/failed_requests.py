"""The log of failed HTTP requests. Each kind of failure usually has at most one line a minute.

By default, aiohttp logs a traceback for every malformed request, with bytes of the request that
may contain secrets.
"""

import time

import structlog
from aiohttp.http_exceptions import HttpProcessingError

log = structlog.get_logger()

_LINE_EVERY_S = 60.0
_MOST_KINDS = 100


class FailedRequests:
    """A logger for the aiohttp server. Repetitions within a minute are usually only counted."""

    def __init__(self) -> None:
        """Create a logger."""
        self._logged_at: dict[str, float] = {}
        self._unlogged: dict[str, int] = {}

    def debug(self, *_: object, **__: object) -> None:
        """Log nothing.

        aiohttp calls this method after an invalid first method, such as TLS, and in debug mode
        after disconnects.
        """

    def exception(
        self, message: str, *_: object, exc_info: BaseException | bool | None = None
    ) -> None:
        """Log the class and the traceback of the exception. Without an exception, log ``message``.

        A malformed request gets no traceback. Within a minute, repeated failures are usually only
        counted.
        """
        error = exc_info if isinstance(exc_info, BaseException) else None
        kind = type(error).__name__ if error else message
        if not self._may_log_else_count(kind):
            return
        more = self._unlogged.pop(kind, 0)
        if isinstance(error, HttpProcessingError):
            log.warning("a malformed request", kind=kind, more_since_the_last_line=more)
        else:
            log.error("a request failed", kind=kind, more_since_the_last_line=more, exc_info=error)

    def _may_log_else_count(self, kind: str) -> bool:
        """Return whether a failure of ``kind`` may be logged now. If not, count the failure."""
        now, before = time.monotonic(), self._logged_at.get(kind)
        if before is not None and now - before < _LINE_EVERY_S:
            self._unlogged[kind] = self._unlogged.get(kind, 0) + 1
            return False
        if len(self._logged_at) >= _MOST_KINDS:
            self._logged_at.clear()
        self._logged_at[kind] = now
        return True
