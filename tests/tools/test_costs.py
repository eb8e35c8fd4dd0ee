"""The page of costs is what the sandbox bills today."""

import pytest

from tools import costs


@pytest.mark.jumps
async def test_the_page_is_current() -> None:
    assert costs.PAGE.read_text(encoding="utf-8") == await costs.page(), (
        "python -m tools.costs writes it anew"
    )
