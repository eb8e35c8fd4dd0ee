"""What is said while packages are installed."""

from pathlib import Path

from tools.install import Progress, count

ROOT = Path(__file__).parents[2]
PIP = """Collecting aiohttp==3.14.3 (from -r requirements-demo.txt (line 1))
  Downloading aiohttp-3.14.3-cp311-manylinux.whl (1.7 MB)
Requirement already satisfied: rich==14.2.0 in ./.venv/lib
Some other line
Installing collected packages: aiohttp
"""


def test_each_package_is_counted_and_its_size_told() -> None:
    progress = Progress(2, over=False)
    said = [told for line in PIP.splitlines() if (told := progress.hear(line))]
    assert said == [
        "  1 of 2: aiohttp\n",
        "  1 of 2: aiohttp, 1.7 MB\n",
        "  2 of 2: rich\n",
        "  putting them in place …\n",
    ]


def test_the_locks_are_counted() -> None:
    lock = "a==1 \\\n    --hash=sha256:1\nb[c]==2 ; python_version < '4' \\\n    --hash=sha256:2\n"
    assert count(lock) == 2
    assert count((ROOT / "requirements-demo.txt").read_text()) > 20
