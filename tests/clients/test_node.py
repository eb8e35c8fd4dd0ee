"""Clients from npm, which we did not write, drive the sandbox; only where node is found."""

import asyncio
import hashlib
import shutil
from pathlib import Path

import pytest

from tests.clients.conftest import Scene
from tests.sandbox.telegram.harness import TOKEN
from tests.support.needs import needs

HERE = Path(__file__).with_name("node")
CACHE = Path(__file__).parents[2] / ".cache" / "node-clients"
NODE, NPM = shutil.which("node"), shutil.which("npm")

pytestmark = needs("node", "npm")


async def _run(folder: Path, *command: str) -> str:
    process = await asyncio.create_subprocess_exec(
        *command, cwd=folder, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    output, _ = await asyncio.wait_for(process.communicate(), 120)
    text = output.decode()
    assert process.returncode == 0, text
    return text


async def _installed() -> Path:
    """The folder with the locked clients, installed once a lock."""
    lock = (HERE / "package-lock.json").read_bytes()
    folder = CACHE / hashlib.sha256(lock).hexdigest()[:16]
    if not (folder / "done").exists():
        folder.mkdir(parents=True, exist_ok=True)
        for name in ("package.json", "package-lock.json", ".npmrc"):
            shutil.copy(HERE / name, folder / name)
        await _run(folder, str(NPM), "ci", "--ignore-scripts", "--no-audit", "--no-fund")
        (folder / "done").touch()
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("client", ["grammy", "node-telegram-bot-api"])
async def test_a_client_from_npm_finds_telegram_here(scene: Scene, client: str) -> None:
    folder = await _installed()
    script = shutil.copy(HERE / f"{client}.mjs", folder / f"{client}.mjs")
    arguments = (scene.api.base, TOKEN, str(scene.chat), str(scene.photo), str(scene.video))
    assert (await _run(folder, str(NODE), str(script), *arguments)).strip() == "ok"
    await scene.check()
