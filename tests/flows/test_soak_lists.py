"""The judges of summaries and lists in the soak find each planted mistake, and nothing else."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from tests.flows.test_soak_undone import Recorded
from tests.flows.test_summaries import SETTINGS, summary_at_its_hour
from tests.soak import answers, summaries
from tests.soak.lists import Lists
from tests.soak.people import Place
from tests.soak.plants import planted
from tests.soak.promises import Ways
from tests.soak.rates import Rates
from tests.support.control import wait_for
from tests.support.storybell import Bell, storybell

pytestmark = pytest.mark.jumps

RATES = Rates(terms_s=1)
POSTS = {"first.one": 2, "second.one": 1, "third.one": 1, "fourth.one": 1}
FOLLOWED, OTHERS = ("star00", "star01", "star02"), ("star03", "star04", "star05")


class Chat(Recorded):
    """A private chat of a person who uses lists, whose events are recorded as in the soak."""

    def __init__(self, bell: Bell, person: int, folder: Path) -> None:
        super().__init__(bell, Place(person, "private", person, [person]), folder, RATES)
        self.person = person
        self.people.places.append(self.place)
        self.people.names += [*FOLLOWED, *OTHERS]
        self.lists = Lists(self.people, bell.control, self.journal, 1, RATES)

    def violated(self) -> list[str]:
        """Return the names of the violated checks of summaries and answers."""
        self.read()
        ways = Ways(self.journal)
        found = [*summaries.check_summaries(ways), *answers.check_answers(ways)]
        return sorted({words.partition(":")[0] for words in found})


@pytest.mark.slow
@pytest.mark.parametrize(
    ("plant", "violated"),
    [
        ("", []),
        ("split-summaries", ["summaries_were_one"]),
        ("missing-summaries", ["summaries_were_listed"]),
        ("noisy-summaries", ["summaries_counted_right", "summaries_were_listed"]),
        ("miscounted-summaries", ["summaries_counted_right"]),
    ],
)
async def test_a_summary_is_judged(tmp_path: Path, plant: str, violated: list[str]) -> None:
    async with AsyncExitStack() as stack:
        stack.enter_context(planted(plant))
        bell = await stack.enter_async_context(storybell(tmp_path, **SETTINGS))
        ann, posted = await summary_at_its_hour(bell, POSTS)
        chat = Chat(bell, ann, tmp_path)
        chat.read()
        for entries in chat.journal.terms.values():
            entries[0] = (0.0, entries[0][1])
        assert set(chat.journal.stories) >= set(posted)
        assert chat.violated() == violated


async def _kept(chat: Chat) -> None:
    """Let the chat follow profiles, keep their stories, and get an alert of each kind."""
    control, bell = chat.bell.control, chat.bell
    for name in (*FOLLOWED, *OTHERS):
        await control.profile(name, posts_per_day=0)
    (page,) = await bell.ask(chat.person, "/settings")
    await bell.press(chat.person, page, "defaults:keep:on")
    for name in FOLLOWED:
        await bell.ask(chat.person, f"/subscribe {name}")
    chat.read()
    pks = set()
    for name in FOLLOWED:
        for tags in (["sale"], [], ["sale"]):
            pks.add(str((await control.publish(name, hashtags=tags))["pk"]))
            await asyncio.sleep(2)

    async def are_there() -> bool:
        return pks <= set(await control.shown(chat.person))

    await wait_for(are_there, 3600, "the alerts")
    await asyncio.sleep(600)
    chat.read()
    await asyncio.sleep(600)
    chat.read()


async def _search(chat: Chat) -> None:
    chat.lists._chance = random.Random(3)  # noqa: S311, SLF001 - repeatable
    for _ in range(8):
        await chat.lists.search(chat.place)
        await asyncio.sleep(300)


async def _open_tray(chat: Chat) -> None:
    await chat.lists.open_tray(chat.place)


async def _bring_file(chat: Chat) -> None:
    for _ in range(6):
        await chat.lists.bring_file(chat.place)
        await asyncio.sleep(300)


async def _bring_followed(chat: Chat) -> None:
    for _ in range(4):
        await chat.lists.bring_followed(chat.place)
        await asyncio.sleep(300)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("plant", "deed", "violated"),
    [
        ("", _search, []),
        ("loose-searches", _search, ["past_found_what_was_kept"]),
        ("forgotten-stories", _search, ["past_found_what_was_kept"]),
        ("", _open_tray, []),
        ("short-trays", _open_tray, ["tray_sent_the_live_stories"]),
        ("", _bring_file, []),
        ("plain-imports", _bring_file, ["imports_brought_the_file"]),
        ("", _bring_followed, []),
        (
            "misplaced-taps",
            _bring_followed,
            ["imports_brought_the_file", "only_tapped_accounts_were_looked_up"],
        ),
        ("eager-lists", _bring_followed, ["only_tapped_accounts_were_looked_up"]),
    ],
)
async def test_a_list_is_judged(
    tmp_path: Path,
    plant: str,
    deed: Callable[[Chat], Awaitable[None]],
    violated: list[str],
) -> None:
    settings = {"poll_floor_s": 300, "daily_budget": 10_000, "person_daily_allowance": 10_000}
    async with AsyncExitStack() as stack:
        stack.enter_context(planted(plant))
        bell = await stack.enter_async_context(storybell(tmp_path, **settings))
        chat = Chat(bell, await bell.control.person(), tmp_path)
        await _kept(chat)
        await deed(chat)
        await asyncio.sleep(60)
        assert chat.violated() == violated
