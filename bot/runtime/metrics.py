"""The numbers of one process, on ``prometheus_client``: ours, and those of the process itself.

Labels name endpoints, outcomes and states, never people or chats. Each ``Metrics`` has a registry
of its own, so that two bots in one process (the tests) do not share their numbers.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Generic, Self, TypeVar

import prometheus_client
from prometheus_client import CollectorRegistry, GCCollector, PlatformCollector, ProcessCollector

_SECONDS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
CONTENT_TYPE = prometheus_client.CONTENT_TYPE_PLAIN_0_0_4

P = TypeVar("P", prometheus_client.Counter, prometheus_client.Gauge, prometheus_client.Histogram)

# The time at which each sample began tells us nothing.
prometheus_client.disable_created_metrics()  # type: ignore[no-untyped-call] # it has no types


class _Metric(Generic[P]):
    """One metric; its labels are given by name with each number."""

    kind: Callable[..., P]

    def __init__(
        self, name: str, text: str, labels: tuple[str, ...], registry: CollectorRegistry
    ) -> None:
        self.labels = labels
        self._metric: P = self.kind(name, text, labels, registry=registry)
        self._children: dict[tuple[tuple[str, str], ...], P] = {}

    def _of(self, labels: dict[str, str]) -> P:
        if not labels and not self.labels:
            return self._metric
        key = tuple(labels.items())
        if key not in self._children:  # to look it up in the library takes far longer
            self._children[key] = self._metric.labels(**labels)
        return self._children[key]


class Counter(_Metric[prometheus_client.Counter]):
    """A number that only grows."""

    kind = prometheus_client.Counter

    def inc(self, by: float = 1, **labels: str) -> None:
        """Add ``by``, which is not negative."""
        self._of(labels).inc(by)


class Gauge(_Metric[prometheus_client.Gauge]):
    """A number that goes up and down; ``follow`` reads it when asked instead."""

    kind = prometheus_client.Gauge

    def set(self, value: float, **labels: str) -> None:
        """Set the number."""
        self._of(labels).set(value)

    def follow(self, source: Callable[[], float], **labels: str) -> Self:
        """Read the number from ``source`` at each rendering."""
        self._of(labels).set_function(source)
        return self


class Histogram(_Metric[prometheus_client.Histogram]):
    """How often a value, in seconds, fell under each of some bounds."""

    kind = staticmethod(partial(prometheus_client.Histogram, buckets=_SECONDS))

    def observe(self, value: float, **labels: str) -> None:
        """Count ``value``."""
        self._of(labels).observe(value)


M = TypeVar("M", Counter, Gauge, Histogram)


class Metrics:
    """All the numbers of one process; asking twice for a name gives the same metric."""

    def __init__(self) -> None:
        """Begin with what the process tells of itself: memory, CPU, files, threads, garbage."""
        self.registry = CollectorRegistry()
        for collector in (ProcessCollector, PlatformCollector, GCCollector):
            collector(registry=self.registry)
        self.all: dict[str, Counter | Gauge | Histogram] = {}
        self.gauge("asyncio_tasks", "Tasks of the event loop.").follow(_tasks)

    def counter(self, name: str, text: str, *labels: str) -> Counter:
        """Return the counter ``name``, which ends in ``_total``; made when it is new."""
        return self._of(Counter, name, text, labels)

    def gauge(self, name: str, text: str, *labels: str) -> Gauge:
        """Return the gauge ``name``, made when it is new."""
        return self._of(Gauge, name, text, labels)

    def histogram(self, name: str, text: str, *labels: str) -> Histogram:
        """Return the histogram ``name`` of seconds, made when it is new."""
        return self._of(Histogram, name, text, labels)

    def render(self) -> str:
        """Return Prometheus' text, format 0.0.4 (``CONTENT_TYPE``)."""
        return prometheus_client.generate_latest(self.registry).decode()

    def _of(self, kind: type[M], name: str, text: str, labels: tuple[str, ...]) -> M:
        if name not in self.all:
            self.all[name] = kind(name, text, labels, self.registry)
        known = self.all[name]
        if not isinstance(known, kind) or known.labels != labels:
            raise ValueError(f"{name} is already another metric")
        return known


def _tasks() -> float:
    with suppress(RuntimeError):  # no loop runs: a command prints its numbers
        return float(len(asyncio.all_tasks()))
    return 0.0
