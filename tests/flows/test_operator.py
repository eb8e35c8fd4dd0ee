"""What the operator decides and sees: commands for admins, and the price of a setting."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.support.sandbox import sandbox_box
from tests.support.storybell import Bell, buttons, running_bell, storybell

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.jumps]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def run(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[tuple[Bell, int]]:
    """Run a bot whose admin is the first person of the sandbox."""
    async with sandbox_box() as box:
        boss = await box.control.person("Boss")
        folder = tmp_path_factory.mktemp("operator")
        async with running_bell(folder, box, admin_ids=str(boss), credit_price=0.02) as bell:
            yield bell, boss


async def test_spending_shows_credits_and_money(run: tuple[Bell, int]) -> None:
    bell, boss = run
    (report,) = await bell.ask(boss, "/spending")
    assert "By kind of call" not in report["text"]  # no title over nothing
    await bell.ask(boss, "/stories natgeo", count=3)
    (report,) = await bell.ask(boss, "/spending")
    text = report.get("caption") or report["text"]
    assert "Today: 3 credits ($0.06)" in text
    assert "profile" in text
    assert "Balance:" in text
    # In Arabic a path keeps its direction to itself, slash and all.
    old = await bell.old_post(boss, "language:ar", "language:en")
    await bell.press(boss, old, "language:ar")
    (report,) = await bell.ask(boss, "/spending")
    text = report.get("caption") or report["text"]
    assert "\n\u2068profile\u2069 " in text
    await bell.press(boss, old, "language:en")


async def test_the_stop_switch_refuses_everybody_until_it_is_taken_back(
    run: tuple[Bell, int],
) -> None:
    bell, boss = run
    (reply,) = await bell.ask(boss, "/stop_spending")
    assert "Spending is stopped" in reply["text"]
    before = await bell.control.billed_for("prada")
    ann = await bell.control.person()
    (refused,) = await bell.ask(ann, "/stories prada")
    assert "Stories are paused" in refused["text"]
    assert await bell.control.billed_for("prada") == before
    (health,) = await bell.ask(boss, "/health")
    (report,) = await bell.ask(boss, "/spending")
    for page in (reply, report, health):
        assert "Spending is stopped" in page["text"]
        assert "Nothing is wrong" not in page["text"]
        assert buttons(page) == {"Resume spending": "run:resume_spending"}
    await bell.press(boss, health, "run:resume_spending")
    await bell.replies(boss, 1, after=report["message_id"])
    (photo,) = await bell.ask(ann, "/stories prada")
    assert "photo" in photo


async def test_admins_are_told_once_when_the_key_is_refused_and_when_it_is_back(
    run: tuple[Bell, int],
) -> None:
    bell, boss = run
    refused = {"status": 402, "body": '{"state":false,"exc_type":"InsufficientFunds"}'}
    start = max((m["message_id"] for m in await bell.control.replies(boss)), default=0)
    fault = await bell.control.fault("stories", refused, times=None)
    ann = await bell.control.person()
    for name in ("one", "two"):
        await bell.control.profile(name)
        (reply,) = await bell.ask(ann, f"/stories {name}")
        assert "The bot's owner has been told" in reply["text"]
    told = await bell.control.wait_replies(boss, 1, after=start)
    assert [m["text"][:29] for m in told] == ["The Stories API won't accept "]
    assert "Check STORIES_API_KEY, or buy credits at hikerapi.com." in told[0]["text"]
    (health,) = await bell.ask(boss, "/health")
    assert "Check STORIES_API_KEY, or buy credits at hikerapi.com." in health["text"]
    await bell.control.clear_faults(fault)


async def test_health_tells_how_long_a_story_waits(run: tuple[Bell, int]) -> None:
    bell, boss = run
    (health,) = await bell.ask(boss, "/health")
    assert "Profiles checked: 0" in health["text"]
    assert "post to alert: unknown" in health["text"]


async def test_without_the_privacy_check_a_known_profile_costs_one(tmp_path: Path) -> None:
    async with storybell(tmp_path, skip_privacy_check="true") as bell:
        ann = await bell.control.person()
        story = (await bell.control.stories("natgeo"))[0]
        await bell.ask(ann, f"https://www.instagram.com/stories/natgeo/{story['pk']}/")
        before = await bell.control.billed_for("natgeo")
        await bell.ask(ann, "/stories natgeo", count=3)
        assert await bell.control.billed_for("natgeo") - before == 1
