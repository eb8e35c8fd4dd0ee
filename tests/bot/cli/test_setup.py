"""``setup`` asks for two values, tries them, and writes what only its owner may read."""

import argparse
import configparser
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.cli import setup
from bot.cli.setup import UNIT, start_by, write
from bot.config import load, unknown_names
from tests.support.needs import needs
from tests.support.sandbox import Box
from tests.support.storybell import API_KEY, TOKEN

ROOT = Path(__file__).parents[3]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name in ("TELEGRAM_TOKEN", "STORIES_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


def answers(*words: str) -> Iterator[str]:
    yield from words


async def test_the_two_values_are_asked_for_until_they_are_good(
    box: Box, folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TELEGRAM_API_URL", box.urls.telegram)
    monkeypatch.setenv("STORIES_API_URL", box.urls.stories_api)
    (folder / ".env").write_text("# mine\nexport STORIES_API_KEY=old\nDAILY_BUDGET=50\n")
    (folder / ".env").chmod(0o644)
    given = answers("nonsense", TOKEN, "bad-key", API_KEY)  # the right token is not asked again
    asked = answers("Start", "systemd")
    chosen = argparse.Namespace(start_by=None)
    status = await setup.main(chosen, ask=lambda _: next(asked), ask_secret=lambda _: next(given))
    assert not chosen.starts_now
    said = capsys.readouterr().out
    assert status == 0
    assert "TELEGRAM_TOKEN: does not look like a bot token" in said
    assert "STORIES_API_KEY: the Stories API says no" in said
    assert TOKEN not in said
    assert API_KEY not in said
    file = folder / ".env"
    assert file.stat().st_mode & 0o777 == 0o600
    assert file.read_text().splitlines() == [
        f"TELEGRAM_TOKEN={TOKEN}", f"STORIES_API_KEY={API_KEY}", "CREDIT_PRICE=0.02", "# mine",
        "DAILY_BUDGET=50",
    ]  # fmt: skip
    assert "/setprivacy at @BotFather" in said
    assert "Threaded Mode" in said
    assert load().daily_budget == 50
    assert (folder / UNIT).is_file()
    assert not (folder / ".env.new").exists()


@pytest.mark.parametrize(("last", "starts"), [("y", True), ("n", False)])
async def test_by_hand_it_may_start_at_once(
    box: Box, monkeypatch: pytest.MonkeyPatch, last: str, *, starts: bool
) -> None:
    monkeypatch.setenv("TELEGRAM_API_URL", box.urls.telegram)
    monkeypatch.setenv("STORIES_API_URL", box.urls.stories_api)
    given, asked = answers(TOKEN, API_KEY), answers("", "none", last)
    chosen = argparse.Namespace(start_by=None)
    status = await setup.main(chosen, ask=lambda _: next(asked), ask_secret=lambda _: next(given))
    assert (status, chosen.starts_now) == (0, starts)
    assert load().credit_price == 0.001


async def test_who_has_no_good_values_gets_no_file(
    box: Box, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TELEGRAM_API_URL", box.urls.telegram)
    monkeypatch.setenv("STORIES_API_URL", box.urls.stories_api)

    def nobody(_: str) -> str:
        raise EOFError

    for ask in (nobody, lambda _: "nonsense"):
        assert await setup.main(argparse.Namespace(start_by="none"), ask_secret=ask) == 1
    assert not (folder / ".env").exists()


def test_the_unit_starts_this_program_as_a_user_of_its_own(folder: Path) -> None:
    start_by("systemd", folder)
    unit = configparser.ConfigParser(strict=False, interpolation=None)
    unit.optionxform = str  # type: ignore[assignment, method-assign] # names as they are written
    unit.read(folder / UNIT)
    service = unit["Service"]
    assert service["ExecStart"].endswith("run")
    assert Path(service["ExecStart"].split()[0]).is_file()
    assert service["EnvironmentFile"] == f"{folder}/.env"
    assert "@" not in service["ExecStart"]
    for name in ("NoNewPrivileges", "DynamicUser", "PrivateTmp", "PrivateDevices"):
        assert service[name] == "yes"


@needs("systemd-analyze")
def test_systemd_can_read_the_unit_and_finds_it_hardened(folder: Path) -> None:
    start_by("systemd", folder)
    verified = systemd("verify", str(folder / UNIT))
    assert UNIT not in verified.stderr, verified.stderr
    exposed = systemd("security", "--offline=yes", "--threshold=20", str(folder / UNIT))
    assert exposed.returncode == 0, exposed.stdout[-2000:]


def systemd(*words: str) -> subprocess.CompletedProcess[str]:
    tool = shutil.which("systemd-analyze") or ""
    return subprocess.run([tool, *words], capture_output=True, text=True, check=False)  # noqa: S603 - systemd's own tool


def test_what_is_not_there_is_said(folder: Path) -> None:
    assert "in the project's repository" in start_by("compose", folder)[0]
    (folder / "compose.yaml").write_text("")
    assert "docker compose up -d" in start_by("compose", folder)[1]
    assert "forgets" in start_by("procfile", folder)[1]
    assert (folder / "Procfile").read_text() == (ROOT / "Procfile").read_text()
    assert start_by("none", folder)[1].endswith(" run")


def test_what_compose_reads_is_no_mistake(folder: Path) -> None:
    write(folder / ".env", {"DOMAIN": "bot.example", "REPLICAS": "2", "POSTGRES_PASSWORD": "x"})
    assert unknown_names() == []
