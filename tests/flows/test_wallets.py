"""Who pays for what: nobodies by their chat, newcomers by a part that is theirs."""

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.store import acquaintances, budgets
from bot.store.engine.database import Database
from tests.support.control import wait_for
from tests.support.storybell import Bell, storybell

pytestmark = pytest.mark.jumps


async def test_an_anonymous_administrator_of_many_groups_takes_no_more_than_newcomers_may(
    tmp_path: Path,
) -> None:
    async with storybell(tmp_path, daily_budget=100) as bell:
        control = bell.control
        await control.privacy_mode(on=False)
        boss = await control.person("Boss")
        owner = {boss: "creator"}
        groups = [await control.chat("supergroup", f"G{n}", members=owner) for n in range(12)]
        for number in range(3):
            await asyncio.gather(
                *(
                    control.say(
                        group,
                        f"/stories nobody{number}of{-group}",
                        user=boss,
                        sender_chat_id=group,
                    )
                    for group in groups
                )
            )

        async def answered() -> bool:  # or marked, where it was said before
            count = 0
            for group in groups:
                shown = await control.call("GET", f"/chats/{group}/messages?from_bot=false")
                count += sum(bool(message.get("_reactions")) for message in shown)
                count += len(await control.replies(group))
            return count >= 36

        await wait_for(answered)
        assert await control.billed() <= 25  # half of 50


async def test_one_newcomer_leaves_credits_to_the_next(tmp_path: Path) -> None:
    async with storybell(tmp_path, daily_budget=100) as bell:
        control = bell.control
        for number in range(9):
            await control.profile(f"star{number}", posts_per_day=0)
        one, two = await control.person("One"), await control.person("Two")
        said = [(await bell.ask(one, f"/stories star{n}"))[0]["text"] for n in range(8)]
        assert "You've reached your limit for today" in said[-1]
        assert 0 < await control.billed() <= 5  # a fifth of the 25 credits of all newcomers
        [usage] = await bell.ask(one, "/usage")
        assert "you have 5% of the usual limit" in usage["text"]
        [answer] = await bell.ask(two, "/stories star8")
        assert "limit" not in answer["text"]
        assert await control.billed_for("star8") > 0


async def know(bell: Bell, *people: int) -> None:
    """Let the bot have seen these people on enough days."""
    url = bell.settings.database_url.get_secret_value()
    async with Database(url) as db, db.begin() as tx:
        for days in range(3):
            day = datetime.now(UTC).date() + timedelta(days=days)
            await acquaintances.count_day_seen(tx, people, day)


async def test_newcomers_share_a_part_of_the_checks_and_are_told_kindly_when_it_is_full(
    tmp_path: Path,
) -> None:
    limits = {"daily_budget": 200, "person_daily_allowance": 1000}
    async with storybell(tmp_path, **limits) as bell:
        control = bell.control
        ann = await control.person("Ann")
        await bell.ask(ann, "/help")
        await know(bell, ann)
        for number in range(7):
            await control.profile(f"star{number}", posts_per_day=0)

        async def said(person: int, number: int) -> str:
            [message] = await bell.ask(person, f"/subscribe star{number}")
            return str(message["text"])

        assert "for new users" not in await said(ann, 0)
        new = [await control.person(f"New{n}") for n in range(2)]
        answers = [await said(new[number % 2], number) for number in range(1, 6)]
        # 3 % of 100 are 3 credits a day, and a profile takes 2.4 at least.
        assert ["for new users" in text for text in answers] == [False] + [True] * 4
        assert "for new users" not in await said(ann, 6)
        assert "for new users" not in await said(new[0], 0)  # it is looked at for her anyway


@pytest.mark.slow
async def test_a_group_that_moves_between_question_and_answer_has_one_allowance(
    tmp_path: Path, db: Database, database_url: str
) -> None:
    async with storybell(tmp_path, database_url=database_url, chat_daily_allowance=2) as bell:
        control = bell.control
        await control.privacy_mode(on=False)
        ann = await control.person()
        await control.profile("moving", posts_per_day=0)
        page = "https://www.instagram.com/stories/moving"
        links = [f"{page}/{(await control.publish('moving'))['pk']}/" for _ in range(4)]
        group = await control.chat("group", members={ann: "creator"})
        await bell.ask(group, "/help", user=ann)
        await control.fault("stories", {"delay_s": 3.0}, match="/v1/story", times=None)
        await control.say(group, " ".join(links), user=ann)

        async def has_begun() -> bool:
            return len(await control.requests("stories", path="/v1/story")) > 0

        await wait_for(has_begun, what="the first call")
        group = await control.migrate(group)

        async def is_refused() -> bool:
            said = await control.replies(group)
            return any("This chat has reached its limit" in m.get("text", "") for m in said)

        await wait_for(is_refused, what="the refusal")
        assert await control.billed() == 2
        async with db.read() as tx:
            day = datetime.now(UTC).date()
            assert await budgets.read_used_allowance(tx, "chat", group, day) == 2
