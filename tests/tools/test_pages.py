"""The code blocks of the pages: each has a tag; commands are run or at least parsed."""

import asyncio
import os
import re
import shlex
import shutil
import signal
import subprocess
import tempfile
from asyncio.subprocess import DEVNULL, PIPE, STDOUT
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml

from bot.__main__ import parser
from bot.stories_api.endpoints import BALANCE, Endpoint
from tests.support.control import wait_for
from tests.support.killing import free_port
from tests.support.sandbox import Box, sandbox_box
from tests.support.storybell import API_KEY, TOKEN

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
BLOCK = re.compile(r"^```([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
TAGS = {"sh run", "sh run background", "sh run stopped", "sh shown"}
OTHERS = {"text", "crontab", "nginx", "yaml"}
SPAN = re.compile(r"`(storybell [^`…]+)`")
FILLED = {"NUMBER": "5", "ID": "5", "CREDITS": "100", "COMMAND": "check"}
"""What stands for the words that a reader replaces."""
LINK = re.compile(r"t\.me/\w+\?start=([A-Za-z0-9_-]+)")
SERVICES: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text())["services"]
TARGETS = set(re.findall(r"^([a-z./-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))


def blocks(page: Path) -> list[tuple[str, str]]:
    return BLOCK.findall(page.read_text())


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_each_code_block_says_whether_it_is_run(page: Path) -> None:
    fences = re.findall(r"^\s*```", page.read_text(), re.MULTILINE)
    assert len(fences) == 2 * len(blocks(page))
    assert {tag for tag, _ in blocks(page)} <= TAGS | OTHERS


@pytest.mark.parametrize("page", sorted((ROOT / "docs").rglob("*.md")), ids=lambda page: page.name)
def test_a_nested_list_is_indented_by_four_blanks(page: Path) -> None:
    """The site shows an item with fewer blanks as an item of the outer list."""
    text = BLOCK.sub("", page.read_text())
    assert not re.findall(r"^ {1,3}(?:[-*|]|\d+\.) .*", text, re.MULTILINE)


OF_OPERATORS = [page for page in PAGES if page.name != "CONTRIBUTING.md"]


@pytest.mark.parametrize("page", OF_OPERATORS, ids=lambda page: page.name)
def test_a_page_with_commands_that_are_only_shown_says_what_was_not_run(page: Path) -> None:
    if any(tag == "sh shown" for tag, _ in blocks(page)):
        assert re.search("not run|No test runs|except `ssh`", page.read_text(), re.IGNORECASE)


def test_each_page_whose_blocks_are_run_has_a_test() -> None:
    run = {page.name for page in PAGES if any(" run" in tag for tag, _ in blocks(page))}
    assert run == {"clone.md", "platform.md"}


def commands() -> Iterator[tuple[str, str]]:
    """Yield each command line of the blocks that are shown, with the name of its page."""
    for page in PAGES:
        for tag, text in blocks(page):
            if tag.startswith("sh"):
                for line in text.replace("\\\n", " ").splitlines():
                    yield page.name, line
        for span in SPAN.findall(page.read_text()):
            is_name = span.count(" ") == 1  # of a command, without its arguments
            yield page.name, f"{span} --help" if is_name else span


def words_after(words: list[str], *before: str) -> list[str] | None:
    """Return the words after a sequence of words; None without it."""
    for place in range(len(words) - len(before) + 1):
        if tuple(words[place : place + len(before)]) == before:
            return words[place + len(before) :]
    return None


def words_of_storybell(words: list[str]) -> list[str] | None:
    """Return the arguments of the program in a command line, None for another command."""
    if words[:2] == ["sudo", "-u"]:
        words = words[3:]
    elif words[:1] == ["sudo"]:
        words = words[1:]
    if words[:1] == ["storybell"]:
        return words[1:]
    if words[:3] == ["docker", "compose", "run"]:
        return words_after(words, "bot")
    return words_after(words, "-m", "bot")


def test_each_command_of_the_program_is_one_that_its_parser_takes() -> None:
    parsed = 0
    for page, line in commands():
        try:
            words = shlex.split(line.partition(" | ")[0], comments=True)
        except ValueError:
            continue  # a part of a quotation over several lines
        found = words_of_storybell(words)
        if found:
            filled = [FILLED.get(word, word) for word in found]
            try:
                parser(filled).parse_args(filled)
            except SystemExit as end:
                if end.code:
                    pytest.fail(f"{page}: {line}")
            parsed += 1
    assert parsed > 25


def test_each_target_service_and_file_of_a_command_is_there() -> None:
    for page, line in commands():
        words = line.split("#")[0].split()
        if words[:1] == ["make"] and len(words) > 1:
            assert words[1] in TARGETS, f"{page}: {line}"
        if words[:2] == ["docker", "compose"] and words[2] in {"exec", "logs", "stop"}:
            assert next(word for word in words[3:] if word[0] != "-") in SERVICES, line
        for name in re.findall(r"\b((?:ops|requirements|benchmarks|tests|tools)/[\w./-]+)", line):
            if page != "CONTRIBUTING.md" or "topic" not in name:
                assert (ROOT / name).exists(), f"{page}: {line}"


def test_a_repeated_copy_of_a_folder_out_of_docker_is_not_nested() -> None:
    """Without ``/.`` at the end of the source, docker copies into a folder that exists already."""
    sources = [line.split()[3] for _, line in commands() if line.startswith("docker compose cp ")]
    assert sources
    for source in sources:
        assert source.endswith(("/.", "/FILE")), source


def test_the_calls_of_the_stories_api_are_listed_with_their_prices() -> None:
    page = (ROOT / "docs/stories-api.md").read_text()
    listed = dict(re.findall(r"^\| `(/\S+)` \|.*\| (\d) \|$", page, re.MULTILINE))
    assert listed == {one: str(one.price) for one in Endpoint} | {BALANCE: "0"}


@dataclass
class Reader:
    """Runs the blocks of a page one after the other, as a person would."""

    box: Box
    folder: Path
    env: dict[str, str]
    address: Path
    given: str = ""
    log: Path = field(init=False)
    running: asyncio.subprocess.Process | None = None

    def __post_init__(self) -> None:
        self.log = self.folder / "log"
        self.place = self.folder / "folder"

    async def follow(self, page: Path) -> str:
        """Run all blocks that are to be run; return what they printed."""
        said = ""
        (self.folder / "folder").write_text(str(self.folder / "here"))
        for tag, text in blocks(page):
            text = text.replace("ADDRESS", str(self.address))  # noqa: PLW2901 - filled in
            if tag == "sh run background":
                await self.start(text)
            elif tag in TAGS and tag != "sh shown":
                if tag == "sh run stopped":
                    await self.stop()
                said += await self.run(text)
        return said

    async def run(self, text: str) -> str:
        process = await asyncio.create_subprocess_exec(
            "bash", "-euo", "pipefail", "-c", f'{text}\npwd > "{self.place}"',
            cwd=self.place.read_text().strip(), env=self.env, stdin=PIPE, stdout=PIPE,
            stderr=STDOUT, start_new_session=True,
        )  # fmt: skip
        out, _ = await process.communicate(self.given.encode())
        assert process.returncode == 0, f"{text}\n{out.decode()[-3000:]}"
        return out.decode()

    async def start(self, text: str) -> None:
        await self.stop()
        with self.log.open("wb") as out:
            self.running = await asyncio.create_subprocess_exec(
                "bash", "-euc", text, cwd=self.place.read_text().strip(), env=self.env,
                stdin=DEVNULL, stdout=out, stderr=out, start_new_session=True,
            )  # fmt: skip
        await wait_for(self.is_ready, 120, "the bot to be ready")

    async def is_ready(self) -> bool:
        assert self.running
        assert self.running.returncode is None, self.log.read_text()[-3000:]
        try:
            url = f"http://127.0.0.1:{self.env['PORT']}/readyz"
            async with self.box.session.get(url) as answer:
                return answer.status == 200
        except OSError:
            return False

    async def stop(self) -> None:
        if self.running and self.running.returncode is None:
            os.killpg(self.running.pid, signal.SIGTERM)
            await self.running.wait()
        self.running = None

    async def become_owner(self) -> None:
        """Open the link of the log in Telegram, and get a story."""
        link = await wait_for(lambda: LINK.search(self.log.read_text()), 60, "the owner's link")
        ann = await self.box.control.person()
        message = await self.box.control.say(ann, f"/start {link[1]}")
        (welcome,) = await self.box.control.wait_replies(ann, 1, after=message, within=60)
        assert "Daily budget: 100 credits, up to $3.00 a month" in welcome["text"]
        message = await self.box.control.say(ann, "/stories prada")
        (reply,) = await self.box.control.wait_replies(ann, 1, after=message, within=60)
        assert "photo" in reply


@asynccontextmanager
async def reader(tmp_path: Path) -> AsyncIterator[Reader]:
    """Yield a reader in an empty folder, beside the stand-ins and a copy of the repository."""
    (tmp_path / "here").mkdir()
    origin = tmp_path / "origin.git"
    git("clone", "--quiet", "--bare", str(ROOT), str(origin))
    async with sandbox_box() as box:
        env = {
            "PATH": f"{ROOT}/.venv/bin:/usr/bin:/bin",
            "HOME": os.environ["HOME"],  # noqa: TID251 - pip reads its configuration there
            "COLUMNS": "200",
            "PORT": str(free_port()),
            "TELEGRAM_API_URL": box.urls.telegram,
            "STORIES_API_URL": box.urls.stories_api,
            "TRUSTED_MEDIA_ORIGIN": box.urls.cdn,
        }
        one = Reader(box, tmp_path, env, origin)
        try:
            yield one
        finally:
            await one.stop()


def git(*words: str, cwd: Path | None = None) -> str:
    done = subprocess.run(  # noqa: S603 - git
        [shutil.which("git") or "git", *words], cwd=cwd, check=True, capture_output=True, text=True
    )
    return done.stdout.strip()


def install_at_each_clone(folder: Path) -> dict[str, str]:
    """Return variables with which a clone has our packages, in place of a minute of pip."""
    hook = folder / "template/hooks/post-checkout"
    hook.parent.mkdir(parents=True)
    hook.write_text(
        "#!/bin/sh\nmkdir -p .venv/bin\n"
        f"printf '#!/bin/sh\\nexec {ROOT}/.venv/bin/python \"$@\"\\n' > .venv/bin/python\n"
        "chmod +x .venv/bin/python\n"
    )
    hook.chmod(0o755)
    return {"GIT_TEMPLATE_DIR": str(hook.parents[1]), "MAKEFLAGS": "--old-file=.venv/.run"}


@pytest.mark.slow
async def test_the_page_of_a_clone_leads_to_a_bot_that_is_backed_up_and_updated(
    tmp_path: Path,
) -> None:
    async with reader(tmp_path) as one:
        one.env |= install_at_each_clone(tmp_path)
        one.given = f"{TOKEN}\n{API_KEY}\n\nn\n"
        started = one.start
        starts: list[str] = []

        async def start_and_look(text: str) -> None:
            await started(text)
            starts.append(git("rev-parse", "HEAD", cwd=tmp_path / "here/storybell"))
            if len(starts) == 1:
                await one.become_owner()
                publish_newer(tmp_path, one.address)

        one.start = start_and_look  # type: ignore[method-assign] # it looks between two blocks
        said = await one.follow(ROOT / "docs/clone.md")
        assert "Daily budget: 100 credits, up to $3.00 a month" in said
        assert "The settings are fine." in said
        database = tmp_path / "here/storybell/data/storybell.db"
        assert f"into {database}." in said  # restored
        assert len(starts) == 2
        assert starts[0] != starts[1] == git("rev-parse", "HEAD", cwd=one.address)
        assert TOKEN not in said


def publish_newer(folder: Path, origin: Path) -> None:
    """Commit and push a change from a second clone."""
    second = folder / "second"
    git("clone", "--quiet", str(origin), str(second))
    (second / "NEWER").write_text("")
    git("add", "NEWER", cwd=second)
    who = ("-c", "user.name=Ann", "-c", "user.email=ann@example.org")
    git(*who, "commit", "--quiet", "--message", "Newer", cwd=second)
    git("push", "--quiet", cwd=second)


SERVICE, STRANGER = 65534, 65533
"""Unix users without rights: the one of the service, and one whom nothing belongs to."""
AS_SERVICE = f"setpriv --reuid={SERVICE} --regid={SERVICE} --clear-groups "
OF_THE_MACHINE = re.compile(
    r"apt |ln -sf|systemd-sysusers|systemctl|journalctl|ssh |.*(sysusers\.d|system/)"
)
"""What changes the machine, or needs systemd."""


def for_a_folder(folder: Path, text: str) -> str:
    """Return a text of the page with other folders than /etc, and with numbers for users."""
    for place in ("/etc/", "/opt/storybell", "/var/lib/storybell"):
        text = text.replace(place, f"{folder}{place}")
    return text.replace("sudo -u storybell ", AS_SERVICE).replace("-o storybell", f"-o {SERVICE}")


def owners(folder: Path) -> set[int]:
    return {path.stat().st_uid for path in folder.rglob("*")}


@pytest.mark.slow  # pip fills an environment of its own
@pytest.mark.skipif(os.geteuid() != 0, reason="only root may run a command as another user")
async def test_the_page_of_systemd_works_as_root_and_as_the_user_of_the_service(
    tmp_path: Path,
) -> None:
    """The unit's command is run as the unit's user, without systemd."""
    unit = (ROOT / "ops/storybell.service").read_text()
    (run,) = re.findall(r"^ExecStart=/usr/local/bin/(.*)$", unit, re.MULTILINE)
    with tempfile.TemporaryDirectory() as made:  # pytest's own folder is closed to others
        root = Path(made)
        make_folders(root)
        async with reader(tmp_path) as one:
            one.env["PATH"] = f"{root}/opt/storybell/bin:/usr/bin:/bin"
            one.given = f"{TOKEN}\n{API_KEY}\n\n"
            one.place.write_text(str(tmp_path / "here"))
            said = await follow_systemd(one, root, for_a_folder(root, AS_SERVICE + run))
            assert said.count("The settings are fine.") == 1
            assert f"Copied {root}/var/lib/storybell/storybell.db into " in said
            assert f"into {root}/var/lib/storybell/storybell.db." in said
            settings = root / "etc/storybell.env"
            assert (settings.stat().st_uid, settings.stat().st_mode & 0o777) == (SERVICE, 0o600)
            assert owners(root / "var/lib/storybell") == {SERVICE}
            stranger = AS_SERVICE.replace(str(SERVICE), str(STRANGER))
            refused = await one.run(f"{stranger}storybell --env-file {settings} check || true")
            assert f"({settings} belongs to the user nobody, so run the command as" in refused


def make_folders(root: Path) -> None:
    """Make what the machine has, and what systemd-sysusers and systemd make."""
    root.chmod(0o755)
    (root / "etc").mkdir()
    data = root / "var/lib/storybell"
    data.mkdir(parents=True, mode=0o700)
    os.chown(data, SERVICE, SERVICE)


async def follow_systemd(one: Reader, root: Path, service: str) -> str:
    """Run the page's lines, with ``service`` where systemd would start it."""
    said = ""
    newest = f'"$(ls -td {root}/var/lib/storybell/backups/* | head -n 1)"'
    lines = [line for _, text in blocks(ROOT / "docs/systemd.md") for line in text.splitlines()]
    for line in lines:
        words = for_a_folder(root, line.replace("ADDRESS", str(one.address))).removeprefix("sudo ")
        words = words.replace(f"{root}/var/lib/storybell/backups/FILE", newest)
        if words.startswith("systemctl stop"):
            await one.stop()
        elif words.startswith(("systemctl start", "systemctl restart")):
            await one.start(f"exec {service}")
        elif words.startswith("systemctl enable"):
            await one.start(f"exec {service}")
            await one.become_owner()
            publish_newer(one.folder, one.address)
        elif words == "cd storybell" and "Restored " in said:
            continue  # the reader is still in the folder
        elif not OF_THE_MACHINE.match(words):
            said += await one.run(words)
        if words.endswith("etc/storybell.env") and words.startswith("install"):
            settings = root / "etc/storybell.env"
            settings.write_text(for_a_folder(root, settings.read_text()))
    return said


@pytest.mark.slow  # pip fills an environment of its own
async def test_the_page_of_a_platform_leads_to_a_bot_that_answers(tmp_path: Path) -> None:
    async with reader(tmp_path) as one:
        shutil.rmtree(tmp_path / "here")
        git("clone", "--quiet", str(one.address), str(tmp_path / "here"))
        one.env |= {"TELEGRAM_TOKEN": TOKEN, "STORIES_API_KEY": API_KEY, "DAILY_BUDGET": "100"}
        said = await one.follow(ROOT / "docs/platform.md")
        assert "The settings are fine." in said
        await one.become_owner()
