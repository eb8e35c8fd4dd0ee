"""Nothing is paid for twice: 50 people ask the same by all ways, and it costs its price."""

import asyncio
import random
from pathlib import Path

import pytest

from handlers.rights import COMMANDS
from tests.support.storybell import Bell, storybell

pytestmark = pytest.mark.jumps

PLENTY = {
    "person_daily_allowance": 1_000_000,
    "cache_s": 3600,
}
PAGE = "https://www.instagram.com"


@pytest.mark.slow
async def test_a_day_of_50_people_who_repeat_themselves_costs_each_question_once(
    tmp_path: Path,
) -> None:
    async with storybell(tmp_path, **PLENTY) as bell:
        control = bell.control
        await control.profile("hidden", is_private=True)
        await control.profile("open.one")
        story = await control.publish("open.one")
        kept = await control.keep("open.one", title="Sea", count=1)
        for name in ("no.such.one", "no.such.two"):
            assert await control.billed_for(name) == 0
        asked = [
            *(f"/{command} {name}" for command in ("stories", "subscribe", "highlights")
              for name in ("no.such.one", "hidden")),
            "/subscribe no.such.one no.such.two",
            "/subscribe hidden no.such.two",
            "/stories open.one",
            "/highlights open.one",
            f"{PAGE}/stories/open.one/{story['pk']}/",
            f"{PAGE}/stories/highlights/{kept['pk']}/",
            f"{PAGE}/stories/natgeo/5/",
            f"{PAGE}/stories/highlights/5/",
        ]  # fmt: skip
        chance = random.Random(31)  # noqa: S311 - repeatable, not secret
        people = [await control.person(f"P{n}") for n in range(50)]
        await asyncio.gather(*(walk(bell, one, chance.sample(asked, 5)) for one in people))
        for question in asked:  # each was asked
            await bell.ask(people[0], question)
        prices = {"no.such.one": 2, "no.such.two": 2, "hidden": 1}
        assert {name: await control.billed_for(name) for name in prices} == prices
        # The name, the list of its stories, which has the one of the link, and that of highlights.
        calls = await control.requests("stories")
        rest = [
            one for one in calls if one["billed"] and not {*prices} & {*one["params"].values()}
        ]
        assert sum(one["billed"] for one in rest) <= 1 + 2 + 1 + 2 + 1 + 1 + 1, rest


async def walk(bell: Bell, person: int, questions: list[str]) -> None:
    for question in questions:
        await bell.ask(person, question)


async def test_each_command_asks_once_about_private_and_never_about_blocked_profiles(
    tmp_path: Path,
) -> None:
    with_name = [word for word, command in COMMANDS.items() if command.accepts_name]
    assert len(with_name) > 5
    blocked = {f"blocked.{word}": word for word in with_name}
    async with storybell(tmp_path, **PLENTY, blocked_profiles=[*blocked]) as bell:
        control = bell.control

        async def run(word: str) -> None:
            person = await control.person()
            await control.profile(f"blocked.{word}")
            await control.profile(f"hidden.{word}", is_private=True)
            for name in (f"blocked.{word}", f"hidden.{word}"):
                for _ in range(2):
                    await bell.ask(person, f"/{word} {name}")

        await asyncio.gather(*map(run, with_name))
        for name, word in blocked.items():
            assert await control.billed_for(name) == 0, f"/{word} pays for a blocked profile"
            price = await control.billed_for(f"hidden.{word}")
            assert price <= 1, f"/{word} pays {price} credits for a private profile"


async def test_evidence_of_a_living_account_ends_the_cached_refusal(tmp_path: Path) -> None:
    async with storybell(tmp_path, **PLENTY) as bell:
        control, ann = bell.control, await bell.control.person()
        await control.profile("comes.back")
        story = await control.publish("comes.back")
        await control.change_profile("comes.back", trouble="UserNotFound", trouble_times=2)
        for _ in range(2):
            (said,) = await bell.ask(ann, "/stories comes.back")
            assert "can't find" in said["text"]
        assert await control.billed_for("comes.back") == 2
        (shown,) = await bell.ask(ann, f"{PAGE}/stories/comes.back/{story['pk']}/")
        assert shown.get("_story_pk") == story["pk"]
        await asyncio.sleep(0.2)  # what was answered is kept a moment later
        (shown,) = await bell.ask(ann, "/stories comes.back")
        assert shown.get("_story_pk") == story["pk"]


@pytest.mark.parametrize("trouble", ["a page that is hidden", "a name that is refused"])
async def test_refused_lookup_of_a_name_is_paid_once_by_all_commands(
    tmp_path: Path, trouble: str
) -> None:
    async with storybell(tmp_path, **PLENTY) as bell:
        control, ann, bob = bell.control, await bell.control.person(), await bell.control.person()
        await control.profile("behind.it")
        if trouble == "a page that is hidden":
            await control.change_profile("behind.it", trouble="PrivateAccount")
            price, sentence = 2, "is a private account"
        else:
            refused = {"status": 422, "body": {"detail": "no", "exc_type": "Odd"}}
            await control.fault("stories", refused, match="by/username", times=None)
            price, sentence = 1, "I couldn't open"
        for _ in range(2):
            for way in ("/subscribe", "/stories", "/highlights"):
                for person in (ann, bob):
                    (said,) = await bell.ask(person, f"{way} behind.it")
                    assert sentence in said["text"]
        assert await control.billed_for("behind.it") == price


async def test_one_refusal_of_a_page_that_passes_refuses_nobody(tmp_path: Path) -> None:
    async with storybell(tmp_path, **PLENTY) as bell:
        control, ann = bell.control, await bell.control.person()
        await control.profile("flaky.page")
        await control.change_profile("flaky.page", trouble="PrivateAccount", trouble_times=1)
        (said,) = await bell.ask(ann, "/subscribe flaky.page")
        assert "every new story from flaky.page" in said["text"]


async def test_one_404_that_passes_refuses_nobody(tmp_path: Path) -> None:
    async with storybell(tmp_path, **PLENTY) as bell:
        control, ann = bell.control, await bell.control.person()
        await control.profile("flaky.one")
        story = await control.publish("flaky.one")
        await bell.ask(ann, "/stories flaky.one")
        await control.change_profile("flaky.one", trouble="UserNotFound", trouble_times=1)
        (said,) = await bell.ask(ann, "/highlights flaky.one")
        assert "can't find" not in said["text"]
        (shown,) = await bell.ask(ann, f"{PAGE}/stories/flaky.one/{story['pk']}/")
        assert shown.get("_story_pk") == story["pk"]
