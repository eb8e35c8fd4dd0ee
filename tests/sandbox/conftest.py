"""Shared fixtures of the sandbox tests."""

import pytest

from tests.support.sandbox import Box
from tests.support.stories import Raw


@pytest.fixture
def api(box: Box) -> Raw:
    """Return a plain HTTP client of the sandbox's Stories API."""
    return Raw(box.session, box.urls.stories_api)
