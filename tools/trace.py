"""``python -m tools.trace``: list the functions that run for a pasted link and for a new story.

The command runs the complete bot and the sandbox in this process. A person pastes the link of a
story. Then a profile with a subscription of the person publishes a story, and an alert arrives.
For each of both flows, the command prints the number of distinct functions of ``bot/`` and
``handlers/`` that ran, and the number of files that define these functions. ``--list`` also prints
the names in the order of the first call.

A recording ends when the message has arrived and no new function has run for a second. Functions
of periodic tasks (the balance, the menu, the watch) and comprehensions are excluded.
"""

import argparse
import asyncio
import sys
import tempfile
import threading
from pathlib import Path
from types import CodeType, CoroutineType, FrameType
from typing import Any, NamedTuple

from bot.runtime import logging
from bot.runtime.workers import Worker
from tests.support.storybell import Bell, storybell

ROOT = Path(__file__).parent.parent
_ROOMS = ("bot", "handlers")
_NOT_COUNTED = frozenset({"<module>", "<listcomp>", "<setcomp>", "<dictcomp>", "<genexpr>"})
# After this number of seconds without a new function, the work for a message is complete.
_QUIET_S = 1.0
_STEP_S = 0.1
_LOOP = Worker.run.__code__
_FLOW_LOOPS = frozenset({"updates", "leases of updates", "checks", "alerts", "fan-out"})


class Function(NamedTuple):
    """A function of the bot: the path of the file from the root, the first line, and the name."""

    file: str
    line: int
    name: str


class Recorder:
    """A recorder of the bot's distinct functions, in the order of the first call."""

    def __init__(self) -> None:
        """Create a recorder. The recording begins with ``start``."""
        self._names: dict[CodeType, Function | None] = {}
        self._seen: dict[CodeType, Function] = {}
        self._is_on = False

    def install(self) -> None:
        """Begin to watch this thread and all threads that start later."""
        threading.setprofile(self._watch)
        sys.setprofile(self._watch)

    def remove(self) -> None:
        """Stop watching the threads."""
        threading.setprofile(None)
        sys.setprofile(None)

    def start(self) -> None:
        """Start a new recording."""
        self._seen = {}
        self._is_on = True

    async def settle(self) -> None:
        """Wait until all current work is complete."""
        self.start()
        await self.stop_when_quiet()

    async def stop_when_quiet(self) -> list[Function]:
        """Wait until no new function runs. Return the functions of the recording."""
        count, quiet_s = -1, 0.0
        while quiet_s < _QUIET_S:
            await asyncio.sleep(_STEP_S)
            quiet_s += _STEP_S
            if len(self._seen) != count:
                count, quiet_s = len(self._seen), 0.0
        self._is_on = False
        return list(self._seen.values())

    def _watch(self, frame: FrameType, event: str, _argument: object) -> None:
        """Record the function of a frame that begins or resumes, if the function is new."""
        if event != "call" or not self._is_on:
            return
        code = frame.f_code
        if code in self._seen:
            return
        if code not in self._names:
            self._names[code] = function_of(code)
        function = self._names[code]
        if function is not None and not _is_periodic_task():
            self._seen[code] = function


def _is_periodic_task() -> bool:
    """Return whether the current task is a periodic loop outside of the two flows."""
    try:
        task = asyncio.current_task()
    except RuntimeError:  # the thread has no event loop, for example a thread of the database
        return False
    coroutine = task.get_coro() if task is not None else None
    if not isinstance(coroutine, CoroutineType) or coroutine.cr_code is not _LOOP:
        return False
    frame = coroutine.cr_frame
    return frame is not None and frame.f_locals["self"].name not in _FLOW_LOOPS


def function_of(code: CodeType) -> Function | None:
    """Return the function of a code object, or None for code outside of the bot."""
    if code.co_name in _NOT_COUNTED:
        return None
    path = Path(code.co_filename)
    if not path.is_relative_to(ROOT):
        return None
    file = path.relative_to(ROOT)
    if file.parts[0] not in _ROOMS:
        return None
    return Function(file.as_posix(), code.co_firstlineno, code.co_qualname)


def summary(functions: list[Function]) -> str:
    """Return the numbers of functions and files as text."""
    files = {function.file for function in functions}
    return f"{len(functions)} functions in {len(files)} files"


async def record() -> dict[str, list[Function]]:
    """Run the bot. Return the functions of a pasted link and of an alert, in order."""
    recorder = Recorder()
    recorder.install()
    try:
        with tempfile.TemporaryDirectory(prefix="storybell-trace-") as folder:
            async with storybell(Path(folder)) as bell:
                link = await _paste_link(bell, recorder)
                alert = await _publish_story(bell, recorder)
    finally:
        recorder.remove()
    return {"a pasted link": link, "an alert": alert}


async def _paste_link(bell: Bell, recorder: Recorder) -> list[Function]:
    """Record the work for a link from a person who has used the bot before.

    The story of the link is not cached.
    """
    person = await bell.control.person()
    await bell.ask(person, "/start")
    await bell.control.profile("trace.link")
    story = await bell.control.publish("trace.link")
    await recorder.settle()
    recorder.start()
    await bell.ask(person, f"https://www.instagram.com/stories/trace.link/{story['pk']}/")
    return await recorder.stop_when_quiet()


async def _publish_story(bell: Bell, recorder: Recorder) -> list[Function]:
    """Record the work for a new story of a followed profile, until the alert arrives."""
    person = await bell.control.person()
    await bell.control.profile("trace.alert")
    replies: list[dict[str, Any]] = await bell.ask(person, "/subscribe trace.alert")
    await recorder.settle()
    recorder.start()
    await bell.control.publish("trace.alert")
    await bell.control.wait_replies(person, 1, after=replies[0]["message_id"])
    return await recorder.stop_when_quiet()


def main(arguments: list[str] | None = None) -> int:
    """Print the figures and, with ``--list``, the names. Return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tools.trace", description=__doc__)
    parser.add_argument("--list", action="store_true", help="print each function, in order")
    options = parser.parse_args(arguments)
    logging.set_up_logging(level="ERROR", style="text")
    for name, functions in asyncio.run(record()).items():
        print(f"{name}: {summary(functions)}")  # noqa: T201 - output of the command
        if options.list:
            for function in functions:
                print(f"    {function.file}:{function.line} {function.name}")  # noqa: T201 - output of the command
    return 0


if __name__ == "__main__":
    sys.exit(main())
