"""An older commit's code beside today's tests and sandbox, in a folder of its own."""

import io
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

BOT = ("bot", "handlers", "locales")  # what is taken from the older commit


@contextmanager
def unpacked(commit: str) -> Iterator[Path]:
    """Give a folder with the bot of ``commit``, and all else as it is now."""
    with tempfile.TemporaryDirectory() as folder:
        _copy_all_but(Path(folder), BOT)
        with tarfile.open(fileobj=io.BytesIO(git("archive", commit, *BOT))) as archive:
            archive.extractall(folder, filter="data")
        yield Path(folder)


def _copy_all_but(folder: Path, left_out: tuple[str, ...]) -> None:
    """Copy what git tracks or would track, as it is now."""
    listed = git("ls-files", "-z", "--cached", "--others", "--exclude-standard").decode()
    for name in filter(None, listed.split("\0")):
        path = Path(name)
        if path.parts[0] not in left_out and path.is_file():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(path, folder / path)


def git(*words: str, allow_failure: bool = False) -> bytes:
    """Run git; return what it says.

    Raises:
        SystemExit: It failed, which was not allowed.
    """
    done = subprocess.run(["git", *words], check=False, capture_output=True)  # noqa: S603, S607 - git
    if done.returncode and not allow_failure:
        raise SystemExit(done.stderr.decode())
    return done.stdout
