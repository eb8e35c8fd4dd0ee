"""Every word that a column keeps fits into it: SQLite does not mind, PostgreSQL refuses."""

from typing import Any, get_args

import pytest
import sqlalchemy as sa

from bot.domain.records import Chat, FileKind, State
from bot.presentation.notices import SENTENCES
from bot.store.engine.database import all_tables

WORDS = {
    ("files", "kind"): get_args(FileKind),
    ("profiles", "state"): get_args(State),
    ("profiles", "refusal"): get_args(State),
    ("chats", "state"): get_args(Chat.__annotations__["state"]),
    ("chats", "kind"): ("private", "group", "supergroup", "channel"),
    ("deliveries", "notice"): ("failed", *SENTENCES),
}


@pytest.mark.parametrize("where", WORDS, ids=".".join)
def test_the_longest_word_fits(where: tuple[str, str]) -> None:
    table, column = where
    kept: Any = all_tables().tables[table].c[column].type
    assert isinstance(kept, sa.String)
    assert kept.length is not None
    assert max(len(word) for word in WORDS[where]) <= kept.length
