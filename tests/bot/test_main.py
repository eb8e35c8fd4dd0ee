"""The command line: what each command prints and how it ends."""

import asyncio
import os
import pwd
import re
import socket
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from pydantic import SecretStr

from bot import app
from bot.__main__ import main
from bot.runtime import logging
from bot.store.engine.database import Database
from bot.web.webhook import derive_webhook
from tests.support.followed import DAY, HOUR, NOON, follow, look, story
from tests.support.storybell import API_KEY, TOKEN

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    for name in ("TELEGRAM_TOKEN", "STORIES_API_KEY", "DATABASE_URL"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


@pytest.fixture
def dotenv(folder: Path) -> Path:
    file = folder / ".env"
    file.write_text(f"TELEGRAM_TOKEN={TOKEN}\nSTORIES_API_KEY={API_KEY}\n")
    return file


@pytest.mark.usefixtures("dotenv")
def test_check_is_content_with_two_settings(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "--offline"]) == 0
    assert "The settings are fine." in capsys.readouterr().out


@pytest.mark.usefixtures("dotenv")
@pytest.mark.parametrize(
    ("setting", "reason"),
    [
        ("DATABASE_URL=postgresql://u:canary@127.0.0.1:1/x", "no connection can be made"),
        ("DATABASE_URL=sqlite:///text.db", "text.db is damaged"),
        ("DATABASE_URL=sqlite:///newer.db", "by a newer version of the bot"),
        ("DATABASE_URL=sqlite:///file/x.db", "nothing can be written in"),
        ("SPOOL_DIR=file/spool", "file/spool can't be written"),
    ],
)
def test_a_run_that_can_t_begin_is_one_line(
    dotenv: Path,
    setting: str,
    reason: str,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(app, "WAIT_S", 0)
    Path("file").write_text("")
    Path("text.db").write_text("this is some text, and no database of anything at all " * 20)
    with closing(sqlite3.connect("newer.db")) as newer:
        newer.execute("CREATE TABLE alembic_version (version_num TEXT)")
        newer.execute("INSERT INTO alembic_version VALUES ('9999')")
        newer.execute("CREATE TABLE key_values (key TEXT)")
        newer.commit()
    dotenv.write_text(f"{dotenv.read_text()}{setting}\n")
    assert main(["run"]) == 1
    said = "".join(capfd.readouterr())
    assert said.count("\n") == 1
    assert reason in said
    assert "canary" not in said
    if setting.startswith("DATABASE"):
        assert main(["erase", "5"]) == 1
        place, trouble = capfd.readouterr().err.splitlines()
        assert place.startswith("Database: ")
        assert "canary" not in place
        assert reason in trouble


@pytest.mark.usefixtures("dotenv")
def test_a_copy_is_made_and_put_back(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["erase", "5"]) == 1
    assert "there is no file" in capsys.readouterr().err
    assert main(["backup", "copy.db"]) == 1
    database = folder / "data/storybell.db"
    assert f"No backup of {database} was made: there is no file" in capsys.readouterr().out
    asyncio.run(migrated())
    assert main(["backup", "copy.db"]) == 0
    assert f"Copied {database} into {folder / 'copy.db'}." in capsys.readouterr().out
    with sqlite3.connect(folder / "copy.db") as copy:
        assert copy.execute("SELECT count(*) FROM chats").fetchone() == (0,)
    copy.close()
    assert main(["backup", "copy.db"]) == 1
    assert "there is a file copy.db already" in capsys.readouterr().out
    assert main(["backup"]) == 0
    (made,) = (folder / "data/backups").iterdir()
    assert made.name.startswith("storybell-")
    assert main(["restore", str(made)]) == 0
    said = capsys.readouterr().out
    assert f"Restored {made} into {database}." in said
    assert "The database that was there is " in said
    assert main(["restore", "there-is-none.db"]) == 1
    assert f"Nothing was restored into {database}: " in capsys.readouterr().out


@pytest.mark.usefixtures("dotenv")
def test_each_command_in_another_folder_names_its_database_or_takes_that_of_a_named_file(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    database = folder / "service/storybell.db"
    unit = folder / "storybell.env"
    unit.write_text(f"{Path('.env').read_text()}DATABASE_URL=sqlite:///{database}\n")
    (folder / "elsewhere").mkdir()
    monkeypatch.chdir(folder / "elsewhere")
    asyncio.run(migrated(f"sqlite:///{database}"))
    named = ["--env-file", str(unit)]
    for command in (["check", "--offline"], ["backup", str(folder / "copy.db")], ["erase", "42"]):
        assert main([*named, *command]) == 0
        said = capsys.readouterr()
        assert f"Database: {database}\n" in said.err
        assert command[0] == "check" or str(database) in said.out
    assert main([*named, "restore", str(folder / "copy.db")]) == 0
    assert f"into {database}." in capsys.readouterr().out
    assert not Path("data").exists()
    assert main(["erase", "42"]) == 2  # without the option there are no settings in this folder
    assert "setup" in capsys.readouterr().err
    assert main(["--env-file", "missing.env", "check"]) == 2
    assert f"There is no file {folder / 'elsewhere/missing.env'}." in capsys.readouterr().err


def test_another_user_is_told_who_owns_the_settings(
    dotenv: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    owner = pwd.getpwuid(os.getuid()).pw_name
    dotenv.chmod(0)
    monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)
    monkeypatch.setattr(os, "access", lambda *_: False)  # root may read the file even so
    monkeypatch.setattr("bot.config.dotenv_values", _refuse)
    assert main(["check"]) == 2
    said = capsys.readouterr().err
    assert ".env can't be read: Permission denied." in said
    whose = f"{dotenv} belongs to the user {owner}, so run the command as {owner}"
    assert f"from {dotenv} ({whose})." in said


def _refuse(file: Path) -> dict[str, str | None]:
    raise PermissionError(13, "Permission denied", str(file))


@pytest.mark.usefixtures("dotenv")
def test_a_restore_where_no_database_was_says_so(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    asyncio.run(migrated())
    assert main(["backup", "copy.db"]) == 0
    capsys.readouterr()
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{folder}/new/storybell.db")
    assert main(["restore", "copy.db"]) == 0
    said = capsys.readouterr().out
    assert f"Restored copy.db into {folder}/new/storybell.db." in said
    assert "No database was there before." in said
    assert "--env-file FILE restore" in said


@pytest.mark.usefixtures("dotenv")
def test_what_can_not_be_used_is_said_in_a_sentence(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    asyncio.run(migrated())
    for address in (
        "postgresql://ann:pw-canary@db:port/bell",
        "postgres:/db",
        "postgresql://db/bell?pgbouncer=canary",
        "postgresql://db/bell?port=canary",
        "postgresql://db/bell?timeout=3",
    ):
        assert main(["move", "--to", address]) == 2
        said = capsys.readouterr().out
        assert said.startswith("--to ")
        assert "canary" not in said
    (folder / "a-file").write_text("where a folder should be")
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{folder}/a-file/bot.db")
    assert main(["restore", str(folder / "a-file")]) == 1
    assert f"Nothing was restored into {folder}/a-file/bot.db: " in capsys.readouterr().out
    nonsense = folder / "bot.db"
    nonsense.write_bytes(b"this is no database" * 1000)
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{nonsense}")
    assert main(["erase", "5"]) == 1


@pytest.mark.usefixtures("dotenv")
@pytest.mark.parametrize(
    ("command", "reason"),
    [
        (["backup"], "there is no file {folder}/data/storybell.db. Start the bot on it first"),
        (["restore", "none.db"], "there is no file {folder}/none.db."),
        (["restore", "."], "{folder} is not a file: name a backup."),
        (["move", "--undo"], "there is no file {folder}/data/storybell.db. Start the bot on it"),
    ],
)
def test_a_command_without_its_file_says_what_to_do(
    folder: Path, command: list[str], reason: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(command) == 1
    assert reason.format(folder=folder) in capsys.readouterr().out


@pytest.mark.usefixtures("dotenv")
def test_nothing_is_erased_in_a_file_that_was_moved_to_postgresql(
    capsys: pytest.CaptureFixture[str],
) -> None:
    asyncio.run(migrated())
    with closing(sqlite3.connect("data/storybell.db")) as database:
        database.execute("INSERT INTO key_values (key, value) VALUES ('moved', '{}')")
        database.commit()
    assert main(["erase", "5"]) == 1
    assert "was moved to PostgreSQL" in capsys.readouterr().err


@pytest.mark.usefixtures("dotenv")
@pytest.mark.parametrize("chat", ["9" * 23, "-" + "9" * 16, "1_000", "٣", "", "@natgeo"])
def test_a_chat_that_is_no_id_is_refused(chat: str, capsys: pytest.CaptureFixture[str]) -> None:
    asyncio.run(migrated())
    with pytest.raises(SystemExit, match="2"):
        main(["erase", chat])
    assert "must be the Telegram ID of a chat or person" in capsys.readouterr().err
    assert main(["erase", str(1 - 2**52)]) == 0


@pytest.mark.usefixtures("dotenv")
def test_the_database_itself_is_not_restored(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asyncio.run(migrated())
    database = folder / "data/storybell.db"
    (folder / "link.db").symlink_to(database)
    (folder / "dangling.db").symlink_to(folder / "none.db")
    for file in (database, folder / "link.db"):
        assert main(["restore", str(file)]) == 1
        assert f"{file} is the database itself: name a backup of it." in capsys.readouterr().out
    assert not list((folder / "data").glob("*.replaced-*"))
    assert main(["backup", "dangling.db"]) == 1
    assert (folder / "dangling.db").is_symlink()


@pytest.mark.usefixtures("dotenv")
def test_nothing_is_restored_into_memory(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    asyncio.run(migrated())
    assert main(["backup", "copy.db"]) == 0
    before = set(folder.iterdir())
    monkeypatch.setenv("DATABASE_URL", "sqlite:///:memory:")
    assert main(["restore", "copy.db"]) == 1
    assert "DATABASE_URL names no file" in capsys.readouterr().out
    assert set(folder.iterdir()) == before


@pytest.mark.parametrize("name", ["", "x" * 300])
def test_missing_settings_name_the_file_that_was_read(
    name: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*(["--env-file", name] if name else []), "check"]) == 2
    said = capsys.readouterr().err
    reason = f"{folder / name} can't be read" if name else "TELEGRAM_TOKEN is not set"
    assert said.startswith(reason)
    assert f"from the environment and from {folder / (name or '.env')}" in said
    assert (f"{folder / '.env'}, which does not exist." in said) != bool(name)


@pytest.mark.usefixtures("dotenv")
def test_simulating_an_empty_history_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    asyncio.run(migrated())
    assert main(["simulate", "--history", "--budget", "100"]) == 2
    assert "The database has no stories yet" in capsys.readouterr().err


@pytest.mark.usefixtures("dotenv")
def test_history_is_simulated_at_the_price_of_the_settings(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    asyncio.run(migrated())
    asyncio.run(posted())
    capsys.readouterr()
    looks = []
    for skip in ("false", "true"):
        monkeypatch.setenv("SKIP_PRIVACY_CHECK", skip)
        assert main(["simulate", "--history", "--budget", "48"]) == 0
        budget, checks, *_ = capsys.readouterr().out.splitlines()[1].split()
        assert budget == "48"
        looks.append(int(checks))
    assert looks[1] == pytest.approx(2 * looks[0], rel=0.1)


async def migrated(url: str = "sqlite:///data/storybell.db") -> None:
    """Make the tables, as a start does."""
    async with Database(url) as db:
        await db.migrate()


async def posted() -> None:
    """Let a profile be followed that has posted once a day."""
    async with Database("sqlite:///data/storybell.db") as db, db.begin() as tx:
        await follow(tx, 1)
        for day in range(10):
            taken_at = NOON - day * DAY
            await look(tx, story(str(day), taken_at), now=taken_at + HOUR)


def test_where_the_stand_ins_are_not_installed_the_demo_says_where_it_is(folder: Path) -> None:
    for name in ("bot", "handlers", "locales"):  # what the wheel holds
        (folder / name).symlink_to(ROOT / name)
    words = [sys.executable, "-m", "bot", "demo"]
    done = subprocess.run(words, check=False, cwd=folder, capture_output=True, text=True)  # noqa: S603 - our own interpreter
    assert done.returncode == 1
    assert done.stderr == "The demo is in the project's repository: there, make demo starts it.\n"


def test_a_taken_port_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        assert main(["demo", "--port-base", str(taken.getsockname()[1])]) == 1
    assert 'Choose others: make demo ARGS="--port-base 9000"' in capsys.readouterr().err


@pytest.mark.parametrize("base", ["-1", "65532", "x"])
def test_ports_that_do_not_exist_are_refused(
    base: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        main(["demo", f"--port-base={base}"])
    assert "0 to 65531" in capsys.readouterr().err


@pytest.mark.usefixtures("dotenv")
def test_a_deleted_folder_is_one_sentence(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "gone").mkdir()
    monkeypatch.chdir(folder / "gone")
    (folder / "gone").rmdir()
    assert main(["check", "--offline"]) == 1
    said = capsys.readouterr().err
    assert said == "The current folder was deleted: change to another folder first.\n"


def test_an_unknown_command_is_refused() -> None:
    with pytest.raises(SystemExit):
        main(["dance"])


def test_alone_it_lists_its_commands_by_what_they_are_for(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main([]) == 0
    said = capsys.readouterr().out
    for name in ("setup", "check", "run", "erase", "restore"):
        assert re.search(rf"^  {name}\b", said, re.MULTILINE), name
    assert "To begin" in said


@pytest.mark.usefixtures("dotenv")
def test_no_log_may_show_the_webhook(monkeypatch: pytest.MonkeyPatch) -> None:
    hidden: list[str] = []
    monkeypatch.setattr(logging, "set_up_logging", lambda *, secrets, **_: hidden.extend(secrets))
    assert main(["check", "--offline"]) == 0
    hook = derive_webhook(SecretStr(TOKEN))
    assert {hook.secret.get_secret_value(), hook.path.rpartition("/")[2]} <= set(hidden)
