"""The spool: bounded, private, and empty when all is said and done."""

import asyncio
import os
import shutil
import stat
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.domain.errors import MEDIA_REFUSED, MediaError, MediaTooBigError, MediaUnavailableError
from bot.media.spool import MediaFile, Spool, write_stream
from tests.support.errors import raises
from tests.support.spooled import kept

JPEG = b"\xff\xd8\xff\xe0" + bytes(100)


async def pieces(*chunks: bytes) -> AsyncIterator[bytes]:
    for chunk in chunks:
        yield chunk


async def saved(spool: Spool, *chunks: bytes, room: int = 1000) -> MediaFile:
    async with spool.draft(room) as draft:
        return await write_stream(pieces(*chunks), draft)


def files_in(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file() and path.name != "lock"]


def everything_in(folder: Path) -> list[Path]:
    return list(folder.rglob("*"))


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


async def test_a_file_is_private_named_by_us_and_gone_after_use(tmp_path: Path) -> None:
    with Spool(tmp_path, limit=1000) as spool:
        with kept(await saved(spool, JPEG)) as file:
            assert (file.kind, file.mime, file.size, spool.used) == (
                "photo",
                "image/jpeg",
                104,
                104,
            )
            assert mode_of(file.path) == 0o600
            assert files_in(tmp_path) == [file.path]
            assert file.path.suffix == ".jpg"
        file.remove()
        assert (spool.used, files_in(tmp_path)) == (0, [])
    assert not everything_in(tmp_path)


async def test_the_space_of_a_file_that_the_operator_deleted_is_free_again(tmp_path: Path) -> None:
    with Spool(tmp_path, limit=1000) as spool:
        file = await saved(spool, JPEG)
        shutil.rmtree(file.path.parent)
        for _ in range(2):
            file.remove()
            assert spool.used == 0


async def test_a_head_in_many_pieces_is_still_read(tmp_path: Path) -> None:
    with Spool(tmp_path, limit=1000) as spool:
        file = await saved(spool, *(JPEG[n : n + 1] for n in range(len(JPEG))))
        assert file.path.read_bytes() == JPEG
        short = await saved(spool, JPEG[:10], room=500)
        assert short.size == 10


@pytest.mark.parametrize(
    ("chunks", "text"),
    [
        ((b"<html>" + bytes(100),), MEDIA_REFUSED),
        ((b"<svg/>",), MEDIA_REFUSED),
        ((), MEDIA_REFUSED),
        ((b"",), MEDIA_REFUSED),
        ((JPEG, bytes(1000)), MediaTooBigError.text),
    ],
)
async def test_what_is_refused_leaves_nothing(
    chunks: tuple[bytes, ...], text: str, tmp_path: Path
) -> None:
    with Spool(tmp_path, limit=1000) as spool:
        with raises(MediaError, text):
            await saved(spool, *chunks)
        assert (spool.used, files_in(tmp_path)) == (0, [])


async def test_who_finds_no_room_waits_for_it(tmp_path: Path) -> None:
    with Spool(tmp_path, limit=1000) as spool:
        first = await saved(spool, JPEG, room=1000)
        assert spool.used == 104  # what was not needed is free again
        async with asyncio.TaskGroup() as group:
            waiting = group.create_task(saved(spool, JPEG, room=1000))
            await asyncio.sleep(0)
            assert not waiting.done()
            first.remove()
        assert waiting.result().size == 104


async def test_who_finds_none_in_time_is_told(tmp_path: Path) -> None:
    with Spool(tmp_path, limit=1000, patience=0.01) as spool:
        await saved(spool, JPEG)
        for room in (1000, 5000):
            with pytest.raises(MediaUnavailableError):
                await saved(spool, JPEG, room=room)
        assert spool.used == 104


async def test_a_hundred_at_once_never_hold_more_than_the_limit(tmp_path: Path) -> None:
    with Spool(tmp_path, limit=1000) as spool:

        async def one() -> None:
            with kept(await saved(spool, JPEG, room=300)):
                assert spool.used <= 1000

        async with asyncio.TaskGroup() as group:
            for _ in range(100):
                group.create_task(one())
        assert (spool.used, files_in(tmp_path)) == (0, [])


async def test_cancelled_it_gives_the_room_back(tmp_path: Path) -> None:
    async def endless() -> AsyncIterator[bytes]:
        yield JPEG
        await asyncio.Event().wait()

    with Spool(tmp_path, limit=1000) as spool:

        async def one() -> None:
            async with spool.draft(1000) as draft:
                await write_stream(endless(), draft)

        async with asyncio.TaskGroup() as group:
            task = group.create_task(one())
            await asyncio.sleep(0.01)
            task.cancel()
        assert (spool.used, files_in(tmp_path)) == (0, [])


async def test_a_full_disk_is_a_failure_that_passes(tmp_path: Path) -> None:
    with Spool(tmp_path, limit=1000) as spool:
        async with spool.draft(1000) as draft:
            full = os.open("/dev/full", os.O_WRONLY)
            os.dup2(full, draft._fd)  # noqa: SLF001 - a disk can't be filled for a test
            os.close(full)
            with pytest.raises(MediaUnavailableError):
                draft.write(JPEG)
        assert spool.used == 0


async def test_what_a_killed_process_left_is_removed_and_what_a_living_one_holds_is_not(
    tmp_path: Path,
) -> None:
    script = (
        "import os, pathlib, signal, sys\n"
        "from bot.media.spool import Spool\n"
        "spool = Spool(pathlib.Path(sys.argv[1]), limit=1000).__enter__()\n"
        "(spool._folder / 'left.mp4').write_bytes(b'x')\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", script, str(tmp_path))
    assert await process.wait() == -9
    stray = tmp_path / "stray"
    stray.symlink_to("/etc/ssl")
    with Spool(tmp_path, limit=1000) as living:
        assert [path.name for path in files_in(tmp_path)] == []
        file = await saved(living, JPEG)
        with Spool(tmp_path, limit=1000):
            assert file.path.read_bytes() == JPEG
    assert files_in(Path("/etc/ssl"))


async def test_a_folder_of_another_program_stays(tmp_path: Path) -> None:
    other = tmp_path / "dpkg"
    other.mkdir()
    (other / "lock").touch()
    with Spool(tmp_path, limit=1000):
        assert other.is_dir()


async def test_a_folder_that_was_deleted_is_made_again(tmp_path: Path) -> None:
    with Spool(tmp_path / "spool", limit=1000) as spool:
        shutil.rmtree(tmp_path / "spool")
        file = await saved(spool, JPEG)
        assert file.path.read_bytes() == JPEG
        assert mode_of(file.path.parent) == 0o700
    assert everything_in(tmp_path / "spool") == []
