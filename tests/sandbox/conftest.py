"""What the sandbox's own tests share."""

from collections.abc import AsyncIterator

import pytest

from tests.support.sandbox import Box, sandbox_box
from tests.support.stories import Raw


@pytest.fixture
async def sandbox() -> AsyncIterator[Box]:
    """Run a sandbox of one's own on free ports."""
    async with sandbox_box() as running:
        yield running


@pytest.fixture
def api(sandbox: Box) -> Raw:
    """Call the sandbox's Stories API bare."""
    return Raw(sandbox.session, sandbox.urls.stories_api)
