"""The webhook behind Caddy, with the Caddyfile of compose.yaml."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import yaml

from tests.support.control import wait_for
from tests.support.killing import free_port
from tests.support.needs import found, needs
from tests.support.sandbox import sandbox_box
from tests.support.storybell import running_bell

COMPOSE = Path(__file__).parents[2] / "compose.yaml"
NOT_HANDED_ON = ("/", "/healthz", "/readyz", "/metrics", "/telegram", "/adminx", "//metrics")


@asynccontextmanager
async def caddy(folder: Path, port: int, bot: int) -> AsyncIterator[str]:
    """Run Caddy before the bot; yield its address."""
    configs = yaml.safe_load(COMPOSE.read_text())["configs"]
    text = configs["caddyfile"]["content"].replace("$$", "$")
    assert text.count("bot:8000") == 1
    here = folder / "Caddyfile"
    here.write_text("{\n\tadmin off\n}\n" + text.replace("bot:8000", f"127.0.0.1:{bot}"))
    address = f"http://127.0.0.1:{port}"
    env = {"DOMAIN": address, "HOME": str(folder), "XDG_DATA_HOME": str(folder)}
    process = await asyncio.create_subprocess_exec(
        str(found("caddy")), "run", "--config", here, "--adapter", "caddyfile", env=env,
        stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    try:
        yield address
    finally:
        process.terminate()
        await process.wait()


async def status(session: aiohttp.ClientSession, url: str) -> int:
    try:
        async with session.get(url) as answer:
            return answer.status
    except aiohttp.ClientConnectorError:
        return 0


@needs("caddy")
async def test_updates_come_by_caddy_and_nothing_else_is_handed_on(tmp_path: Path) -> None:
    port, bot = free_port(), free_port()
    async with sandbox_box() as box, caddy(tmp_path, port, bot) as address:
        ann = await box.control.person()
        await wait_for(lambda: status(box.session, address), 60, "Caddy")
        values = {"port": bot, "host": "127.0.0.1", "webhook_url": address}
        async with running_bell(tmp_path, box, **values) as bell:
            (reply,) = await bell.ask(ann, "/stories prada")
            assert "photo" in reply
            assert await status(box.session, f"{address}/admin") == 200
            assert await status(box.session, f"{address}/admin/api/state") == 401
            for path in NOT_HANDED_ON:
                assert await status(box.session, address + path) == 404, path
