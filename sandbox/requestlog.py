"""What was asked of the sandbox: one entry a request, numbered from 1."""

from collections import Counter, deque
from itertools import islice

KEPT = 100_000  # entries; older ones fall out


class RequestLog:
    """The latest requests of all services, and how many there were in all."""

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
        """Note one request and return its number; status 0 says that no answer was given."""
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
        """Entries numbered above `after`, oldest first, of one service or of all."""
        oldest = self._last - len(self._entries)
        fresh = islice(self._entries, max(0, after - oldest), None)
        return [entry for entry in fresh if service is None or entry["service"] == service]
