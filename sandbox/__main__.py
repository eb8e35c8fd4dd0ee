"""Run the sandbox (Telegram, Stories API, CDN and chat page) until SIGTERM or SIGINT."""

import argparse
import asyncio
import json
import logging
import signal
import sys
from pathlib import Path

from sandbox.app import running
from sandbox.beliefs import set_switches_from_file


def main(arguments: list[str] | None = None) -> int:
    """Run the sandbox until SIGTERM or SIGINT. Return 0, or 1 if the sandbox can't start.

    When all four listeners answer, print the addresses of the listeners as one line of JSON.
    """
    options = _parser().parse_args(arguments)
    if not options.quiet:
        logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(message)s")
    try:
        return asyncio.run(_serve(options))
    except (OSError, ValueError) as error:
        sys.stderr.write(f"The sandbox cannot start: {error}\n")
        return 1


async def _serve(options: argparse.Namespace) -> int:
    over = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, over.set)
    async with running(
        options.port_base, speed=options.speed, seed=options.seed, quiet=options.quiet
    ) as sandbox:
        if options.as_seen:
            for strange in set_switches_from_file(options.as_seen, sandbox.switches):
                sys.stderr.write(f"Not as seen: {strange}\n")
        sys.stdout.write(json.dumps(vars(sandbox.urls)) + "\n")
        sys.stdout.flush()
        await over.wait()
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m sandbox", description=__doc__)
    parser.add_argument(
        "--port-base", type=int, default=8080, help="first of four ports; 0 for free ones"
    )
    parser.add_argument("--speed", type=float, default=1.0, help="sandbox seconds a second")
    parser.add_argument("--seed", type=int, default=0, help="decides all that is random")
    parser.add_argument(
        "--as-seen", type=Path, metavar="FILE", help="behave as a file of the doctor says"
    )
    parser.add_argument("--quiet", action="store_true", help="log no requests")
    return parser


if __name__ == "__main__":
    sys.exit(main())
