"""``setup`` asks for two values, tries them, and writes what only its owner may read."""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.cli import setup
from bot.cli.setup import write_settings
from bot.config import load, unknown_names
from tests.support.needs import needs
from tests.support.sandbox import Box
from tests.support.storybell import API_KEY, TOKEN

ROOT = Path(__file__).parents[3]
UNIT = "storybell.service"


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
    asked = answers("strat", "Start", "n")
    starts = await setup.main(ask=lambda _: next(asked), ask_secret=lambda _: next(given))
    assert starts is False
    said = capsys.readouterr().out
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
    assert not (folder / ".env.new").exists()


async def test_it_may_start_at_once(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TELEGRAM_API_URL", box.urls.telegram)
    monkeypatch.setenv("STORIES_API_URL", box.urls.stories_api)
    given, asked = answers(TOKEN, API_KEY), answers("", "y")
    assert await setup.main(ask=lambda _: next(asked), ask_secret=lambda _: next(given))
    assert load().credit_price == 0.001


async def test_who_has_no_good_values_gets_no_file(
    box: Box, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TELEGRAM_API_URL", box.urls.telegram)
    monkeypatch.setenv("STORIES_API_URL", box.urls.stories_api)

    def nobody(_: str) -> str:
        raise EOFError

    for ask in (nobody, lambda _: "nonsense"):
        assert await setup.main(ask_secret=ask) is None
    assert not (folder / ".env").exists()


@needs("systemd-analyze")
def test_systemd_can_read_the_unit_and_finds_it_hardened(folder: Path) -> None:
    text = (ROOT / "ops" / UNIT).read_text()
    (folder / UNIT).write_text(text.replace("/usr/local/bin/storybell", sys.executable))
    verified = systemd("verify", str(folder / UNIT))
    assert UNIT not in verified.stderr, verified.stderr
    exposed = systemd("security", "--offline=yes", "--threshold=20", str(folder / UNIT))
    assert exposed.returncode == 0, exposed.stdout[-2000:]


def systemd(*words: str) -> subprocess.CompletedProcess[str]:
    tool = shutil.which("systemd-analyze") or ""
    return subprocess.run([tool, *words], capture_output=True, text=True, check=False)  # noqa: S603 - systemd's own tool


def test_what_compose_reads_is_no_mistake(folder: Path) -> None:
    write_settings(
        folder / ".env", {"DOMAIN": "bot.example", "REPLICAS": "2", "POSTGRES_PASSWORD": "x"}
    )
    assert unknown_names() == []
