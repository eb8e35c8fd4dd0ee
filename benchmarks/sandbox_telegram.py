"""Benchmark of sendMessage calls per second to the sandbox's Bot API on one core."""

import argparse
import asyncio
import json
import multiprocessing
import statistics
import sys
import time
from multiprocessing.connection import Connection
from typing import Any

from aiohttp import web

from sandbox.clock import Clock
from sandbox.faults import Faults
from sandbox.fetching import Fetched
from sandbox.requestlog import RequestLog
from sandbox.telegram.server import Telegram

TOKEN = "123456:" + "t" * 35
CONNECTIONS = 16
_PERSON = 100_000_001  # the id of the first person in a sandbox


async def _no_web(_: str) -> Fetched | None:
    return None


async def _serve(pipe: Connection) -> None:
    telegram = Telegram(Clock(), Faults(), RequestLog(), _no_web)
    person = telegram.world.add_person("Ann")
    telegram.world.ensure_private_chat(telegram.world.bot, person).started = True
    runner = web.AppRunner(telegram.app(), access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    await telegram.start()
    pipe.send(runner.addresses[0][1])
    await asyncio.get_running_loop().run_in_executor(None, pipe.recv)
    pipe.send(time.process_time())
    await telegram.stop()
    await runner.cleanup()


def _server(pipe: Connection) -> None:
    asyncio.run(_serve(pipe))


def _request(text: str, mode: str) -> bytes:
    """Return one request as bytes, so that the benchmark itself uses little CPU."""
    body = json.dumps({"chat_id": _PERSON, "text": text, "parse_mode": mode}).encode()
    head = (
        f"POST /bot{TOKEN}/sendMessage HTTP/1.1\r\nHost: localhost\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


async def _caller(port: int, request: bytes, until: float) -> int:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    done = 0
    while time.perf_counter() < until:
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200")
        length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
        await reader.readexactly(length)
        done += 1
    writer.close()
    await writer.wait_closed()
    return done


async def _measure(port: int, request: bytes, seconds: float) -> float:
    started = time.perf_counter()
    calls = [_caller(port, request, started + seconds) for _ in range(CONNECTIONS)]
    done = await asyncio.gather(*calls)
    return sum(done) / (time.perf_counter() - started)


async def run(seconds: float = 3.0, repetitions: int = 3) -> dict[str, Any]:
    """Return the lowest, middle and highest calls per second for plain text and for HTML.

    The server runs in a separate process on one core. `cpu_us` is the CPU time of the server per
    call in µs.
    """
    kinds = {"plain": _request("hello", ""), "html": _request("<b>hello</b> see t.me/x", "HTML")}
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_server, args=(theirs,), daemon=True)
    process.start()
    port = await asyncio.to_thread(ours.recv)
    await _measure(port, kinds["html"], 0.3)
    result: dict[str, Any] = {"connections": CONNECTIONS}
    calls = 0.0
    for name, request in kinds.items():
        rates = [await _measure(port, request, seconds) for _ in range(repetitions)]
        calls += sum(rates) * seconds
        result[name] = {
            "lowest": round(min(rates)),
            "middle": round(statistics.median(rates)),
            "highest": round(max(rates)),
        }
    ours.send("stop")
    result["cpu_us"] = round(await asyncio.to_thread(ours.recv) / calls * 1e6)
    await asyncio.to_thread(process.join, 10)
    return result


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command line."""
    parser.add_argument("--seconds", type=float, default=3.0, help="of one measurement")
    parser.add_argument("--repetitions", type=int, default=3)


def main(options: argparse.Namespace) -> int:
    """Print the figures as JSON. Return 0."""
    print(json.dumps(asyncio.run(run(options.seconds, options.repetitions)), indent=2))
    return 0


if __name__ == "__main__":
    own = argparse.ArgumentParser(description=__doc__)
    add_arguments(own)
    sys.exit(main(own.parse_args()))
