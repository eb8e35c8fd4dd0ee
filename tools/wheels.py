"""Check that each locked package has a wheel for both machine types: ``make wheels``.

A package without a wheel must be built during the installation. A small image cannot build
packages.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

UV = str(Path(sys.executable).with_name("uv"))
LOCKS = ("requirements/run.txt", "requirements/demo.txt")
MACHINES = {"amd64": "x86_64-manylinux_2_28", "arm64": "aarch64-manylinux_2_28"}
PYTHONS = ("3.11", "3.12", "3.13", "3.14")


def problem(lock: str, machine: str, python: str) -> str:
    """Return the error about a lock file on a machine type and a Python, or an empty string."""
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(  # noqa: S603 - uv with fixed arguments
            [
                UV, "pip", "install", "--dry-run", "--quiet", "--no-deps", "--require-hashes",
                "--only-binary", ":all:", "--python-platform", MACHINES[machine],
                "--python-version", python, "--target", folder, "--requirement", lock,
            ],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
    return done.stderr.strip() or "uv failed" if done.returncode else ""


def main() -> int:
    """Print the missing wheels. Return 1 if a wheel is missing, or else 0."""
    is_missing = False
    for lock in LOCKS:
        for machine in MACHINES:
            for python in PYTHONS:
                found = problem(lock, machine, python)
                is_missing |= bool(found)
                sys.stdout.write(f"{lock} {machine} {python}: {found or 'all are there'}\n")
    return int(is_missing)


if __name__ == "__main__":
    sys.exit(main())
