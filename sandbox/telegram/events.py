"""Events of the simulated Telegram, sent to listeners such as the chat page."""

from collections.abc import Callable
from typing import Any

Listener = Callable[[dict[str, object]], None]


class Events:
    """A list of listeners for events. The sender of an event gets the exception of a listener."""

    def __init__(self) -> None:
        """Start without listeners."""
        self._listeners: list[Listener] = []

    def __bool__(self) -> bool:
        """Return whether there are listeners.

        Without listeners, the views of messages are not built.
        """
        return bool(self._listeners)

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Send all future events to `listener`.

        Return a function that unsubscribes the listener.
        """
        self._listeners.append(listener)

        def unsubscribe() -> None:
            if listener in self._listeners:
                self._listeners.remove(listener)

        return unsubscribe

    def emit(self, kind: str, **details: Any) -> None:  # noqa: ANN401 - JSON of many types
        """Send an event to every listener."""
        event: dict[str, object] = {"kind": kind, **details}
        for listener in list(self._listeners):
            listener(event)
