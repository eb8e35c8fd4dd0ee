"""A real PgBouncer in transaction mode in front of a PostgreSQL of the tests, if installed."""

import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.support.killing import free_port
from tests.support.needs import found
from tests.support.postgres import PATIENCE_S, Postgres, programs

CONFIGURATION = """
[databases]
postgres = host={sockets} user=postgres
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = {size}
max_client_conn = 200
max_prepared_statements = 100
"""


@contextmanager
def pgbouncer(server: Postgres, *, size: int = 4) -> Iterator[str]:
    """Run PgBouncer with ``size`` connections to the server. Yield the address of PgBouncer."""
    port, folder = free_port(), Path(tempfile.mkdtemp(prefix="pgb"))
    folder.chmod(0o755)
    file = folder / "pgbouncer.ini"
    file.write_text(CONFIGURATION.format(sockets=server.folder, port=port, size=size))
    user = programs()[1]  # like PostgreSQL, PgBouncer refuses to run as root
    words = [str(found("pgbouncer")), *(["-u", user] if user else []), str(file)]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(words, stdout=log, stderr=log)  # noqa: S603 - Debian's program
    try:
        deadline = time.monotonic() + PATIENCE_S
        while not _listens(port):
            if process.poll() is not None or time.monotonic() > deadline:
                raise AssertionError((folder / "log").read_text()[-2000:])
            time.sleep(0.05)
        yield f"postgresql://postgres@127.0.0.1:{port}/postgres"
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(PATIENCE_S)
        shutil.rmtree(folder, ignore_errors=True)


def _listens(port: int) -> bool:
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False
