"""The texts that Telegram shows for the bot are loaded only after a change."""

from collections.abc import Mapping
from datetime import UTC, datetime

from bot.operations.menu import BotText, Menu
from bot.store.engine.database import Database

NOW = datetime(2026, 4, 20, 12, 0, tzinfo=UTC)


async def test_published_texts_are_not_loaded_until_their_sources_change(db: Database) -> None:
    published: list[str] = []
    loads = 0

    def load() -> Mapping[str, BotText]:
        nonlocal loads
        loads += 1
        return {name: text_of(name) for name in ("menu", "about")}

    def text_of(name: str) -> BotText:
        async def publish() -> None:
            published.append(name)

        return BotText(name, publish)

    async def publish_all(sources: str) -> int:
        """Return how often a process loads the texts until all of them are published."""
        before = loads
        menu = Menu(db, load, lambda: sources, now=lambda: NOW)
        while await menu.publish_next_changed_text() is not None:
            pass
        return loads - before

    assert await publish_all("first") == 3
    assert published == ["menu", "about"]
    assert await publish_all("first") == 0
    assert await publish_all("second") == 1
    assert await publish_all("second") == 0
    assert published == ["menu", "about"]
