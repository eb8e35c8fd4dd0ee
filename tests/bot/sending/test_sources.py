"""Where a story's media come from, by what hosts and the API say of them."""

from dataclasses import replace

from bot.domain.errors import MediaTooBigError, MediaUnavailableError, PastedLimitError
from bot.domain.model import Asker, Profile, Story
from bot.media.spool import MediaFile
from bot.sending.file_ids import Files
from bot.sending.items import Item
from bot.sending.sources import Supply
from bot.store.engine.database import Database
from tests.support.followed import NOON, story


class SickHost:
    """A host that answers nobody."""

    def slow_since(self, url: str) -> None:
        """Say that no host is slow."""

    def may_fetch(self, url: str) -> bool:
        return bool(url)

    async def raise_if_spool_is_unwritable(self) -> None:
        """Say that files can be stored."""

    async def fetch(self, url: str, *, max_bytes: int) -> MediaFile:
        raise MediaUnavailableError(f"{url}, {max_bytes}")


async def too_big(_story: Story, _asker: Asker) -> MediaFile:
    raise MediaTooBigError


async def test_what_is_too_large_is_not_bought_again_when_its_host_fails(db: Database) -> None:
    files = Files(db, bot_id=lambda: 1, now=lambda: NOON)
    supply = Supply(files, SickHost(), fallback=too_big, now=lambda: NOON)  # type: ignore[arg-type] # it stands for the host
    item = Item(story("1"), tried=1)
    await supply.set_or_buy_next_source_or_fail(item, Asker(None))
    assert item.failed == MediaTooBigError.text
    assert not item.later


async def test_who_has_pasted_too_much_is_told_so_and_nobody_else_is(db: Database) -> None:
    async def limited(_story: Story, asker: Asker) -> MediaFile:
        if asker.user_id == 1:
            raise PastedLimitError
        raise MediaTooBigError

    files = Files(db, bot_id=lambda: 1, now=lambda: NOON)
    supply = Supply(files, SickHost(), fallback=limited, now=lambda: NOON)  # type: ignore[arg-type] # it stands for the host
    pasted = replace(story("file-1"), profile=Profile("", ""))
    for user, text in ((1, PastedLimitError.text), (2, MediaTooBigError.text)):
        item = Item(pasted, tried=1)
        await supply.set_or_buy_next_source_or_fail(item, Asker(5, user))
        assert item.failed == text
    item = Item(pasted, tried=1)  # Telegram has refused the URL
    assert not await supply.set_next_free_source(item, Asker(5, 1))
    assert item.reason == PastedLimitError.text
