"""One process alone has an SQLite file; nothing else is locked."""

from datetime import timedelta
from pathlib import Path

import pytest

from bot.domain.errors import DatabaseUnavailableError
from bot.store.engine.lock import alone

AT_ONCE = timedelta(0)


async def test_one_process_alone_has_a_file(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/deep/bot.db"
    async with alone(url, wait=AT_ONCE):
        with pytest.raises(DatabaseUnavailableError, match="another process"):
            async with alone(url, wait=timedelta(seconds=0.3)):
                pass
    async with (
        alone(url, wait=AT_ONCE),
        alone("sqlite:///:memory:", wait=AT_ONCE),
        alone("postgresql://nobody@x/y", wait=AT_ONCE),
    ):
        pass
