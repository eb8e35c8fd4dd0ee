"""Bad days of Telegram: what is owed goes out afterwards, in order, and nothing twice in vain."""

from collections import Counter
from pathlib import Path

from tests.support.control import Control, wait_for
from tests.support.storybell import storybell

DOWN = {"status": 502, "body": "<html>Bad Gateway</html>"}
PLENTY = {"daily_budget": 1_000_000, "person_burst": 1000, "person_daily_allowance": 1000}


async def shown(control: Control, chat: int) -> list[str]:
    """Return the stories in a chat, in order."""
    return [m["_story_pk"] for m in await control.replies(chat) if "_story_pk" in m]


async def sends(control: Control) -> int:
    """Count the calls that would have put an alert into a chat."""
    calls = await control.requests("telegram", path="/sendPhoto")
    return len(calls) + len(await control.requests("telegram", path="/sendMediaGroup"))


async def followers(control: Control, count: int, name: str) -> list[int]:
    """Let so many people follow a new profile."""
    await control.profile(name, posts_per_day=0)
    people = [await control.person(f"P{number}") for number in range(count)]
    for person in people:
        message = await control.say(person, f"/subscribe {name}")
        await control.wait_replies(person, 1, after=message)
    return people


async def test_alerts_wait_while_telegram_is_down_and_all_arrive_after(tmp_path: Path) -> None:
    async with storybell(tmp_path, **PLENTY) as bell:
        control = bell.control
        people = await followers(control, 6, "patient")
        await control.fault(
            "telegram", {**DOWN, "effect": True}, match="send", times=None, every=2
        )
        await control.fault("telegram", DOWN, match="send", times=None)
        await control.fault("telegram", DOWN, match="getMe", times=None)
        first = str((await control.publish("patient"))["pk"])
        before = await sends(control)

        async def tried() -> bool:
            return await sends(control) > before

        await wait_for(tried, what="a send in vain")
        second = str((await control.publish("patient"))["pk"])
        lost = sum([len(await shown(control, chat)) for chat in people])
        await control.clear_faults()

        async def all_there() -> bool:
            return all([set(await shown(control, p)) == {first, second} for p in people])

        await wait_for(all_there, 20, "the alerts")
        repeats = 0
        for person in people:
            pks = await shown(control, person)
            assert list(dict.fromkeys(pks)) == [first, second]
            repeats += sum(count - 1 for count in Counter(pks).values())
        assert repeats <= (await control.state())["lost"]
        assert lost <= len(people)


async def test_sends_that_fail_in_many_chats_stop_all_and_getme_alone_starts_nothing(
    tmp_path: Path,
) -> None:
    async with storybell(tmp_path, **PLENTY) as bell:
        control = bell.control
        people = await followers(control, 20, "halted")
        before = await sends(control)
        await control.fault("telegram", DOWN, match="sendPhoto", times=None)
        pk = str((await control.publish("halted"))["pk"])

        async def stopped() -> bool:
            return await sends(control) - before >= len(people)

        await wait_for(stopped, what="the sends of the first moment")
        tries = await sends(control) - before
        assert tries <= len(people) + 2
        await control.clear_faults()

        async def all_there() -> bool:
            return all([await shown(control, p) == [pk] for p in people])

        await wait_for(all_there, 20, "the alerts")
