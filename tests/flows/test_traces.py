"""One id on all lines of the log, from an update or a story to what was delivered."""

from collections.abc import Iterator, MutableMapping
from pathlib import Path
from typing import Any

import pytest
import structlog

from tests.support.control import wait_for
from tests.support.storybell import storybell

pytestmark = pytest.mark.jumps

Line = MutableMapping[str, Any]


@pytest.fixture
def lines() -> Iterator[list[Line]]:
    """Return what is logged, as it comes."""
    before = structlog.get_config()
    found: list[Line] = []

    def keep(_logger: object, _method: str, line: Line) -> Line:
        found.append(dict(line))
        raise structlog.DropEvent

    structlog.configure(processors=[structlog.contextvars.merge_contextvars, keep])
    yield found
    structlog.configure(**before)


async def test_the_log_follows_an_update_and_a_story_to_their_delivery(
    tmp_path: Path, lines: list[Line]
) -> None:
    async with storybell(tmp_path, daily_budget=1_000_000) as bell:
        ann = await bell.control.person()
        await bell.control.profile("traced")
        await bell.ask(ann, "/subscribe traced")
        story = await bell.control.publish("traced")
        mark = f"s{story['pk']}"

        def logged(event: str) -> list[Any]:
            return [one["trace"] for one in lines if one["event"] == event]

        await wait_for(lambda: logged("delivered"), what="the alert in the log")
        await bell.control.fault("telegram", {"status": 502, "body": "x"}, match="sendMessage")
        await bell.ask(ann, "/help")  # it goes out by the outbox: the first try was in vain
        await wait_for(lambda: len(logged("answered")) > 1, what="the answer in the log")
    found = [(one["event"], one.get("trace")) for one in lines]
    assert ("new story", mark) in found
    assert ("delivered", mark) in found
    first, late = logged("answered")
    assert first.startswith("u")
    assert late.startswith("u")
    assert first != late
    assert ("an answer waits", late) in found
