"""What a release must be before anything is published: ``python -m tools.release``.

``check [--tag v1.0.0] [--repository owner/name]`` ends with a sentence and 1 where it may not be
published; else it prints what the workflow needs, as ``name=value``. ``notes`` prints what the
CHANGELOG says of that version.
"""

import argparse
import re
import sys

from tools.source import ROOT, image_of, project, texts

_VERSION = re.compile(r"\d+\.\d+\.\d+")


def notes(changelog: str, version: str) -> str:
    """Return a version's part of the CHANGELOG, without its headline; empty for none."""
    parts = re.split(r"^## +", changelog, flags=re.MULTILINE)
    for part in parts[1:]:
        head, _, body = part.partition("\n")
        if head.split()[:1] == [version]:
            return body.strip() + "\n"
    return ""


def complaints(tag: str, repository: str, told: dict[str, str], changelog: str) -> list[str]:
    """Return why this must not be published, in sentences.

    Args:
        tag: The tag that is released; empty in a dry run, which has none.
        repository: ``owner/name`` of where the workflow runs; empty elsewhere.
        told: What pyproject.toml says.
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


def main() -> int:
    """Check, or print the notes."""
    parser = argparse.ArgumentParser(prog="python -m tools.release", description=__doc__)
    parser.add_argument("what", choices=("check", "notes"))
    parser.add_argument("--tag", default="", help="the tag that is released; none in a dry run")
    parser.add_argument("--repository", default="", help="owner/name of where this runs")
    asked = parser.parse_args()
    told = project()
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    if asked.what == "notes":
        sys.stdout.write(notes(changelog, told["version"]))
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
