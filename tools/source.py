"""Write the address of the repository to README, compose.yaml and the docs: ``make source``.

The address is one line of pyproject.toml, ``[project.urls] Source``. Without an address, nothing
is published, and the written sections describe only a clone. ``--check`` reports outdated
sections.
"""

import argparse
import re
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

ROOT = Path(__file__).parents[1]
_HOSTS = {"github.com": "ghcr.io"}
"""The image registry of each code host that the workflows can publish from."""


def project() -> dict[str, str]:
    """Return the version and the source address.

    If the source address is not set, it is an empty string.
    """
    told = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return {"version": told["version"], "source": told.get("urls", {}).get("Source", "")}


def image_of(source: str) -> str:
    """Return the name of the image for a source address, without a tag.

    Raises:
        ValueError: The source is not the address of a repository at a known host.
    """
    where = urlsplit(source)
    path = where.path.strip("/").removesuffix(".git").lower()
    if where.scheme != "https" or where.hostname not in _HOSTS or path.count("/") != 1:
        known = ", ".join(f"https://{host}/OWNER/NAME" for host in _HOSTS)
        raise ValueError(f"[project.urls] Source is {source!r}; it must be like {known}")
    return f"{_HOSTS[where.hostname]}/{path}"


def install(source: str) -> str:
    """Return the README's section on installation."""
    if not source:
        return _CLONE.format(get="")
    image = image_of(source)
    clone = _CLONE.format(get=f"git clone {source} && cd {source.rpartition('/')[2]}\n")
    return _PUBLISHED.format(image=image, raw=_raw(source)) + "\nOr from a clone:\n" + clone


def image_line(source: str) -> str:
    """Return the image line of compose.yaml."""
    name = f"{image_of(source)}:1" if source else "storybell"
    return f"    image: {name}\n"


def ask(source: str) -> str:
    """Return the README's sentence on questions and issues."""
    if not source:
        return (
            "Open an issue in the repository from which you got this page. "
            "Questions are welcome as issues.\n"
        )
    return f"[Open an issue]({source}/issues). Questions are welcome as issues.\n"


def _raw(source: str) -> str:
    return f"{source}/raw/v{project()['version']}"


_CLONE = """
```sh shown
{get}make setup    # asks for a token, a key and a daily budget, tries them, and writes .env
make run      # the bot; the first start prints the link that makes you its owner
```
"""
_PUBLISHED = """
With [pipx](https://pipx.pypa.io), from any folder:

```sh shown
pipx install storybell
storybell setup           # asks for a token, a key and a daily budget
storybell run
```

With Docker:

```sh shown
docker volume create storybell
docker run --rm -it -v storybell:/data {image}:1 setup
docker run -d --name storybell --restart unless-stopped \\
  --read-only --tmpfs /tmp --cap-drop ALL --stop-timeout 15 \\
  -v storybell:/data {image}:1
docker logs storybell
```

With compose, beside a `.env` that holds `TELEGRAM_TOKEN` and `STORIES_API_KEY`:

```sh shown
curl -LO {raw}/compose.yaml
docker compose up -d
```
"""
PARTS: tuple[tuple[str, str, Callable[[str], str]], ...] = (
    ("README.md", "install", install),
    ("README.md", "ask", ask),
    ("compose.yaml", "image", image_line),
)
"""The file, the name of the section, and the function that generates the section."""


def written(text: str, name: str, part: str) -> str:
    """Return the text of a file after the section ``name`` is replaced by ``part``.

    Two marks in the text enclose the section.

    Raises:
        ValueError: The marks are missing.
    """
    marks = re.compile(
        rf"(^[^\n]*\bsource: {name}\b[^\n]*\n).*?(^[^\n]*\bend of {name}\b)",
        re.DOTALL | re.MULTILINE,
    )
    found = marks.search(text)
    if found is None:
        raise ValueError(f"no part {name}")
    return text[: found.start()] + found[1] + part + found[2] + text[found.end() :]


def texts(source: str) -> dict[str, str]:
    """Return the expected text of each file with the source address."""
    made: dict[str, str] = {}
    for file, name, write in PARTS:
        text = made.get(file) or (ROOT / file).read_text(encoding="utf-8")
        made[file] = written(text, name, write(source))
    return made


def main() -> int:
    """Write the sections.

    With ``--check``, write nothing, and return 1 if a section is outdated.
    """
    parser = argparse.ArgumentParser(prog="python -m tools.source", description=__doc__)
    parser.add_argument("--check", action="store_true", help="change nothing")
    only_asked = parser.parse_args().check
    stale = [
        (ROOT / file, text)
        for file, text in texts(project()["source"]).items()
        if (ROOT / file).read_text(encoding="utf-8") != text
    ]
    for file, text in stale:
        if not only_asked:
            file.write_text(text, encoding="utf-8")
        sys.stdout.write(f"{file.name} {'is stale: make source' if only_asked else 'written'}\n")
    return int(only_asked and bool(stale))


if __name__ == "__main__":
    sys.exit(main())
