"""Checks before a release is published: ``python -m tools.release``.

``check [--tag v1.0.0] [--repository owner/name]`` prints an error and exits with 1 if the version
must not be published. Otherwise ``check`` prints values for the workflow as ``name=value``.
``notes`` prints the CHANGELOG's section for the version. ``bases`` pins the Dockerfile's base
images by digest.
"""

import argparse
import json
import re
import subprocess
import sys
from collections.abc import Callable

from tools.source import ROOT, image_of, project, texts

_VERSION = re.compile(r"\d+\.\d+\.\d+")


def notes(changelog: str, version: str) -> str:
    """Return a version's section of the CHANGELOG without its heading, or an empty string."""
    parts = re.split(r"^## +", changelog, flags=re.MULTILINE)
    for part in parts[1:]:
        head, _, body = part.partition("\n")
        if head.split()[:1] == [version]:
            return body.strip() + "\n"
    return ""


def complaints(tag: str, repository: str, told: dict[str, str], changelog: str) -> list[str]:
    """Return the reasons why the version must not be published, as sentences.

    Args:
        tag: The tag of the release. The tag is empty in a dry run.
        repository: ``owner/name`` of the workflow's repository. The value is empty outside of a
            workflow.
        told: The version and the source address in pyproject.toml.
        changelog: The text of the CHANGELOG.
    """
    version, source = told["version"], told["source"]
    found = []
    if not _VERSION.fullmatch(version):
        found.append(f"The version {version} is not three numbers.")
    if tag and tag != f"v{version}":
        found.append(f"The tag is {tag}, and the package's version {version}: they must be equal.")
    if not notes(changelog, version):
        found.append(f"CHANGELOG.md has no part for {version}.")
    if not source:
        found.append(
            "Where it lives is not set: put it into pyproject.toml, [project.urls] Source, and "
            "run make source."
        )
        return found
    try:
        image_of(source)
    except ValueError as error:
        return [*found, f"{error}."]
    if repository and not source.lower().rstrip("/").removesuffix(".git").endswith(
        f"/{repository.lower()}"
    ):
        found.append(
            f"It lives at {source}, and this is {repository}: another's release is not published."
        )
    return found


def pin_bases(dockerfile: str, digest_of: Callable[[str], str]) -> str:
    """Return the text of a Dockerfile in which the base images have digests.

    Equal images get equal digests.
    """
    images = sorted(set(re.findall(r"^FROM ([\w./:-]+)(?=\s|$)", dockerfile, re.MULTILINE)))
    for image in images:
        pinned = f"FROM {image}@{digest_of(image)}"
        dockerfile = re.sub(
            rf"^FROM {re.escape(image)}(?=\s|$)", pinned, dockerfile, flags=re.MULTILINE
        )
    return dockerfile


def _digest_of(image: str) -> str:
    """Return the digest of an image in the registry. The digest applies to all platforms."""
    command = [
        "docker",
        "buildx",
        "imagetools",
        "inspect",
        image,
        "--format",
        "{{json .Manifest}}",
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603 - fixed names
    return str(json.loads(done.stdout)["digest"])


def main() -> int:
    """Check, print the notes, or pin the base images. Return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tools.release", description=__doc__)
    parser.add_argument("what", choices=("check", "notes", "bases"))
    parser.add_argument("--tag", default="", help="the tag that is released; none in a dry run")
    parser.add_argument("--repository", default="", help="owner/name of where this runs")
    asked = parser.parse_args()
    told = project()
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    if asked.what == "notes":
        sys.stdout.write(notes(changelog, told["version"]))
        return 0
    if asked.what == "bases":
        file = ROOT / "Dockerfile"
        file.write_text(pin_bases(file.read_text(encoding="utf-8"), _digest_of), encoding="utf-8")
        sys.stdout.write("".join(re.findall(r"^FROM .*\n", file.read_text(), re.MULTILINE)))
        return 0
    wrong = complaints(asked.tag, asked.repository, told, changelog)
    wrong += [] if wrong else [
        f"{file} is stale: run make source." for file, text in texts(told["source"]).items()
        if (ROOT / file).read_text(encoding="utf-8") != text
    ]  # fmt: skip
    if wrong:
        sys.stderr.write("\n".join(wrong) + "\n")
        return 1
    sys.stdout.write(f"version={told['version']}\nimage={image_of(told['source'])}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
