"""Flood limits: limits per bot, chat and group, and the server's delay of equal uploads."""

import math
from collections import defaultdict, deque
from dataclasses import dataclass, field
from typing import Any

from sandbox.telegram.refusals import too_many_requests

DOCUMENTED: dict[str, Any] = {
    "enabled": True,
    "per_bot_s": 30,
    "per_chat_s": 1,
    "per_chat_burst": 3,
    "per_group_min": 20,
    "pace_uploads": True,
    "hold_s": 0,
}
_PACED_FROM = 100_000  # bytes; uploads with more bytes are delayed; telegram-bot-api, Client.cpp
_BACKLOG_S = 5.0


@dataclass
class Limits:
    """Flood limits by sliding windows, initially off. An album counts as its number of items."""

    enabled: bool = False
    per_bot_s: int = 30  # messages per second in all chats
    per_chat_s: float = 1.0  # sustained messages per second in one private chat
    per_chat_burst: int = 3  # maximum burst of messages in one private chat
    per_group_min: int = 20  # messages per minute in one group or channel
    pace_uploads: bool = True
    # Maximum seconds for which a message waits before its refusal; TDLib waits 8 seconds.
    hold_s: int = 0
    _bot: dict[int, deque[float]] = field(default_factory=lambda: defaultdict(deque))
    _group: dict[tuple[int, int], deque[float]] = field(default_factory=lambda: defaultdict(deque))
    # For each bot and chat, the time at which the bucket of the chat is empty.
    _chat: dict[tuple[int, int], float] = field(default_factory=dict)

    def settings(self) -> dict[str, Any]:
        """Return the active limits."""
        return {name: getattr(self, name) for name in DOCUMENTED}

    def configure(self, wanted: dict[str, Any]) -> None:
        """Set limits by name.

        `{"preset": "documented"}` sets the limits in Telegram's documentation. `{"preset": "off"}`
        turns the limits off. The counted messages are forgotten.

        Raises:
            ValueError: A limit or a preset is unknown.
        """
        changes = dict(wanted)
        preset = changes.pop("preset", None)
        if preset not in {None, "documented", "off"}:
            raise ValueError(f"no such preset: {preset}")
        if preset:
            changes = DOCUMENTED | {"enabled": preset == "documented"} | changes
        if unknown := set(changes) - set(DOCUMENTED):
            raise ValueError(f"no such limit: {', '.join(sorted(unknown))}")
        for name, value in changes.items():
            setattr(self, name, value)
        self._bot.clear()
        self._group.clear()
        self._chat.clear()

    def count_or_refuse(self, bot_id: int, chat_id: int, weight: int, now: float) -> None:
        """Count `weight` messages to a chat.

        Raises:
            Refusal: A limit is exceeded. The response has status 429 and the seconds until the
                messages are allowed.
        """
        if not self.enabled:
            return
        key = (bot_id, chat_id)
        waits = [_wait(self._bot[bot_id], self.per_bot_s, 1.0, weight, now)]
        if chat_id < 0:
            waits.append(_wait(self._group[key], self.per_group_min, 60.0, weight, now))
        else:
            waits.append(self._chat_wait(key, now))
        if (wait := max(waits)) > 0:
            raise too_many_requests(max(1, math.ceil(wait)))
        self._bot[bot_id].extend([now] * weight)
        if chat_id < 0:
            self._group[key].extend([now] * weight)
        else:
            drained = max(self._chat.get(key, now), now)
            self._chat[key] = drained + weight / self.per_chat_s

    def _chat_wait(self, key: tuple[int, int], now: float) -> float:
        ahead = (self._chat.get(key, now) - now) * self.per_chat_s
        return (ahead + 1 - self.per_chat_burst - 1e-6) / self.per_chat_s


def _wait(sent: deque[float], limit: int, window: float, weight: int, now: float) -> float:
    while sent and sent[0] <= now - window:
        sent.popleft()
    over = len(sent) + weight - limit
    if over <= 0 or not sent:
        return 0.0
    return sent[min(over, len(sent)) - 1] + window - now


@dataclass
class Pacing:
    """The server's delay of 0.2 to 0.9 s between two uploads of equal size."""

    limits: Limits
    _next: dict[tuple[int, int], float] = field(default_factory=dict)

    def reserve_wait_s(self, bot_id: int, size: int, now: float) -> float:
        """Reserve a time for an upload of `size` bytes. Return the seconds until this time.

        Raises:
            Refusal: The pending uploads already take more than 5 s. The response has status 429
                and demands a wait of a minute.
        """
        if not (self.limits.enabled and self.limits.pace_uploads) or size <= _PACED_FROM:
            return 0.0
        key, step = (bot_id, size), min(0.9, max(0.2, size * 1e-7))
        start = max(self._next.get(key, 0.0), now - 1.0)
        if start - now > _BACKLOG_S:
            raise too_many_requests(60)
        self._next[key] = start + step
        return max(0.0, start - now)
