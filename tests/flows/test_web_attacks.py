"""Every path of the bot's web server, attacked: by what proves nothing, by size, by slowness."""

import asyncio
import json
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import pytest
import pytest_asyncio
from pydantic import SecretStr

from bot.app import Running
from bot.bootstrap import open_parts
from bot.web.connections import MOST
from bot.web.server import SECRET_HEADER
from bot.web.webhook import derive_webhook
from tests.flows.test_admin_page import Site as AdminSite
from tests.support.control import wait_for
from tests.support.killing import free_port
from tests.support.sandbox import sandbox_box
from tests.support.storybell import TOKEN, Bell, running_bell, settings_for

pytestmark = pytest.mark.asyncio(loop_scope="module")

HOOK = derive_webhook(SecretStr(TOKEN))
SECRET = HOOK.secret.get_secret_value()
OPEN = {"/healthz", "/readyz", "/metrics", "/admin", "/admin/admin.js", "/admin/admin.css",
        "/admin/admin.svg"}  # fmt: skip
GUARDED = {("GET", "/admin/api/state"), ("POST", "/admin/api/do"), ("POST", "/admin/api/session"),
           ("POST", HOOK.path)}  # fmt: skip
LARGE = 10 * 2**20  # bytes
SLOW = 100  # connections
Record = Callable[[str, object], None]


@dataclass(frozen=True)
class Site:
    """A bot that gets its updates by webhook, its owner, and where it listens."""

    bell: Bell
    boss: int
    port: int
    proof: str
    """What proves to be the owner's session."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def state(self) -> int:
        """Ask for the admin page's figures on a connection of its own; the status."""
        headers = {"Authorization": self.proof}
        async with (
            aiohttp.ClientSession() as session,
            session.get(f"{self.url}/admin/api/state", headers=headers) as answer,
        ):
            return answer.status


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def site(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Site]:
    folder, port = tmp_path_factory.mktemp("web"), free_port()
    async with sandbox_box() as box:
        boss = await box.control.person("Boss")
        hook = f"http://127.0.0.1:{port}"
        async with running_bell(
            folder, box, admin_ids=str(boss), port=port, webhook_url=hook
        ) as bell:
            proof = await AdminSite(bell, boss, hook, folder).proof()
            yield Site(bell, boss, port, proof)


async def test_each_path_is_attacked_here(tmp_path: Path) -> None:
    async with sandbox_box() as box:
        settings = settings_for(box, tmp_path, webhook_url="http://127.0.0.1:8443")
        async with open_parts(settings) as parts:
            routes = Running(settings, parts).web.make_app().router.routes()
            found = {(one.method, str(one.resource and one.resource.canonical)) for one in routes}
    opened = {(method, path) for path in OPEN for method in ("GET", "HEAD")}
    assert found - {("HEAD", "/admin/api/state")} == opened | GUARDED


async def test_web_request_without_proof_gets_no_answer(site: Site) -> None:
    headers = [
        {}, {"Authorization": ""}, {"Authorization": "Bearer"}, {"Authorization": "Bearer "},
        {"Authorization": site.proof.removeprefix("Bearer ")},
        {"Authorization": site.proof[:-1]}, {"Authorization": f"{site.proof}x"},
        {"Authorization": site.proof.replace("Bearer", "tma")},
        {"Authorization": f"Bearer {'x' * 4000}"}, {"Authorization": f"Bearer {SECRET}"},
        {SECRET_HEADER: ""}, {SECRET_HEADER: SECRET[:-1]}, {SECRET_HEADER: f"{SECRET}x"},
    ]  # fmt: skip
    body = {"action": "stop", "key": "a-guess", "update_id": 1}
    async with aiohttp.ClientSession() as session:
        for method, path in sorted(GUARDED):
            for one in headers:
                sent = body if method == "POST" else None
                async with session.request(
                    method, site.url + path, headers=one, json=sent
                ) as answer:
                    assert answer.status in {401, 403}, (path, one)
    for raw in (b"Bearer \xff\xfe", b"Bearer 1.\xff.\xff", b"\xff"):
        for name in (b"Authorization", SECRET_HEADER.encode()):
            for method, path in sorted(GUARDED):
                head = f"{method} {path} HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n".encode()
                async with connection(site) as (reader, writer):
                    writer.write(head + name + b": " + raw + b"\r\n\r\n")
                    status = int((await reader.readline()).split()[1])
                    assert status in {400, 401, 403}, (path, raw)
    async with connection(site) as (reader, writer):
        spoilt = "POST /admin/api/session HTTP/1.1\r\nHost: x\r\nContent-Encoding: gzip\r\n"
        writer.write(f"{spoilt}Content-Length: 7\r\n\r\ngarbage".encode())
        assert int((await reader.readline()).split()[1]) == 401
    (answered,) = await site.bell.ask(site.boss, "/stories prada")
    assert "photo" in answered  # nobody has stopped the spending


@asynccontextmanager
async def connection(
    site: Site,
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    reader, writer = await asyncio.open_connection("127.0.0.1", site.port)
    try:
        yield reader, writer
    finally:
        writer.close()


async def poured(site: Site, method: str, path: str, header: str, *, is_chunked: bool) -> int:
    """Send ten megabytes to a path; return how many bytes were taken from us."""
    length = "Transfer-Encoding: chunked" if is_chunked else f"Content-Length: {LARGE}"
    piece = b"x" * 2**16
    sent = 0
    async with connection(site) as (reader, writer):
        head = f"{method} {path} HTTP/1.1\r\nHost: x\r\n{length}\r\n{header}\r\n\r\n"
        writer.write(head.encode())
        with suppress(ConnectionError):
            while sent < LARGE and not reader.at_eof():
                writer.write(b"%x\r\n%b\r\n" % (len(piece), piece) if is_chunked else piece)
                await writer.drain()
                sent += len(piece)
                await asyncio.sleep(0)  # what came back is seen
    return sent


async def test_ten_megabytes_are_taken_by_no_path(
    site: Site, record_testsuite_property: Record
) -> None:
    began, most = time.monotonic(), 0
    proofs = ["X-None: 1", f"Authorization: {site.proof}", f"{SECRET_HEADER}: {SECRET}"]
    for method, path in sorted({("GET", path) for path in OPEN} | GUARDED):
        for proof in proofs:
            for is_chunked in (False, True):
                taken = await poured(site, method, path, proof, is_chunked=is_chunked)
                assert taken < LARGE, (path, proof)
                most = max(most, taken)
    assert await site.state() == 200
    record_testsuite_property("most_bytes_taken_of_ten_megabytes", most)
    record_testsuite_property("seconds_of_all_large_bodies", time.monotonic() - began)


async def slow_body(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Send a body byte by byte, to the one path that reads some of a stranger's."""
    writer.write(b"POST /admin/api/session HTTP/1.1\r\nHost: x\r\nContent-Length: 4000\r\n\r\n")
    while True:
        writer.write(b" ")
        await writer.drain()
        await asyncio.sleep(0.5)


async def again_and_again(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Ask for what is open to all, and keep the connection for the next time."""
    while True:
        writer.write(b"GET /admin/admin.svg HTTP/1.1\r\nHost: x\r\n\r\n")
        await reader.readuntil(b"</svg>")
        await asyncio.sleep(0.5)


Attack = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


async def attack(site: Site, kind: Attack) -> None:
    """Attack by one connection, and by another one a second after it was ended."""
    while True:
        with suppress(OSError, asyncio.IncompleteReadError):
            async with connection(site) as both:
                await kind(*both)
        await asyncio.sleep(1)


@pytest.mark.parametrize("kind", [again_and_again, slow_body])
async def test_a_hundred_slow_connections_keep_nobody_out(
    site: Site, kind: Attack, record_testsuite_property: Record
) -> None:
    slowest = 0.0
    async with asyncio.TaskGroup() as group:
        attackers = [group.create_task(attack(site, kind)) for _ in range(SLOW)]
        await asyncio.sleep(2.0)  # until all places are taken
        for _ in range(5):
            began = time.monotonic()
            assert await site.state() == 200
            await site.bell.ask(site.boss, "/help")
            slowest = max(slowest, time.monotonic() - began)
        for one in attackers:
            one.cancel()
    record_testsuite_property(f"slowest_answer_during_{kind.__name__}", slowest)


def open_files() -> int:
    return len([*Path("/dev/fd").iterdir()])


@pytest.mark.slow
async def test_who_never_reads_an_answer_keeps_no_file_of_the_process(site: Site) -> None:
    ask = b"GET /admin/admin.js HTTP/1.1\r\nHost: x\r\n\r\n"
    loop, deaf, before = asyncio.get_running_loop(), [], open_files()
    try:
        for number in range(3 * SLOW):
            one = socket.socket()
            deaf.append(one)
            one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            one.settimeout(0)
            await loop.sock_connect(one, ("127.0.0.1", site.port))
            await loop.sock_sendall(one, ask * 500)
            if number % 10 == 0:
                assert await site.state() == 200
        await wait_for(
            lambda: open_files() - before - len(deaf) <= MOST + 10,
            what="the ends of what came first",
        )
    finally:
        for one in deaf:
            one.close()


async def test_no_answer_tells_a_version(site: Site) -> None:
    for raw in (b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n", b"\x16\x03 nonsense\r\n\r\n"):
        reader, writer = await asyncio.open_connection("127.0.0.1", site.port)
        writer.write(raw)
        head = (await reader.read(2000)).partition(b"\r\n\r\n")[0].lower()
        writer.close()
        assert b"http/1" in head
        assert b"aiohttp" not in head
        assert b"python" not in head


@pytest.mark.parametrize("number", [10**26, -1, 2**63, True, "7"])
async def test_a_number_that_no_update_has_is_left_out(
    site: Site, capsys: pytest.CaptureFixture[str], number: object
) -> None:
    headers = {SECRET_HEADER: SECRET}
    body = json.dumps({"update_id": number, "message": {}})
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"{site.url}{HOOK.path}", data=body, headers=headers) as answer,
    ):
        assert answer.status == 200
    assert "Traceback" not in capsys.readouterr().out


async def test_malformed_requests_fill_no_log_and_show_no_secret(
    site: Site, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    head = f"POST {HOOK.path} HTTP/1.1\r\n{SECRET_HEADER}: {SECRET}\x01\r\n"
    spoilt = f"{head}X: {'x' * 8000}\x00\r\n\r\n".encode()
    too_long = f"POST {HOOK.path} HTTP/1.1\r\nX: {SECRET}{'x' * 20_000}\r\n\r\n".encode()
    for raw in (*[spoilt] * 30, *[too_long] * 30):
        async with connection(site) as (reader, writer):
            writer.write(raw)
            assert b" 400 " in await reader.readline()
    logged = capsys.readouterr()
    text = logged.out + logged.err + caplog.text
    assert text.count("malformed request") in {1, 2}  # a line for each kind
    assert len(text) < 2000
    assert SECRET not in text
    assert "Traceback" not in text
