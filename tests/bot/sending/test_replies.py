"""Answers that fail before they leave say why, so that they are not taken for lost."""

from typing import Any, cast

import pytest

from bot.domain.errors import DatabaseUnavailableError
from bot.domain.model import Asker, Outcome, Target
from bot.sending.replies import Replies, album_payload
from bot.sending.sender import Sender
from bot.store.engine.database import Database
from tests.support.telegram import bench


class Away:
    """A sender whose database is away."""

    async def send_album_and_buy_missing_files(self, *_: object, **__: object) -> Outcome:
        raise DatabaseUnavailableError("away")


async def test_a_database_that_fails_before_an_album_leaves_is_said_to_be_it(
    sqlite_db: Database, tmp_path: Any
) -> None:
    async with bench(sqlite_db, tmp_path) as ours:
        replies = Replies(ours.bot, cast("Sender", Away()))
        album = album_payload(await ours.album(1), caption=None, asker=Asker(1))
        with pytest.raises(DatabaseUnavailableError):
            await replies.send(Target(1), album)
