"""What is published, and where it lives: said once, and written from there."""

import re
import tomllib
from pathlib import Path

import pytest

from tools import release, source

ROOT = Path(__file__).parents[2]
SOURCE = "https://github.com/Somebody/storybell"
CHANGELOG = "# Changes\n\n## 1.0.1 - 2026-12-01\n\nMore.\n\n## 1.0.0 - 2026-11-28\n\nThe first.\n"
TOLD = {"version": "1.0.0", "source": SOURCE}


def complaints(tag: str = "v1.0.0", repository: str = "somebody/storybell", **other: str) -> str:
    return "\n".join(release.complaints(tag, repository, TOLD | other, CHANGELOG))


def test_a_tag_that_equals_the_version_is_published_from_where_it_lives() -> None:
    assert complaints() == complaints(tag="") == complaints(repository="") == ""
    assert release.notes(CHANGELOG, "1.0.0") == "The first.\n"


@pytest.mark.parametrize(
    ("other", "words"),
    [
        ({"tag": "v1.0.1"}, "they must be equal"),
        ({"version": "1.0"}, "is not three numbers"),
        ({"version": "1.0.2"}, "has no part for 1.0.2"),
        ({"source": ""}, "Where it lives is not set"),
        ({"source": "http://github.com/a/b"}, "it must be like"),
        ({"source": "https://elsewhere.example/a/b"}, "it must be like"),
        ({"source": "https://github.com/a"}, "it must be like"),
        ({"repository": "another/storybell"}, "another's release"),
    ],
)
def test_what_must_not_be_published_is_told_in_a_sentence(
    other: dict[str, str], words: str
) -> None:
    assert words in complaints(**other)


def test_until_it_is_set_the_clone_alone_is_shown() -> None:
    shown = source.install("")
    assert "make run" in shown
    assert not {"pipx", "docker", "git clone"} & set(re.findall(r"git clone|\w+", shown))
    assert source.image_line("") == "    image: storybell\n"


def test_once_it_is_set_each_way_names_it() -> None:
    shown = source.install(SOURCE)
    for words in ("pipx install storybell", "ghcr.io/somebody/storybell:1 setup", "compose up -d"):
        assert words in shown
    assert f"git clone {SOURCE} && cd storybell\n" in shown
    assert f"curl -LO {SOURCE}/raw/v{source.project()['version']}/compose.yaml" in shown
    assert source.image_line(SOURCE) == "    image: ghcr.io/somebody/storybell:1\n"
    for file, text in source.texts(SOURCE).items():
        assert "somebody/storybell" in text.lower(), file
        assert text.count("end of ") == (ROOT / file).read_text().count("end of ")


def test_a_part_whose_marks_are_gone_is_an_error() -> None:
    with pytest.raises(ValueError, match="no part install"):
        source.written("nothing", "install", "words")


def test_what_builds_the_wheel_is_what_make_test_builds_with() -> None:
    pins = {
        name: dict(re.findall(r"^([\w-]+)==(\S+)", (ROOT / name).read_text(), re.MULTILINE))
        for name in ("requirements/build.txt", "requirements/dev.txt")
    }
    built, tested = pins.values()
    assert built.items() <= tested.items()
    told = tomllib.loads((ROOT / "pyproject.toml").read_text())
    assert set(told["build-system"]["requires"]) <= built.keys()


def test_the_base_images_of_a_release_have_digests() -> None:
    text = (ROOT / "Dockerfile").read_text()
    pinned = release.pin_bases(text, lambda _: "sha256:abc")
    bases = re.findall(r"^FROM (.*)$", pinned, re.MULTILINE)
    assert len(bases) == text.count("\nFROM ") + text.startswith("FROM ")
    assert all("@sha256:abc" in one for one in bases)
    job = (ROOT / ".github/workflows/release.yml").read_text()
    assert job.index("tools.release bases") < job.index("docker/build-push-action")


def test_the_notice_names_each_package_that_is_installed() -> None:
    wanted = re.findall(
        r"^([\w.-]+)(?:\[.*\])?==", (ROOT / "requirements/run.txt").read_text(), re.MULTILINE
    )
    notice = (ROOT / "THIRD-PARTY.md").read_text()
    assert {name for name in wanted if f"| {name} |" not in notice} == set()
    assert "| python-telegram-bot | LGPL-3.0" in notice
