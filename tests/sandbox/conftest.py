"""What the sandbox's own tests share."""

from collections.abc import AsyncIterator

import pytest

from tests.support.sandbox import Box, sandbox_box


@pytest.fixture
async def sandbox() -> AsyncIterator[Box]:
    """Run a sandbox of one's own on free ports."""
    async with sandbox_box() as running:
        yield running
