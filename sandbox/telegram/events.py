"""What happens here, told to whoever listens (the chat page)."""

from collections.abc import Callable
from typing import Any

Listener = Callable[[dict[str, object]], None]


class Events:
    """A list of listeners; one that fails is the caller's fault and is heard of."""

    def __init__(self) -> None:
        """Nobody listens yet."""
        self._listeners: list[Listener] = []

    def __bool__(self) -> bool:
        """Whether anybody listens: views are built for listeners only."""
        return bool(self._listeners)

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Tell `listener` of everything from now on; returns how to stop."""
        self._listeners.append(listener)

        def unsubscribe() -> None:
            if listener in self._listeners:
                self._listeners.remove(listener)

        return unsubscribe

    def emit(self, kind: str, **details: Any) -> None:  # noqa: ANN401 - JSON of many shapes
        """Tell every listener."""
        event: dict[str, object] = {"kind": kind, **details}
        for listener in list(self._listeners):
            listener(event)
