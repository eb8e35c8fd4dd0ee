"""The metrics of a process, built on ``prometheus_client``.

The labels of metrics never name persons or chats.
"""

from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar

import prometheus_client
from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    GCCollector,
    Histogram,
    PlatformCollector,
    ProcessCollector,
)

_SECONDS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
CONTENT_TYPE = prometheus_client.CONTENT_TYPE_PLAIN_0_0_4

# The creation time of each metric is not exported, because nothing uses this time.
prometheus_client.disable_created_metrics()  # type: ignore[no-untyped-call] # the function has no type annotations

M = TypeVar("M", Counter, Gauge, Histogram)


class Metrics:
    """The metrics of a process.

    If a metric is requested again by its name, the same metric is returned.
    """

    def __init__(self) -> None:
        """Create a registry with metrics of the process, for example its memory and CPU time."""
        self.registry = CollectorRegistry()
        for collector in (ProcessCollector, PlatformCollector, GCCollector):
            collector(registry=self.registry)
        self._made: dict[str, Any] = {}

    def get_or_create_counter(self, name: str, text: str, *labels: str) -> Counter:
        """Return the counter ``name``. Create a missing counter with the help ``text``.

        By convention, the name ends with ``_total``.
        """
        return self._metric(Counter, name, text, labels)

    def get_or_create_gauge(self, name: str, text: str, *labels: str) -> Gauge:
        """Return the gauge ``name``. Create a missing gauge with the help ``text``."""
        return self._metric(Gauge, name, text, labels)

    def add_computed_gauge(self, name: str, text: str, source: Callable[[], float]) -> None:
        """Create the gauge ``name`` if it is missing, and let ``source`` compute its value.

        ``source`` is called whenever the metrics are exported.
        """
        self.get_or_create_gauge(name, text).set_function(source)

    def get_or_create_histogram(self, name: str, text: str, *labels: str) -> Histogram:
        """Return the histogram ``name``. Create a missing histogram with the help ``text``.

        The values of the histogram are in seconds.
        """
        return self._metric(partial(Histogram, buckets=_SECONDS), name, text, labels)

    def _metric(self, kind: Callable[..., M], name: str, text: str, labels: tuple[str, ...]) -> M:
        if name not in self._made:
            self._made[name] = kind(name, text, labels, registry=self.registry)
        made: M = self._made[name]
        return made

    def prometheus_text(self) -> str:
        """Return all metrics in Prometheus text format 0.0.4 (``CONTENT_TYPE``)."""
        return prometheus_client.generate_latest(self.registry).decode()


UNSEEN = Metrics()
"""The registry for components whose metrics are not exported."""
