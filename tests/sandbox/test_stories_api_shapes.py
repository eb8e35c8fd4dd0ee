"""The objects of the wire, held against the API's own page."""

import json
from pathlib import Path
from typing import Any

from tests.support.sandbox import Box

PAGE = Path(__file__).parent.parent / "data" / "stories"


def _shape(value: Any) -> Any:
    """Names and types only; text that may be null counts as text."""
    if isinstance(value, dict):
        return {name: _shape(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_shape(value[0])] if value else []
    return type(value).__name__


async def test_natgeo_has_the_shape_of_the_page(box: Box) -> None:
    page = json.loads((PAGE / "user_stories.json").read_text())
    ours = await box.control.stories("natgeo")
    assert _shape(ours[0]) == _shape(page[0])
    assert list(ours[0]) == list(page[0])
    assert len(ours) == len(page)
    for name in ("pk", "id", "username", "full_name", "is_private", "is_verified"):
        assert ours[0]["user"][name] == page[0]["user"][name]
        assert ours[0]["mentions"][0]["user"][name] == page[0]["mentions"][0]["user"][name]
