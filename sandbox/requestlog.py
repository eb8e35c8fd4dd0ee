"""The log of requests to the sandbox, numbered from 1."""

from collections import Counter, deque
from itertools import islice

KEPT = 100_000  # maximum number of entries; older entries are dropped


class RequestLog:
    """The latest requests to all services, and the number of all requests to each service."""

    def __init__(self, kept: int = KEPT) -> None:
        """Keep the latest `kept` entries."""
        self.calls: Counter[str] = Counter()
        self._entries: deque[dict[str, object]] = deque(maxlen=kept)
        self._last = 0

    def add(
        self,
        *,
        service: str,
        path: str,
        params: dict[str, object],
        status: int,
        at: float,
        billed: int | None = None,
        **extra: object,
    ) -> int:
        """Record a request, and return its number. Status 0 means that no response was sent."""
        self._last += 1
        self.calls[service] += 1
        entry: dict[str, object] = {
            "n": self._last,
            "at": at,
            "service": service,
            "path": path,
            "params": params,
            "status": status,
        }
        if billed is not None:
            entry["billed"] = billed
        self._entries.append(entry | extra)
        return self._last

    def since(self, after: int, service: str | None = None) -> list[dict[str, object]]:
        """Return the entries with numbers above `after`, oldest first.

        `service` selects the entries of one service. None selects the entries of all services.
        """
        oldest = self._last - len(self._entries)
        fresh = islice(self._entries, max(0, after - oldest), None)
        return [entry for entry in fresh if service is None or entry["service"] == service]
