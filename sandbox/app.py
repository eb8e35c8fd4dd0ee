"""Construction, start and stop of the sandbox and its four listeners."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from email.utils import formatdate

from aiohttp import ClientSession, web
from aiohttp.log import access_logger

from sandbox import control
from sandbox.beliefs import Switches
from sandbox.cdn import Cdn
from sandbox.clock import Clock
from sandbox.faults import Faults
from sandbox.fetching import fetcher
from sandbox.instagram import Instagram
from sandbox.page import page
from sandbox.profiles import add_initial_profiles
from sandbox.requestlog import RequestLog
from sandbox.state import Sandbox
from sandbox.stories_api.server import StoriesApi
from sandbox.telegram.server import Telegram

HOST = "127.0.0.1"
# Unfinished requests, for example deliberate hangs, are cancelled after this time.
_SHUTDOWN_S = 0.2


async def start(
    port_base: int = 0,
    *,
    speed: float = 1.0,
    seed: int = 0,
    quiet: bool = True,
    clock: Clock | None = None,
) -> Sandbox:
    """Start the four listeners on the port `port_base` and the next three ports.

    If `port_base` is 0, the listeners use free ports. The sandbox runs on `clock`. If no clock is
    given, the sandbox runs on a new clock with the speed `speed`. If `quiet` is False, requests
    are logged. The function `stop` stops the sandbox.

    Raises:
        OSError: A port can't be used.
    """
    async with AsyncExitStack() as stack:
        session = await stack.enter_async_context(ClientSession())
        sandbox = _built(session, clock or Clock(speed), seed)
        listeners: dict[str, web.Application] = {
            "page": _page(sandbox),
            "telegram": sandbox.telegram.app(),
            "stories_api": sandbox.stories_api.app(),
            "cdn": sandbox.cdn.app(),
        }
        for offset, (name, app) in enumerate(listeners.items()):
            port = port_base + offset if port_base else 0
            app.on_response_prepare.append(_dated(sandbox, name))
            setattr(sandbox.urls, name, await _listen(stack, app, port, quiet))
        sandbox.cdn.origin = sandbox.urls.cdn
        await sandbox.telegram.start()
        stack.push_async_callback(sandbox.telegram.stop)
        sandbox.closing = stack.pop_all()
    return sandbox


def _dated(
    sandbox: Sandbox, name: str
) -> Callable[[web.Request, web.StreamResponse], Awaitable[None]]:
    """Return a signal handler that sets the `Date` header of a response by the sandbox's clock.

    If the sandbox imitates a self-hosted Bot API server, the responses have no `Date` header,
    because a self-hosted server sends no `Date` header.
    """

    async def stamp(_: web.Request, response: web.StreamResponse) -> None:
        response.headers["Date"] = formatdate(sandbox.clock.now(), usegmt=True)
        if name == "telegram" and sandbox.telegram.is_local:
            del response.headers["Date"]

    return stamp


async def stop(sandbox: Sandbox) -> None:
    """Close every listener and connection of a sandbox."""
    await sandbox.closing.aclose()


@asynccontextmanager
async def running(
    port_base: int = 0,
    *,
    speed: float = 1.0,
    seed: int = 0,
    quiet: bool = True,
    clock: Clock | None = None,
) -> AsyncIterator[Sandbox]:
    """Run a sandbox within a `with` block."""
    sandbox = await start(port_base, speed=speed, seed=seed, quiet=quiet, clock=clock)
    try:
        yield sandbox
    finally:
        await stop(sandbox)


def _built(session: ClientSession, clock: Clock, seed: int) -> Sandbox:
    faults, log = Faults(), RequestLog()
    instagram = Instagram(clock, seed)
    add_initial_profiles(instagram)
    cdn = Cdn(clock, faults, log, instagram, seed)
    switches = Switches()
    stories_api = StoriesApi(clock, faults, log, instagram, cdn, seed=seed, switches=switches)
    telegram = Telegram(clock, faults, log, fetcher(session, lambda: cdn.origin), switches)
    return Sandbox(clock, faults, log, instagram, cdn, stories_api, telegram, switches)


def _page(sandbox: Sandbox) -> web.Application:
    app = web.Application(middlewares=[control.plain_errors])
    app.add_routes(control.routes(sandbox))
    app.add_routes(sandbox.telegram.control_routes())
    app.add_routes(page.routes(sandbox))
    return app


async def _listen(stack: AsyncExitStack, app: web.Application, port: int, quiet: bool) -> str:
    log = None if quiet else access_logger
    runner = web.AppRunner(app, access_log=log, shutdown_timeout=_SHUTDOWN_S)
    await runner.setup()
    stack.push_async_callback(runner.cleanup)
    site = web.TCPSite(runner, HOST, port)
    await site.start()
    host, bound = runner.addresses[0][:2]
    return f"http://{host}:{bound}"
