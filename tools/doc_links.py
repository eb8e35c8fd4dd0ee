"""Check the links in the documents: ``python -m tools.doc_links``.

Only links to files and headings of this repository are checked. Web addresses are not requested.
"""

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote, urlsplit

from rich.console import Console

LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)(?:\s+\"[^\"]*\")?\)")
HEADING = re.compile(r"^#{1,6}\s+(.+?)\s*#*$", re.MULTILINE)
FENCE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)


def main() -> int:
    """Print every broken link. Return 1 if a link is broken, or else 0."""
    console = Console(stderr=True, soft_wrap=True, highlight=False)
    pages = ["git", "ls-files", "*.md"]
    listed = subprocess.run(pages, check=True, capture_output=True, text=True)  # noqa: S603 - runs git
    broken = [line for name in listed.stdout.split() for line in broken_links(Path(name))]
    for line in broken:
        console.print(line)
    return int(bool(broken))


def broken_links(page: Path) -> Iterator[str]:
    """Yield an error for each link of a page that leads to a missing file or heading."""
    text = FENCE.sub("", page.read_text())
    for address in LINK.findall(text):
        parts = urlsplit(address)
        if parts.scheme or parts.netloc:
            continue
        target = page.parent / unquote(parts.path) if parts.path else page
        if not target.exists():
            yield f"{page}: {address}: no such file"
        elif parts.fragment and parts.fragment not in anchors(target.read_text()):
            yield f"{page}: {address}: no such heading"


def anchors(text: str) -> set[str]:
    """Return the anchors of the headings of a page."""
    headings = HEADING.findall(FENCE.sub("", text))
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


if __name__ == "__main__":
    raise SystemExit(main())
