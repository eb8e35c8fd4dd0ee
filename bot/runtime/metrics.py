"""Counters, gauges and histograms in Prometheus' text form.

Our own few lines instead of a library: we need three kinds of number in one process and no
registry that is global to it. Labels name endpoints, outcomes and states, never people or chats.
"""

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from typing import Self, TypeVar

SECONDS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)


class _Metric(ABC):
    kind = "untyped"

    def __init__(self, name: str, text: str, labels: tuple[str, ...]) -> None:
        self.name = name
        self.text = text
        self.labels = labels

    def _key(self, labels: dict[str, str]) -> tuple[str, ...]:
        if len(labels) != len(self.labels):
            raise ValueError(f"{self.name} takes the labels {self.labels}")
        return tuple(labels[label] for label in self.labels)

    def _named(self, key: tuple[str, ...], *more: tuple[str, str]) -> str:
        pairs = [*zip(self.labels, key, strict=True), *more]
        inside = ",".join(f'{label}="{_escaped(value)}"' for label, value in pairs)
        return f"{{{inside}}}" if inside else ""

    @abstractmethod
    def lines(self) -> Iterator[str]:
        """Yield the metric's samples."""


class Gauge(_Metric):
    """A number that goes up and down; ``follow`` reads it when asked instead."""

    kind = "gauge"

    def __init__(self, name: str, text: str, labels: tuple[str, ...]) -> None:
        """Begin with no sample; a metric without labels begins at zero."""
        super().__init__(name, text, labels)
        self._values: dict[tuple[str, ...], float] = {} if labels else {(): 0.0}
        self._source: Callable[[], float] | None = None

    def set(self, value: float, **labels: str) -> None:
        """Set the number."""
        self._values[self._key(labels)] = value

    def inc(self, by: float = 1, **labels: str) -> None:
        """Add ``by`` to the number."""
        key = self._key(labels)
        self._values[key] = self._values.get(key, 0.0) + by

    def value(self, **labels: str) -> float:
        """Return the number, 0 when it was never set."""
        if self._source is not None:
            return self._source()
        return self._values.get(self._key(labels), 0.0)

    def follow(self, source: Callable[[], float]) -> Self:
        """Read the number from ``source`` at each rendering."""
        self._source = source
        return self

    def lines(self) -> Iterator[str]:
        """Yield one line for each set of labels."""
        values = {(): self._source()} if self._source is not None else self._values
        for key, value in values.items():
            yield f"{self.name}{self._named(key)} {_number(value)}"


class Counter(Gauge):
    """A number that only grows."""

    kind = "counter"

    def inc(self, by: float = 1, **labels: str) -> None:
        """Add ``by``, which is not negative."""
        if by < 0:
            raise ValueError("a counter does not fall")
        super().inc(by, **labels)


class Histogram(_Metric):
    """How often a value fell under each of some bounds."""

    kind = "histogram"

    def __init__(
        self, name: str, text: str, labels: tuple[str, ...], bounds: tuple[float, ...]
    ) -> None:
        """Count by ``bounds``, which ascend; infinity is added."""
        super().__init__(name, text, labels)
        self._bounds = (*bounds, math.inf)
        self._counts: dict[tuple[str, ...], list[int]] = {}
        self._sums: dict[tuple[str, ...], float] = {}

    def observe(self, value: float, **labels: str) -> None:
        """Count ``value``."""
        key = self._key(labels)
        counts = self._counts.setdefault(key, [0] * len(self._bounds))
        for index, bound in enumerate(self._bounds):
            counts[index] += value <= bound
        self._sums[key] = self._sums.get(key, 0.0) + value

    def count(self, **labels: str) -> int:
        """Return how many values were counted."""
        return self._counts.get(self._key(labels), [0])[-1]

    def lines(self) -> Iterator[str]:
        """Yield the buckets, the sum and the count of each set of labels."""
        for key, counts in self._counts.items():
            for bound, count in zip(self._bounds, counts, strict=True):
                yield f"{self.name}_bucket{self._named(key, ('le', _number(bound)))} {count}"
            yield f"{self.name}_sum{self._named(key)} {_number(self._sums[key])}"
            yield f"{self.name}_count{self._named(key)} {counts[-1]}"


M = TypeVar("M", bound=_Metric)


class Metrics:
    """All the numbers of one process; asking twice for a name gives the same metric."""

    def __init__(self) -> None:
        """Begin empty."""
        self._all: dict[str, _Metric] = {}

    def counter(self, name: str, text: str, *labels: str) -> Counter:
        """Return the counter ``name``, made when it is new."""
        return self._get(Counter(name, text, labels))

    def gauge(self, name: str, text: str, *labels: str) -> Gauge:
        """Return the gauge ``name``, made when it is new."""
        return self._get(Gauge(name, text, labels))

    def histogram(
        self, name: str, text: str, *labels: str, bounds: tuple[float, ...] = SECONDS
    ) -> Histogram:
        """Return the histogram ``name``, made when it is new; seconds by default."""
        return self._get(Histogram(name, text, labels, bounds))

    def render(self) -> str:
        """Return Prometheus' text, format 0.0.4."""
        lines: list[str] = []
        for metric in self._all.values():
            lines += [f"# HELP {metric.name} {metric.text}", f"# TYPE {metric.name} {metric.kind}"]
            lines += metric.lines()
        return "".join(f"{line}\n" for line in lines)

    def _get(self, new: M) -> M:
        known = self._all.setdefault(new.name, new)
        if not isinstance(known, type(new)) or (known.kind, known.labels) != (
            new.kind,
            new.labels,
        ):
            raise ValueError(f"{new.name} is already another metric")
        return known


def _escaped(value: str) -> str:
    return value.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")


def _number(value: float) -> str:
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    return repr(int(value)) if value == int(value) else repr(value)
