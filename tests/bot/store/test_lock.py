"""One process alone has an SQLite file; nothing else is locked."""

from datetime import timedelta
from pathlib import Path

import pytest

from bot.domain.errors import DatabaseUnavailableError
from bot.store.engine.lock import only_process

AT_ONCE = timedelta(0)


async def test_one_process_alone_has_a_file(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/deep/bot.db"
    async with only_process(url, wait=AT_ONCE):
        with pytest.raises(DatabaseUnavailableError, match="another process"):
            async with only_process(url, wait=timedelta(seconds=0.3)):
                pass
    async with (
        only_process(url, wait=AT_ONCE),
        only_process("sqlite:///:memory:", wait=AT_ONCE),
        only_process("postgresql://nobody@x/y", wait=AT_ONCE),
    ):
        pass
