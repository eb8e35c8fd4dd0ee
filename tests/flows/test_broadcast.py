"""A message of the owner's to all: looked at first, sent at a pace, and stopped half-way."""

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.support.control import Json, flood, refused, wait_for
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


async def broadcast(bell: Bell, boss: int, text: str) -> Json:
    """Send a message to all; return the message that shows how far it is."""
    asked = await bell.control.say(boss, f"/broadcast {text}")

    async def question() -> Json | None:  # an earlier broadcast may come in between
        found = await bell.control.replies(boss, asked)
        return next((one for one in found if "Send" in buttons(one)), None)

    sure = await wait_for(question)
    await bell.press(boss, sure, buttons(sure)["Send"])
    return sure


async def wait_shown(bell: Bell, message: Json, text: str) -> str:
    async def is_shown() -> str | None:
        now = await shown(bell, message)
        return now if text in now else None

    return await wait_for(is_shown, within=20, what=text)


async def got(bell: Bell, chat: int, text: str) -> bool:
    return any(m.get("text") == text for m in await bell.control.replies(chat))


async def test_broadcast_has_a_preview_and_reaches_all_chats(run: tuple[Bell, int]) -> None:
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


async def test_discarded_broadcast_is_not_sent(run: tuple[Bell, int]) -> None:
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


async def test_a_chat_that_can_not_be_sent_into_now_holds_nobody_up(run: tuple[Bell, int]) -> None:
    bell, boss = run
    ann, blocks, sleeps = await people(bell, 3)
    text = "bot was blocked by the user"
    await bell.control.fault("telegram", refused(text, 403), match="sendMessage", chat_id=blocks)
    minute = int((await bell.control.call("GET", "/state"))["now"]) // 60 % 1440
    quiet = "-".join(
        f"{at // 60}:{at % 60:02}" for at in ((minute - 60) % 1440, (minute + 60) % 1440)
    )
    (page,) = await bell.ask(sleeps, "/settings")
    await bell.press(sleeps, page, buttons(page)["🌙 Quiet hours"])
    await bell.ask(sleeps, quiet)
    first = await broadcast(bell, boss, "First news")
    second = await broadcast(bell, boss, "Second news")
    ended = await wait_shown(bell, first, "Done: sent to ")
    assert "Waiting for the end of quiet hours, or for permission to write: 1" in ended
    assert "Could not be reached: 1" in ended
    ended = await wait_shown(bell, second, "Done: sent to ")
    assert "Could not be reached" not in ended
    for text in ("First news", "Second news"):
        assert await got(bell, ann, text)
        assert not await got(bell, blocks, text)
        assert not await got(bell, sleeps, text)


async def test_a_stop_takes_nothing_from_another_broadcast(run: tuple[Bell, int]) -> None:
    bell, boss = run
    (ann,) = await people(bell, 1)
    await bell.control.fault("telegram", flood(20), match="sendMessage", chat_id=ann)
    first = await broadcast(bell, boss, "I stay")
    await wait_for(lambda: got(bell, boss, "I stay"))
    second = await broadcast(bell, boss, "I am stopped")
    await wait_for(lambda: got(bell, boss, "I am stopped"))
    number = buttons(await bell.message(boss, second["message_id"]))["Stop"]
    await bell.press(boss, second, number)
    await wait_shown(bell, second, "Stopped")
    await wait_for(lambda: got(bell, ann, "I stay"), within=40)
    ended = await wait_shown(bell, first, "Done: sent to ")
    everyone = [one["id"] for one in await bell.control.call("GET", "/chats")]
    have_it = [chat for chat in everyone if await got(bell, chat, "I stay")]
    assert f"sent to {len(have_it)} chats" in ended
    assert not await got(bell, ann, "I am stopped")


async def test_without_words_it_says_how(run: tuple[Bell, int]) -> None:
    bell, boss = run
    (told,) = await bell.ask(boss, "/broadcast")
    assert "reply to a message" in told["text"]
