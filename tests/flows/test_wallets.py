"""Who pays for what: nobodies by their chat, newcomers by a part that is theirs."""

import asyncio
from pathlib import Path

from tests.support.control import wait_for
from tests.support.storybell import storybell


async def test_an_anonymous_administrator_of_many_groups_takes_no_more_than_newcomers_may(
    tmp_path: Path,
) -> None:
    async with storybell(tmp_path, daily_budget=1000, newcomer_share=0.05) as bell:
        control = bell.control
        await control.privacy_mode(on=False)
        boss = await control.person("Boss")
        owner = [{"user_id": boss, "status": "creator"}]
        groups = [await control.chat("supergroup", f"G{n}", members=owner) for n in range(12)]
        for number in range(5):
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

        async def answered() -> bool:
            replies = [m for group in groups for m in await control.replies(group)]
            return len(replies) >= 60

        await wait_for(answered, 20)
        assert await control.billed() <= 25  # a twentieth of 500


async def test_in_a_group_one_person_takes_half_of_its_day_at_most(tmp_path: Path) -> None:
    limits = {"chat_daily_allowance": 8, "person_burst": 100}
    async with storybell(tmp_path, **limits) as bell:
        control = bell.control
        await control.privacy_mode(on=False)
        greedy, other = await control.person("Greedy"), await control.person("Ann")
        members = [{"user_id": user, "status": "member"} for user in (greedy, other)]
        group = await control.chat("supergroup", "G", members=members)
        for number in range(6):
            await bell.ask(group, f"/stories nobody{number}", user=greedy)
        assert 0 < await control.billed() <= 4
        before = await control.billed()
        await bell.ask(group, "/stories nobody9", user=other)
        assert await control.billed() > before
