"""From nothing to a running bot, by the very lines that the README shows."""

import asyncio
import re
import shutil
import signal
from asyncio.subprocess import PIPE
from pathlib import Path

import pytest

from tests.support.control import wait_for
from tests.support.killing import free_port
from tests.support.sandbox import sandbox_box
from tests.support.storybell import API_KEY, TOKEN
from tools import test_all
from tools.source import install

ROOT = Path(__file__).parents[2]
STEPS = re.compile(r"pipx.*?```sh shown\n(.*?)```", re.DOTALL)
LINK = re.compile(r"[?&]start=([A-Za-z0-9_-]+)")


async def run(
    *words: str, folder: Path, env: dict[str, str] | None = None, given: str = "", status: int = 0
) -> str:
    """Run a command with ``given`` at its input, which must end so; return what it said."""
    process = await asyncio.create_subprocess_exec(
        *words, cwd=folder, env=env, stdin=PIPE, stdout=PIPE, stderr=PIPE, start_new_session=True
    )
    out, problems = await process.communicate(given.encode())
    assert process.returncode == status, (out + problems).decode()[-3000:]
    return (out + problems).decode()


async def install_wheel(python: str, tmp_path: Path, place: Path) -> None:
    """Do what pipx does, with the wheel of this very code."""
    source = tmp_path / "source"
    parts = ("bot", "handlers", "locales", "pyproject.toml", "README.md", "LICENSE")
    source.mkdir()
    for part in parts:
        copy = shutil.copytree if (ROOT / part).is_dir() else shutil.copy
        copy(ROOT / part, source / part)
    await run(test_all.UV, "venv", "--quiet", "--python", python, str(place), folder=tmp_path)
    words = ("pip", "install", "--quiet", "--python", f"{place}/bin/python", str(source))
    await run(test_all.UV, *words, folder=tmp_path)


@pytest.mark.long  # it installs from the network
@pytest.mark.parametrize("python", test_all.PYTHONS)
async def test_the_steps_of_the_readme_lead_to_a_bot_that_answers(
    python: str, tmp_path: Path
) -> None:
    if not test_all.is_installed(python):
        pytest.skip(f"no Python {python} here")
    block = STEPS.search(install("https://github.com/somebody/storybell"))  # once it is published
    assert block
    steps = [line.partition("#")[0].split() for line in block[1].splitlines()]
    assert steps[0] == ["pipx", "install", "storybell"]
    folder, place = tmp_path / "any folder", tmp_path / "venv"
    folder.mkdir()
    plain = {"PATH": f"{place}/bin:/usr/bin:/bin", "HOME": str(tmp_path), "COLUMNS": "200"}
    await install_wheel(python, tmp_path, place)
    async with sandbox_box() as box:
        port = free_port()
        env = plain | {
            "TELEGRAM_API_URL": box.urls.telegram,
            "STORIES_API_URL": box.urls.stories_api,
            "TRUSTED_MEDIA_ORIGIN": box.urls.cdn,
            "PORT": str(port),
        }
        program = shutil.which(steps[1][0], path=plain["PATH"])
        assert program == f"{place}/bin/storybell"
        answers = f"{TOKEN}\n{API_KEY}\n\nn\n"  # the proposed budget, and no start
        said = await run(program, *steps[1][1:], folder=folder, env=env, given=answers)
        assert "Telegram knows the bot as @" in said
        assert TOKEN not in said
        checked = await run(program, "check", folder=folder, env=env)
        assert "The settings are fine." in checked
        shown = await run(program, "demo", folder=folder, env=env, status=1)
        assert shown == "The demo is in the project's repository: there, make demo starts it.\n"
        log = tmp_path / "log"
        with log.open("wb") as out:
            bot = await asyncio.create_subprocess_exec(
                program, *steps[2][1:], cwd=folder, env=env, stdout=out, stderr=out
            )
        try:

            async def ready() -> bool:
                try:
                    async with box.session.get(f"http://127.0.0.1:{port}/readyz") as answer:
                        return answer.status == 200
                except OSError:
                    return False

            await wait_for(ready, 60, "the bot to be ready")
            link = await wait_for(lambda: LINK.search(log.read_text()), 60, "the owner's link")
            ann = await box.control.person()
            message = await box.control.say(ann, f"/start {link[1]}")
            await box.control.wait_replies(ann, 1, after=message, within=60)
            message = await box.control.say(ann, "/stories prada")
            (reply,) = await box.control.wait_replies(ann, 1, after=message, within=60)
            assert "photo" in reply
        finally:
            bot.send_signal(signal.SIGTERM)
            assert await bot.wait() == 0
    assert (folder / ".env").stat().st_mode & 0o777 == 0o600


@pytest.mark.long  # it asks the package index
@pytest.mark.parametrize("python", [*test_all.PYTHONS, test_all.NEXT])
async def test_what_is_published_can_be_had_for_each_python(python: str, tmp_path: Path) -> None:
    words = ("--python-version", python, "--extra", "postgres", "--extra", "speed")
    await run(test_all.UV, "pip", "compile", "--quiet", *words, str(ROOT / "pyproject.toml"),
              folder=tmp_path)  # fmt: skip
