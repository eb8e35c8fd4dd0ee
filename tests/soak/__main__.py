"""`python -m tests.soak --seeds 20`: seeds side by side, and one line that says how it went."""

import threading  # noqa: F401 - it takes the real clock, and must do so first

from sandbox import jumping

jumping.install()  # before anybody takes a clock of the `time` module

from tests.soak.command import main  # noqa: E402 - see above

if __name__ == "__main__":
    raise SystemExit(main())
