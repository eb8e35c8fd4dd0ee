"""Build the image from the Dockerfile, and run the image without Docker: ``make image``.

The command requires root, Debian's buildah (with netavark, a recommended package), debootstrap,
and access to a mirror of Debian's packages. If a requirement is missing, the command prints a
message and exits with 3. The base image is a small Debian with Python, tagged with the name of the
base image in the Dockerfile. The test shows that the Dockerfile works. The test also shows how
many bytes the project adds to the base image. The usual base image may have a different size.
"""

import json
import os
import re
import resource
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from tests.support.postgres import postgres

ROOT = Path(__file__).parents[1]
TAG = "storybell-try"
# The release of Debian that has Python 3.13, which is the version in the Dockerfile.
SUITE = "trixie"
PACKAGES = "python3,python3-venv,python3-pip,ca-certificates"
NETAVARK = Path("/usr/lib/podman/netavark")
BUILDAH = ("buildah", "--storage-driver", "vfs")
# The limit of processes in a container. This machine's limit may be lower than buildah's default.
PROCESSES = min(resource.getrlimit(resource.RLIMIT_NPROC)[1], 65536)
CHROOT = ("--isolation", "chroot", "--network", "host")
LIMITS = ("--ulimit", "nofile=20000:20000", "--ulimit", f"nproc={PROCESSES}:{PROCESSES}")
# The build must trust the additional certificate authorities of the machine.
TRUST = ("--volume", "/etc/ssl/certs:/etc/ssl/certs:ro")
MISSING = 3
SOCKETS = "/tmp/postgres"  # noqa: S108 - a path in the image, which has its own /tmp
# The maximum seconds in which the bot stops; equal to stop_grace_period in compose.yaml.
STOP_S = 15
INSIDE = """
mount --bind "$1" "$1"
mount -o remount,bind,ro "$1"
mount -t tmpfs tmpfs "$1/tmp"
mkdir "$1$4"
mount --bind "$3" "$1$4"
mount --bind "$2" "$1/data"
mount --rbind /dev "$1/dev"
mount -t proc proc "$1/proc"
root=$1 owner=$5 place=$6
shift 6
exec chroot --userspec="$owner" "$root" sh -c 'cd "$0" && exec "$@"' "$place" "$@"
"""
TOKEN = "7000000001:a-token-of-the-image-0123456789abcdefgh"  # noqa: S105 - the sandbox accepts any token


def main() -> int:
    """Build and test the image. Return 0 on success, or 3 if a requirement is missing."""
    lacking = [one for one in ("buildah", "debootstrap") if shutil.which(one) is None]
    lacking += [] if NETAVARK.exists() else ["netavark"]
    if lacking or os.geteuid():
        say(f"Not tried: {', '.join(lacking) or 'root'} is needed.")
        return MISSING
    base = re.findall(r"^FROM (\S+)", (ROOT / "Dockerfile").read_text(), re.MULTILINE)[0]
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="storybell-image-")))
        if not _has_base(base):
            make_base(base, folder / "base")
        options = ("--layers", "--format", "docker", "--tag", TAG)
        run(*BUILDAH, "bud", *CHROOT, *LIMITS, *TRUST, *options, str(ROOT))
        container = output(*BUILDAH, "from", "--pull-never", *LIMITS, TAG).strip()
        stack.callback(run, *BUILDAH, "rm", container)
        try_out(container, stack, folder)
    say("The image does what it should.")
    return 0


def _has_base(base: str) -> bool:
    done = subprocess.run([*BUILDAH, "inspect", base], capture_output=True, check=False)  # noqa: S603 - fixed commands
    return done.returncode == 0


def make_base(base: str, folder: Path) -> None:
    """Create an image of Debian with Python.

    The image gets the name of the base image in the Dockerfile.
    """
    say(f"Making a base for {base} by debootstrap …")
    run(
        "debootstrap", "--variant=minbase", f"--include={PACKAGES}", SUITE, str(folder), *_mirror()
    )
    for name in ("python", "pip"):
        target = folder / "usr/bin" / name
        if not target.exists():
            target.symlink_to(f"{name}3")
    (folder / "usr/lib/python3.13/EXTERNALLY-MANAGED").unlink(missing_ok=True)
    container = output(*BUILDAH, "from", "scratch").strip()
    run(*BUILDAH, "add", "--quiet", container, str(folder), "/")
    run(*BUILDAH, "commit", "--quiet", container, base)
    run(*BUILDAH, "rm", container)


def _mirror() -> list[str]:
    """Return a list with the URL of this machine's Debian mirror, or an empty list."""
    files = [Path("/etc/apt/sources.list"), *Path("/etc/apt/sources.list.d").glob("*")]
    text = "\n".join(file.read_text() for file in files if file.is_file())
    found = re.findall(r"(?:^deb\s+(?:\[.*?\]\s+)?|^URIs:\s*)(http\S+)", text, re.MULTILINE)
    return [one for one in found if "security" not in one][:1]


def try_out(container: str, stack: ExitStack, folder: Path) -> None:
    """Check the contents of the image. Start and stop a bot in the image on both databases."""
    root = Path(output(*BUILDAH, "mount", container).strip())
    stack.callback(run, *BUILDAH, "umount", container)
    told = json.loads(output(*BUILDAH, "inspect", container))
    config, docker = told["OCIv1"]["config"], told["Docker"]["config"]
    expect(config["User"] == "storybell", "it runs as a user without rights")
    for name in ("tests", "sandbox", "benchmarks", ".env", ".git", "docs"):
        expect(not (root / "app" / name).exists(), f"no {name} in it")
    expect(not (root / "venv/bin/pip").exists(), "no pip in it")
    added = sum(size_of(root / name) for name in ("app", "venv", "usr/local/bin"))
    say(f"What is added to the base: {added / 1e6:.0f} MB.")
    sandbox = subprocess.Popen(
        [sys.executable, "-m", "sandbox", "--port-base", "0", "--quiet"],
        cwd=ROOT, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    stack.callback(end, sandbox)
    assert sandbox.stdout is not None  # noqa: S101 - stdout is a pipe
    urls = json.loads(sandbox.stdout.readline())
    server = stack.enter_context(postgres())
    server.folder.chmod(0o755)  # the image's user must be able to access the socket
    box = Box(root, config, folder, server.folder)
    settings = {
        "TELEGRAM_TOKEN": TOKEN, "STORIES_API_KEY": "a-key",
        "TELEGRAM_API_URL": urls["telegram"], "STORIES_API_URL": urls["stories_api"],
    }  # fmt: skip
    bot = box.start(stack, "one", settings)
    expect(not answers(bot.port, "/metrics"), "the open port keeps its numbers to itself")
    expect(bot.succeeds(*docker["Healthcheck"]["Test"][1:]), "it tells of its own health")
    expect(bot.succeeds(*config["Entrypoint"], "backup"), "it copies its database")
    data = bot.data / "storybell.db"
    expect(oct(data.stat().st_mode & 0o777) == "0o600", "the database is its own alone")
    expect(bot.ends_well(), "it ends in time, with status 0, on a root that nobody can write")
    expect(bot.succeeds(*config["Entrypoint"], "check"), "it finds nothing wrong")
    settings["DATABASE_URL"] = f"postgresql://postgres@/postgres?host={SOCKETS}"
    both = [box.start(stack, name, settings) for name in ("two", "three")]
    ended = [bot.ends_well() for bot in both]
    expect(all(ended), "two that share a PostgreSQL end in time")


class Box:
    """Runner of commands in the image.

    As in compose.yaml, the root is read-only, and /data and /tmp are writable.
    """

    def __init__(self, root: Path, config: dict[str, Any], folder: Path, sockets: Path) -> None:
        """Set the folders.

        ``sockets`` is the folder of PostgreSQL's socket. The image has this folder at ``SOCKETS``.
        """
        self.root, self.folder, self.sockets = root, folder, sockets
        self.env = dict(one.split("=", 1) for one in config["Env"])
        self.words = [*config["Entrypoint"], *config["Cmd"]]
        self.place = config["WorkingDir"]
        users = (root / "etc/passwd").read_text()
        ((user, group),) = re.findall(r"^storybell:x:(\d+):(\d+):", users, re.MULTILINE)
        self.user, self.group = int(user), int(group)

    def start(self, stack: ExitStack, name: str, settings: dict[str, str]) -> "Started":
        """Start a bot with a separate volume, and wait until the bot is ready.

        Raises:
            TimeoutError: The bot is not ready after 120 s.
        """
        data = self.folder / name
        data.mkdir(mode=0o700)
        os.chown(data, self.user, self.group)
        bot = Started(self, data, settings, free_port())
        stack.callback(end, bot.process)
        try:
            wait_until(lambda: answers(bot.port, "/readyz"), 120)
        except TimeoutError:
            say(bot.log.read_text()[-3000:])
            raise
        return bot

    def command(self, data: Path, words: Sequence[str]) -> list[str]:
        """Return the command line that runs ``words`` in the image."""
        owner = f"{self.user}:{self.group}"
        given = [str(self.root), str(data), str(self.sockets), SOCKETS, owner, self.place]
        return ["unshare", "--mount", "--propagation", "private", "sh", "-euc", INSIDE, "sh",
                *given, *words]  # fmt: skip


class Started:
    """A bot that runs in the image."""

    def __init__(self, box: Box, data: Path, settings: dict[str, str], port: int) -> None:
        """Start the bot."""
        self.box, self.data, self.port = box, data, port
        self.log = data.with_suffix(".log")
        self.env = {**box.env, **settings, "PORT": str(port)}
        self.process = subprocess.Popen(  # noqa: S603 - fixed commands
            box.command(data, box.words), env=self.env,
            stdout=self.log.open("w"), stderr=subprocess.STDOUT,
        )  # fmt: skip

    def succeeds(self, *words: str) -> bool:
        """Run a command in the bot's image. Return whether the command succeeded."""
        done = self._ran(words)
        if done.returncode:
            say(done.stdout + done.stderr)
        return not done.returncode

    def said(self, *words: str) -> str:
        """Run a command in the bot's image. Return the command's output."""
        return self._ran(words).stdout

    def _ran(self, words: Sequence[str]) -> subprocess.CompletedProcess[str]:
        command = self.box.command(self.data, words)
        return subprocess.run(command, env=self.env, check=False, capture_output=True, text=True)  # noqa: S603 - fixed commands

    def ends_well(self) -> bool:
        """Stop the bot. Return whether the bot ended within ``STOP_S`` seconds with status 0."""
        self.process.terminate()
        return self.process.wait(STOP_S) == 0


def size_of(folder: Path) -> int:
    """Return the total bytes of all files in a folder."""
    return sum(one.lstat().st_size for one in folder.rglob("*") if one.is_file())


def answers(port: int, path: str) -> bool:
    """Return whether the bot responds to a request with status 200."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as answer:
            return bool(answer.status == 200)  # noqa: PLR2004 - HTTP status OK
    except OSError:
        return False


def wait_until(is_so: object, seconds: float) -> None:
    """Wait until a function returns a true value.

    Raises:
        TimeoutError: The value is still false after ``seconds``.
    """
    assert callable(is_so)  # noqa: S101 - a precise type would not fit on a line
    until = time.monotonic() + seconds
    while not is_so():
        if time.monotonic() > until:
            raise TimeoutError
        time.sleep(0.5)


def free_port() -> int:
    """Return an unused port."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def end(process: subprocess.Popen[str] | subprocess.Popen[bytes]) -> None:
    """Terminate a process. Kill the process after 20 s."""
    process.terminate()
    try:
        process.wait(20)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def run(*words: str) -> None:
    """Run a command that must succeed."""
    subprocess.run(words, check=True)  # noqa: S603 - fixed commands


def output(*words: str) -> str:
    """Return the output of a command that must succeed."""
    return subprocess.run(words, check=True, stdout=subprocess.PIPE, text=True).stdout  # noqa: S603 - fixed commands


def expect(is_so: bool, what: str) -> None:
    """Print that a check has succeeded.

    Raises:
        AssertionError: The check has failed.
    """
    if not is_so:
        raise AssertionError(what)
    say(f"ok: {what}")


def say(text: str) -> None:
    """Print a line."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
