"""The page of costs is what the sandbox bills today."""

from tools import costs


async def test_the_page_is_current() -> None:
    assert costs.PAGE.read_text(encoding="utf-8") == await costs.page(), (
        "python -m tools.costs writes it anew"
    )
