"""`python -m tests.soak --seeds 20`: run seeds in parallel, and print a summary."""

import threading  # noqa: F401 - imports the real clock, so it must come first

from sandbox import jumping

jumping.install()  # before any module imports a function of `time`

from tests.soak.command import main  # noqa: E402 - see above

if __name__ == "__main__":
    raise SystemExit(main())
