"""The demo: the complete bot on one machine, with simulated Telegram and Stories API."""

import asyncio
import errno
import tempfile
import webbrowser
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console

from bot import app
from bot.config import load
from bot.runtime import clock, logging
from sandbox.app import running
from sandbox.clock import Clock
from sandbox.loop import MovableLoop
from sandbox.telegram.world import FIRST_PERSON

_PLENTY = 10_000
_BUDGET = 200_000  # credits per day
_DAYS = 365  # the credits of the demo pay for this number of days
_VISITORS = 30  # each person who opens the page is an owner, up to this number of persons
_TOKEN = "7000000001:demo-token-of-the-sandbox-0123456789abc"  # noqa: S105 - the simulated Telegram accepts any token


def run_demo(*, port_base: int) -> int:
    """Run the bot and the sandbox until Ctrl-C, and open the chat page in a browser.

    Five ports from ``port_base`` are used, or free ports for 0. The exit status is 1 if a port
    can't be used.

    Raises:
        OSError: A file can't be used.
    """
    logging.set_up_logging(level="WARNING", style="text")
    with tempfile.TemporaryDirectory(prefix="storybell-demo-") as folder:
        loop = MovableLoop()
        with asyncio.Runner(loop_factory=lambda: loop) as runner:
            try:
                return runner.run(_run_demo(Path(folder), port_base, loop))
            except OSError as error:
                # Only an error about a port is handled here. An error with a file name is about a
                # file, and is raised again.
                if error.filename or error.errno not in {errno.EADDRINUSE, errno.EACCES}:
                    raise
    text = (
        f"One of the ports {port_base} to {port_base + 4} is taken or not allowed. Choose others: "
        'make demo ARGS="--port-base 9000"'
    )
    Console(stderr=True, soft_wrap=True).print(text, markup=False, highlight=False)
    return 1


async def _run_demo(folder: Path, port_base: int, loop: MovableLoop) -> int:
    # The bot and the sandbox use the time of this loop. If the sandbox skips a day, the day also
    # passes for the bot.
    async with running(port_base=port_base, clock=Clock(move_on=loop.advance)) as sandbox:
        # The balance is large, because with fewer credits the bot would warn at its start that the
        # balance is too small for the budget.
        sandbox.stories_api.billing.balance = _DAYS * _BUDGET
        # The bot receives every message of the demo's group, as if the owner had disabled the
        # privacy mode at @BotFather (/setprivacy).
        sandbox.telegram.world.bot.reads_all = True
        settings = load(
            _env_file=None,
            telegram_token=_TOKEN,
            stories_api_key="demo-key",
            telegram_api_url=sandbox.urls.telegram,
            stories_api_url=sandbox.urls.stories_api,
            trusted_media_origin=sandbox.urls.cdn,
            database_url=f"sqlite:///{folder}/demo.db",
            spool_dir=folder / "spool",
            access="open",
            # The budget is enough to check each profile as often as allowed, so that a new story
            # soon causes an alert.
            daily_budget=_BUDGET,
            # Each person who opens the page is an owner, so that /spending and /health work.
            admin_ids=range(FIRST_PERSON, FIRST_PERSON + _VISITORS),
            # The allowance is practically unlimited, because all persons of the demo are
            # newcomers, and send many requests in a short time.
            chat_daily_allowance=_PLENTY,
            person_daily_allowance=_PLENTY,
            poll_floor_s=15,
            # The rate is practically unlimited, because a delay would look like a defect of the
            # demo.
            messages_per_second=1000,
            port=port_base + 4 if port_base else 0,
            host="127.0.0.1",
        )
        Console().print(
            f"\nStorybell talks to you at [bold]{sandbox.urls.page}[/bold] (Ctrl-C ends it).\n"
            "Paste the link of a story, or write /stories natgeo or /subscribe busy.\n"
        )
        webbrowser.open(sandbox.urls.page)
        start = datetime.fromtimestamp(sandbox.clock.now(), UTC)
        return await app.run(settings, now=clock.Clock(start))
