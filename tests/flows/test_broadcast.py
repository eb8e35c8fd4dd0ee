"""A message of the owner's to all: looked at first, sent at a pace, and stopped half-way."""

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.support.control import Json, wait_for
from tests.support.sandbox import sandbox_box
from tests.support.storybell import Bell, buttons, running_bell

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.jumps]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def run(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[tuple[Bell, int]]:
    """Run a bot with an owner."""
    async with sandbox_box() as box:
        boss = await box.control.person("Boss")
        folder = tmp_path_factory.mktemp("broadcast")
        async with running_bell(folder, box, admin_ids=str(boss)) as bell:
            yield bell, boss


async def people(bell: Bell, count: int) -> list[int]:
    found = [await bell.control.person() for _ in range(count)]
    await asyncio.gather(*(bell.ask(person, "/help") for person in found))
    return found


async def shown(bell: Bell, message: Json) -> str:
    return str((await bell.message(message["chat"]["id"], message["message_id"]))["text"])


async def got(bell: Bell, chat: int, text: str) -> bool:
    return any(m.get("text") == text for m in await bell.control.replies(chat))


async def test_it_is_looked_at_first_and_goes_to_all(run: tuple[Bell, int]) -> None:
    bell, boss = run
    some = await people(bell, 3)
    gone = (await people(bell, 1))[0]
    await bell.ask(boss, f"/block {gone}")
    preview, sure = await bell.ask(boss, "/broadcast Hello <all> of you", count=2)
    assert preview["text"] == "Hello <all> of you"
    assert "to 4 chats" in sure["text"]
    for person in some:
        assert not await got(bell, person, "Hello <all> of you")
    await bell.press(boss, sure, buttons(sure)["Send"])

    async def all_have_it() -> bool:
        return all([await got(bell, person, "Hello <all> of you") for person in some])

    await wait_for(all_have_it)

    async def is_done() -> bool:
        return "Done: sent to 4 chats" in await shown(bell, sure)

    await wait_for(is_done, what="the last progress")
    assert not await got(bell, gone, "Hello <all> of you")
    again = await bell.press(boss, sure, f"cast:send:{buttons(sure)['Send'].rpartition(':')[2]}")
    assert again["text"] == "This has already been decided."


async def test_what_is_not_sent_is_not_sent(run: tuple[Bell, int]) -> None:
    bell, boss = run
    _, sure = await bell.ask(boss, "/broadcast Never mind", count=2)
    await bell.press(boss, sure, buttons(sure)["Don't send"])
    assert await shown(bell, sure) == "Nothing was sent."
    pressed = await bell.press(boss, sure, buttons(sure)["Send"])
    assert pressed["text"] == "This has already been decided."


async def test_a_stop_keeps_the_rest_from_it(run: tuple[Bell, int]) -> None:
    bell, boss = run
    some = await people(bell, 40)  # four seconds at least
    _, sure = await bell.ask(boss, "/broadcast Stop me", count=2)
    number = buttons(sure)["Send"].rpartition(":")[2]
    await bell.press(boss, sure, f"cast:send:{number}")
    await bell.press(boss, sure, f"cast:stop:{number}")

    async def is_stopped() -> bool:
        return "Stopped" in await shown(bell, sure)

    await wait_for(is_stopped, what="the end of the progress")
    reached = [await got(bell, person, "Stop me") for person in some]
    assert not all(reached)


async def test_without_words_it_says_how(run: tuple[Bell, int]) -> None:
    bell, boss = run
    (told,) = await bell.ask(boss, "/broadcast")
    assert "reply to a message" in told["text"]
