"""``setup`` asks for two values, tries them, and writes what only its owner may read."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.cli import setup
from bot.cli.setup import write_settings
from bot.config import load, unknown_variables_and_suggestions
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
    (folder / ".env").write_text("# mine\nexport STORIES_API_KEY=old\nPORT=8001\n")
    (folder / ".env").chmod(0o644)
    # The right token is not asked for again.
    given = answers("", "nonsense", TOKEN, "bad-key", API_KEY)
    asked = answers("strat", "Start", "1", "", "n")
    await box.control.call("POST", "/beliefs", {"balance_fields": "fewer"})  # without the amount
    starts = await setup.main(ask=lambda _: next(asked), ask_secret=lambda _: next(given))
    assert starts is False
    said = capsys.readouterr().out
    assert "TELEGRAM_TOKEN: must not be empty." in said
    assert "TELEGRAM_TOKEN: does not look like a bot token" in said
    assert "STORIES_API_KEY: the Stories API says no" in said
    assert TOKEN not in said
    assert API_KEY not in said
    file = folder / ".env"
    assert file.stat().st_mode & 0o777 == 0o600
    assert file.read_text().splitlines() == [
        f"TELEGRAM_TOKEN={TOKEN}", f"STORIES_API_KEY={API_KEY}", "CREDIT_PRICE=0.02",
        "DAILY_BUDGET=33", "# mine", "PORT=8001",
    ]  # fmt: skip
    assert "Daily budget: 33 credits, up to $19.80 a month." in said
    assert "Enough to check about 6 profiles 5 times a day." in said
    assert "Please write a number from 2 to 100,000,000." in said
    assert "To start the bot: storybell run (in a clone: make run)." in said
    assert "/setprivacy at @BotFather" in said
    assert "Threaded Mode" in said
    assert load().daily_budget == 33
    assert not (folder / ".env.new").exists()


async def test_it_may_start_at_once(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TELEGRAM_API_URL", box.urls.telegram)
    monkeypatch.setenv("STORIES_API_URL", box.urls.stories_api)
    given, asked = answers(TOKEN, API_KEY), answers("", "y")
    assert await setup.main(ask=lambda _: next(asked), ask_secret=lambda _: next(given))
    assert (load().credit_price, load().daily_budget) == (0.001, 100)


async def test_the_balance_tells_the_pack_and_the_budget_makes_it_last(
    box: Box, folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TELEGRAM_API_URL", box.urls.telegram)
    monkeypatch.setenv("STORIES_API_URL", box.urls.stories_api)
    await box.control.stories_api(balance=900)
    given, asked = answers(TOKEN, API_KEY), answers("300")  # a service is not started here
    file = folder / "service.env"
    assert not await setup.main(
        ask=lambda _: next(asked), ask_secret=lambda _: next(given), file=file
    )
    said = capsys.readouterr().out
    assert "Pack: standard, 100,000 credits for $100." in said
    assert "Daily budget: 100 credits, up to $3.00 a month. Balance: 900 credits, enough" in said
    assert "note Daily budget: 300 credits, up to $9.00 a month." in said
    assert "The balance lasts for less than two weeks." in said
    assert f"Written to {file}, readable by its owner alone." in said
    assert not (folder / ".env").exists()
    given, asked = answers("", ""), answers("")
    await setup.main(ask=lambda _: next(asked), ask_secret=lambda _: next(given), file=file)
    assert load(file).daily_budget == 300  # a second run keeps the present values
    assert load(file).telegram_token.get_secret_value() == TOKEN


@pytest.mark.parametrize("keeps", [False, True])
async def test_values_that_can_not_be_tried_are_written_if_the_operator_wants_that(
    keeps: bool,
    folder: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("TELEGRAM_API_URL", "STORIES_API_URL"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    given = answers(*[TOKEN, API_KEY] if keeps else [TOKEN] * 3)
    asked = answers(*["y", "y", "start", "", "n"] if keeps else ["", "n", ""])
    starts = await setup.main(ask=lambda _: next(asked), ask_secret=lambda _: next(given))
    said = capsys.readouterr().out
    assert "Telegram can't be reached: " in said
    assert "TELEGRAM_TOKEN could not be tried, and nothing is written yet." in said
    assert starts is (False if keeps else None)
    assert (folder / ".env").exists() == keeps
    assert ("Nothing was written." in said) != keeps


async def test_nothing_is_asked_if_a_setting_is_wrong_that_is_not_asked_for(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / ".env").write_text("PORT=eighty\nDAILY_BUDGET=much\n")
    assert await setup.main(ask_secret=pytest.fail) is None
    said = capsys.readouterr().out
    assert said.startswith("PORT: must be a valid integer")
    assert "DAILY_BUDGET" not in said
    assert f"Correct these settings in {folder / '.env'} or in the environment first." in said


async def test_nothing_is_asked_if_the_file_can_not_be_written(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "file").write_text("")
    for name in ("none/service.env", "file/service.env"):
        assert await setup.main(ask_secret=pytest.fail, file=folder / name) is None
        said = capsys.readouterr().out
        assert said.startswith(f"{(folder / name).parent}: No")
        assert "Nothing was written." in said


async def test_nothing_is_asked_if_the_path_is_no_file(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    os.mkfifo(folder / "pipe")
    (folder / "loop").symlink_to(folder / "loop")
    for name in ("pipe", "loop", "folder"):
        (folder / "folder").mkdir(exist_ok=True)
        file = folder / name
        assert await setup.main(ask_secret=pytest.fail, file=file) is None
        assert capsys.readouterr().out == f"{file}: not a file. Nothing was written.\n"


@pytest.mark.parametrize("exists", [True, False])
def test_a_link_to_the_file_stays(folder: Path, exists: bool) -> None:
    (folder / "secrets").mkdir()
    real, link = folder / "secrets/bell.env", folder / ".env"
    link.symlink_to(real)
    if exists:
        real.write_bytes(b"\xef\xbb\xbfTELEGRAM_TOKEN=old\r\nPORT=8001\r\n")
    write_settings(link, {"TELEGRAM_TOKEN": TOKEN})
    assert link.is_symlink()
    kept = ["PORT=8001"] if exists else []
    assert real.read_text().splitlines() == [f"TELEGRAM_TOKEN={TOKEN}", *kept]
    assert real.stat().st_mode & 0o777 == 0o600
    assert sorted(folder.rglob("*")) == sorted([folder / "secrets", real, link])


def test_other_files_beside_the_file_stay(folder: Path) -> None:
    other = folder / ".env.new"
    other.write_text("TELEGRAM_TOKEN=other")
    write_settings(folder / ".env", {"TELEGRAM_TOKEN": TOKEN})
    assert other.read_text() == "TELEGRAM_TOKEN=other"
    assert sorted(folder.iterdir()) == [folder / ".env", other]


async def test_nothing_is_asked_if_the_file_is_no_text(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / ".env").write_bytes(b"NAME=caf\xe9\n")
    assert await setup.main(ask_secret=pytest.fail) is None
    assert capsys.readouterr().out.startswith(f"{folder / '.env'}: not UTF-8 text")


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


def test_one_ctrl_c_ends_it(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    process = subprocess.Popen(
        [sys.executable, "-m", "bot", "setup"],
        cwd=folder,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,  # without a terminal, setup reads the standard input
    )
    with process:
        assert process.stderr
        said = b""
        while b"The bot's token" not in said:
            byte = process.stderr.read(1)
            assert byte, said
            said += byte
        process.send_signal(signal.SIGINT)
        try:
            assert process.wait(60) == 130
        finally:
            process.kill()
        said += process.stderr.read()
    assert said.endswith(b"\nInterrupted.\n")
    assert b"Traceback" not in said
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
    assert unknown_variables_and_suggestions() == []
