"""Benchmark of the inbox: the number of updates that remain unanswered after SIGKILL."""

import tempfile
from pathlib import Path
from typing import Any

from tests.support.killing import kill_inbox
from tests.support.sandbox import sandbox_box


async def kills(count: int) -> dict[str, Any]:
    """Kill the real process ``count`` times in each mode.

    Return the figures in total and by mode.
    """
    modes: dict[str, Any] = {}
    for mode in ("polling", "webhook"):
        with tempfile.TemporaryDirectory() as folder:
            async with sandbox_box() as box:
                toll = await kill_inbox(
                    box, Path(folder), kills=count, webhook=mode == "webhook", seed=1
                )
        modes[mode] = {
            "kills": toll.kills,
            "commands": toll.commands,
            "unanswered": toll.unanswered,
            "repeated": toll.repeated,
        }
    names = ("kills", "commands", "unanswered")
    return {name: sum(mode[name] for mode in modes.values()) for name in names} | modes
