"""The whole bot on one machine: real handlers, store and adapters, against the stand-ins."""

import asyncio
import tempfile
import webbrowser
from pathlib import Path

from rich.console import Console

from bot import app, logs
from bot.config import load
from sandbox.app import running

TOKEN = "7000000001:demo-token-of-the-sandbox-0123456789abc"  # noqa: S105 - the stand-in takes any


def demo(*, port_base: int, speed: float) -> int:
    """Start everything, say where to look, and run until Ctrl-C."""
    logs.set_up(level="WARNING", style="text")
    with tempfile.TemporaryDirectory(prefix="storybell-demo-") as folder:
        return asyncio.run(_demo(Path(folder), port_base, speed))


async def _demo(folder: Path, port_base: int, speed: float) -> int:
    async with running(port_base=port_base, speed=speed) as sandbox:
        settings = load(
            _env_file=None,
            telegram_token=TOKEN,
            stories_api_key="demo-key",
            telegram_api_url=sandbox.urls.telegram,
            stories_api_url=sandbox.urls.stories_api,
            trusted_media_origin=sandbox.urls.cdn,
            database_url=f"sqlite:///{folder}/demo.db",
            spool_dir=folder / "spool",
            daily_budget=20_000,
            poll_floor_s=15,
            port=0,
            host="127.0.0.1",
        )
        Console().print(
            f"\nStorybell talks to you at [bold]{sandbox.urls.page}[/bold] (Ctrl-C ends it).\n"
            "Paste the link of a story, or write /stories natgeo or /subscribe busy.\n"
        )
        webbrowser.open(sandbox.urls.page)
        return await app.run(settings)
