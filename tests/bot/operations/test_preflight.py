"""What a start needs of its machine."""

import os
import sys
from pathlib import Path

import pytest

from bot.operations import preflight
from bot.store.engine.database import Database

LINES = """\
28 1 254:0 / / rw,relatime shared:1 - ext4 /dev/root rw
{number} 28 {device} / /srv/data rw,relatime shared:9 master:2 - {kind} there:/data rw,hard
"""


@pytest.mark.parametrize(
    ("kind", "is_noted"), [("nfs4", True), ("cifs", True), ("fuse.sshfs", True), ("ext4", False)]
)
def test_a_database_on_a_network_file_system_is_noted(
    tmp_path: Path, kind: str, is_noted: bool
) -> None:
    device = tmp_path.stat().st_dev
    mounts = tmp_path / "mounts"
    number = f"{os.major(device)}:{os.minor(device)}"
    mounts.write_text(LINES.format(number=41, device=number, kind=kind))
    note = preflight.check_file_system_of_sqlite(f"sqlite:///{tmp_path}/data/bot.db", mounts)
    assert (note is not None) is is_noted
    assert note is None or kind in note.text


def test_a_database_file_that_is_mounted_alone_is_noted(tmp_path: Path) -> None:
    mounts = tmp_path / "mounts"
    file = tmp_path / "bot.db"
    mounts.write_text(f"43 27 254:0 /home/bot.db {file} rw,relatime - ext4 /dev/vda rw\n")
    note = preflight.check_file_system_of_sqlite(f"sqlite:///{file}", mounts)
    assert note is not None
    assert "Mount the folder" in note.text
    assert preflight.check_file_system_of_sqlite(f"sqlite:///{tmp_path}/other.db", mounts) is None


def test_the_disk_of_a_server_is_not_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the driver, ``check`` must still say that the driver is missing."""
    monkeypatch.setitem(sys.modules, "asyncpg", None)
    assert preflight.check_file_system_of_sqlite("postgresql://host/db") is None


def test_where_no_list_of_mounts_is_nothing_is_noted(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/bot.db"
    assert preflight.check_file_system_of_sqlite(url, tmp_path / "none") is None


def test_the_path_of_a_database_need_not_be_utf_8(tmp_path: Path) -> None:
    folder = tmp_path / os.fsdecode(b"caf\xe9")
    folder.mkdir()
    preflight.record_that_tables_exist(Database(f"sqlite:///{folder}/bot.db"), folder)
    assert (folder / ".database").read_bytes() == os.fsencode(folder / "bot.db")


@pytest.mark.parametrize(("age_s", "is_named"), [(-60, True), (3600, False)])
async def test_a_lost_database_is_restored_from_no_copy_that_is_older_than_its_last_start(
    tmp_path: Path, age_s: int, *, is_named: bool
) -> None:
    url = f"sqlite:///{tmp_path}/bot.db"
    preflight.record_that_tables_exist(Database(url), tmp_path)
    started_at = (tmp_path / ".database").stat().st_mtime
    copy = tmp_path / "bot.db.rescued-20261201-120000"
    for left in (copy, copy.with_name(f"{copy.name}.part-journal")):
        left.write_text("")
        os.utime(left, (started_at - age_s,) * 2)
    found = await preflight.check_database(url, tmp_path)
    assert found.level == "wrong"
    assert (f"storybell restore {copy}." in found.text) is is_named, found.text
    assert ("storybell restore with the newest backup." in found.text) is not is_named
