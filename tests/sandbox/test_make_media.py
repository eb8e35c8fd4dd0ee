"""The script that made the media."""

import json
from pathlib import Path

import pytest

from sandbox import make_media
from sandbox.media import FOLDER, index
from tests.support.needs import needs


def test_draws_the_same_scene_every_time() -> None:
    first, again = make_media.scene(1, (90, 160)), make_media.scene(1, (90, 160))
    assert first.tobytes() == again.tobytes()
    assert first.tobytes() != make_media.scene(2, (90, 160)).tobytes()
    assert first.tobytes() != make_media.scene(1, (90, 160), 0.5).tobytes()


def test_makes_what_the_index_promises(tmp_path: Path) -> None:
    def no_film(number: int, seconds: float, target: Path) -> None:
        target.write_bytes(b"%d %f" % (number, seconds))

    make_media.main(tmp_path, no_film)
    assert json.loads((tmp_path / "index.json").read_text()) == json.loads(
        (FOLDER / "index.json").read_text()
    )
    assert {file.name for file in tmp_path.iterdir()} == {file.name for file in FOLDER.iterdir()}
    assert len(index().photos) == len(make_media.PALETTES)


@needs("ffmpeg")
def test_films(tmp_path: Path) -> None:
    target = tmp_path / "short.mp4"
    make_media.film(0, 0.25, target)
    data = target.read_bytes()
    assert data[4:8] == b"ftyp"
    assert data.index(b"moov") < data.index(b"mdat")


def test_without_ffmpeg_it_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SystemExit, match="ffmpeg"):
        make_media.film(0, 0.25, tmp_path / "short.mp4")
