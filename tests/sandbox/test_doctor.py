"""``doctor --live`` against stand-ins: all agrees, or exactly what was made otherwise does not."""

import argparse
import asyncio
import json
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from bot.store.engine.database import Database
from bot.stories_api.endpoints import Endpoint
from sandbox.beliefs import (
    BELIEFS,
    PRICED,
    STORIES,
    TELEGRAM,
    Switches,
    set_switches_from_file,
)
from tests.support.control import wait_for
from tests.support.sandbox import Box, sandbox_box
from tests.support.storybell import API_KEY, TOKEN, settings_for
from tools.doctor import __main__ as doctor
from tools.doctor.stories import price_of_all

pytestmark = pytest.mark.asyncio(loop_scope="module")
ROOT = Path(__file__).parents[2]
BELIEVED = {name: values[0] for name, values in BELIEFS.items()}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def box() -> AsyncIterator[Box]:
    async with sandbox_box() as box:
        await box.control.call("POST", "/telegram", {"callback_life_s": 0.3})
        await box.control.publish("natgeo", 2, silent=True)
        yield box


@pytest_asyncio.fixture(loop_scope="module")
async def ann(box: Box) -> int:
    ann = await box.control.person(started=True)
    await box.control.call("POST", "/beliefs", BELIEVED)
    return ann


async def tried(box: Box, folder: Path, **options: Any) -> tuple[int, dict[str, Any]]:
    """Let the doctor try all; return its exit status and its file."""
    arguments = argparse.Namespace(
        live=True, yes=True, profile="natgeo", private="locked", chat=None,
        file=folder / "doctor.json",
    )  # fmt: skip
    vars(arguments).update(options)
    settings = settings_for(box, folder)
    status = await doctor.main(settings, arguments, press_within_s=20, late_s=0.6, lag_s=0.001)
    written = arguments.file.read_text()
    assert TOKEN not in written
    assert API_KEY not in written
    return status, json.loads(written)


def not_agreed(report: dict[str, Any]) -> dict[str, str]:
    return {one["name"]: one["seen"] for one in report["beliefs"] if one["agrees"] is False}


async def press(box: Box, chat: int) -> None:
    """Press the button that the doctor shows, as the admin would."""

    async def shown() -> dict[str, Any] | None:
        replies = await box.control.replies(chat)
        return next((one for one in replies if "reply_markup" in one), None)

    message = await wait_for(shown, 60, "the button")
    await box.control.press(chat, message["message_id"], "doctor")


async def tried_with_telegram(box: Box, folder: Path, ann: int) -> tuple[int, dict[str, Any]]:
    async with asyncio.TaskGroup() as group:
        group.create_task(press(box, ann))
        task = group.create_task(tried(box, folder, chat=ann))
    return task.result()


async def test_doctor_without_differences_reports_ok_and_leaves_nothing(
    box: Box, ann: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = await box.control.billed()
    async with Database(f"sqlite:///{tmp_path}/bot.db") as db:
        await db.migrate()
    status, report = await tried_with_telegram(box, tmp_path, ann)
    said = capsys.readouterr().out
    assert not_agreed(report) == {}
    assert [one["name"] for one in report["beliefs"] if one["agrees"] is None] == []
    assert status == 0
    assert not await box.control.replies(ann)
    billed = await box.control.billed() - before
    assert f"{billed} credits" in said  # it had named what it took
    assert f"{len(BELIEFS)} agree, 0 do not, 0 could not be tried." in said
    async with Database(f"sqlite:///{tmp_path}/bot.db") as db, db.read() as tx:
        (spent,) = (await tx.exec_driver_sql("SELECT sum(credits) FROM ledger_entries")).one()
    assert spent == billed


@pytest.mark.parametrize("name", STORIES)
async def test_doctor_names_only_the_differences_of_the_stories_api(
    box: Box, ann: int, tmp_path: Path, name: str
) -> None:
    assert ann
    other = BELIEFS[name][1]
    await box.control.call("POST", "/beliefs", {name: other})
    status, report = await tried(box, tmp_path)
    assert not_agreed(report) == {name: other}
    assert status == doctor.DISAGREES


@pytest.mark.parametrize("name", TELEGRAM)
async def test_doctor_names_only_the_differences_of_telegram(
    box: Box, ann: int, tmp_path: Path, name: str
) -> None:
    other = BELIEFS[name][1]
    await box.control.call("POST", "/beliefs", {name: other})
    status, report = await tried_with_telegram(box, tmp_path, ann)
    assert not_agreed(report) == {name: other}
    assert status == doctor.DISAGREES
    again = Switches()
    assert set_switches_from_file(tmp_path / "doctor.json", again) == []
    assert again.current_values() == BELIEVED | {name: other}


async def test_without_a_chat_and_a_private_profile_some_is_untried(
    box: Box, ann: int, tmp_path: Path
) -> None:
    assert ann
    status, report = await tried(box, tmp_path, private="")
    assert status == doctor.UNTRIED
    untried = {one["name"] for one in report["beliefs"] if one["agrees"] is None}
    assert untried == {*TELEGRAM, "bill_of_403", "private_refusal", "forced_private"}


@pytest.mark.parametrize("options", [{"live": False}, {"yes": False}])
async def test_without_consent_nothing_is_spent(
    box: Box, tmp_path: Path, options: dict[str, Any]
) -> None:
    before = await box.control.billed()
    settings = settings_for(box, tmp_path)
    arguments = {"live": True, "yes": True, "profile": "natgeo", "private": "", "chat": None}
    arguments |= {"file": tmp_path / "doctor.json"} | options
    assert await doctor.main(settings, argparse.Namespace(**arguments)) == doctor.NOTHING_TO_DO
    assert await box.control.billed() == before
    assert not (tmp_path / "doctor.json").exists()


async def test_doctor_with_unwritable_file_spends_nothing(
    box: Box, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = await box.control.billed()
    arguments = {"live": True, "yes": True, "profile": "natgeo", "private": "", "chat": None}
    words = argparse.Namespace(**arguments, file=tmp_path / "no folder" / "doctor.json")
    assert await doctor.main(settings_for(box, tmp_path), words) == doctor.NOTHING_TO_DO
    assert "Nothing was tried." in capsys.readouterr().out
    assert await box.control.billed() == before


async def test_a_service_that_is_not_there_is_said_so(box: Box, ann: int, tmp_path: Path) -> None:
    assert ann
    fault = await box.control.fault("stories", {"reset": "before"}, times=None)
    status, report = await tried(box, tmp_path)
    await box.control.clear_faults(fault)
    assert status == doctor.UNTRIED
    reasons = [one["why"] for one in report["beliefs"] if one["service"] == "stories"]
    assert all(reason.startswith("the Stories API: ") for reason in reasons)


async def test_the_pages_tell_of_each_belief() -> None:
    pages = {"sandbox-fidelity": TELEGRAM, "sandbox-stories": STORIES}
    for page, beliefs in pages.items():
        text = (ROOT / f"docs/{page}.md").read_text()
        assert [name for name in beliefs if f"`{name}`" not in text] == []


async def test_the_doctor_tries_each_endpoint_of_the_bot_at_its_price() -> None:
    prices = {path: price for path, is_forced, price in PRICED.values() if not is_forced}
    assert prices == {str(endpoint): endpoint.price for endpoint in Endpoint}, (
        "compare Endpoint in bot/stories_api/endpoints.py with PRICED in sandbox/beliefs.py, and"
        " make the call in tools/doctor/stories.py"
    )


async def test_the_pages_tell_the_cost_of_the_doctor() -> None:
    cost = price_of_all(private=False)
    more = price_of_all(private=True) - cost
    for page, sentence in (
        ("README.md", f"your key of the Stories API and {cost} credits"),
        ("docs/start.md", f"The command uses {cost} credits."),
        ("docs/start.md", f"the command uses {more} more credits"),
    ):
        text = " ".join((ROOT / page).read_text(encoding="utf-8").split())
        assert sentence in text, f"{page} does not say: {sentence}"


async def test_the_sandbox_starts_as_seen(tmp_path: Path) -> None:
    file = tmp_path / "doctor.json"
    seen = [
        {"name": "album_by_url", "seen": "refused"},
        {"name": "late_callback", "seen": None},
        {"name": "story_time", "seen": "by the moon"},
    ]
    file.write_text(json.dumps({"beliefs": seen}))
    words = (sys.executable, "-m", "sandbox", "--port-base", "0", "--quiet", "--as-seen", file)
    process = await asyncio.create_subprocess_exec(
        *map(str, words), cwd=ROOT, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    assert process.stdout
    urls = json.loads(await process.stdout.readline())
    try:
        async with (
            sandbox_box() as other,
            other.session.get(f"{urls['page']}/control/beliefs") as answer,
        ):
            shown = await answer.json()
    finally:
        process.terminate()
        _, complaints = await process.communicate()
    assert shown == BELIEVED | {"album_by_url": "refused"}
    assert b"Not as seen: story_time can't be 'by the moon'" in complaints
