"""The server under test."""

from collections.abc import AsyncIterator

import pytest

from tests.sandbox.telegram.harness import Api, served


@pytest.fixture
async def api() -> AsyncIterator[Api]:
    """Run a fresh Bot API server."""
    async with served() as api:
        yield api
