"""``@bot natgeo`` in any chat: what is held is shown, nothing is paid, nobody else is told."""

import asyncio
import random
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
import pytest_asyncio
import sqlalchemy as sa

from bot.domain.model import Story
from bot.domain.records import KnownFile
from bot.presentation.translation import translator_for
from bot.store import profiles
from bot.store.acquaintances import acquaintances
from bot.store.engine.database import Database
from bot.store.inbox import inbox
from handlers.inline import HOW, cache_seconds
from tests.flows.test_links import link
from tests.flows.test_stories import in_a_row
from tests.support.control import Control, Json, refused
from tests.support.followed import NOON, story
from tests.support.killing import free_port
from tests.support.sandbox import sandbox_box
from tests.support.storybell import Bell, buttons, running_bell, storybell

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.jumps]

NEW = " " * 99  # makes it a question that Telegram has not cached
EMPTY = {"results": [], "is_personal": True, "cache_time": 30, "next_offset": ""}


async def shown(bell: Bell, name: str, count: int = 1) -> list[Json]:
    """Let the bot show so many photos of a new profile to somebody; newest last."""
    await bell.control.profile(name)
    posted = await in_a_row(bell.control, name, count)
    ann = await bell.control.person()
    await bell.ask(ann, f"/stories {name}", count=count)
    await bell.control.held(ann, name, count)
    return posted


def button_of(answer: Json) -> str:
    """Return where the button above the results leads; empty where there is none."""
    return str(answer.get("button", {}).get("start_parameter", ""))


async def test_inline_query_shows_cached_stories_newest_first_for_free(
    bell: Bell, control: Control
) -> None:
    posted = await shown(bell, "in.lined", 3)
    eve = await control.person()
    billed = await control.billed_for("in.lined")
    answer = await control.typed(eve, "@In.Lined")
    assert [one["id"] for one in answer["results"]] == [one["pk"] for one in reversed(posted)]
    assert answer["is_personal"]
    assert answer["cache_time"] == 30
    assert button_of(answer) == ""
    first = answer["results"][0]
    assert first["type"] == "photo"
    assert first["_caption"].startswith("in.lined\n🕒")
    assert buttons(first) == {"Open on Instagram": link("in.lined", {"pk": first["id"]})}
    assert await control.billed_for("in.lined") == billed


async def test_videos_and_silent_ones_are_shown_as_what_they_were_sent_as(
    bell: Bell, control: Control
) -> None:
    ann = await control.person()
    await control.profile("moving")
    for of in (await control.publish("moving", 2), await control.publish("moving", 2)):
        await bell.ask(ann, link("moving", of))
    found = await control.held(ann, "moving", 2)
    assert {one["type"] for one in found} <= {"video", "mpeg4_gif"}
    assert all(one["title"].startswith("moving · ") for one in found)


async def test_nothing_typed_shows_what_the_person_follows_and_a_beginning_some_of_it(
    bell: Bell, control: Control
) -> None:
    await shown(bell, "star.one", 2)
    await shown(bell, "star.two")
    bob = await control.person("Bob")
    nothing = await control.typed(bob, "")
    assert {key: nothing[key] for key in EMPTY} == EMPTY
    assert button_of(nothing) == "help--see"
    for name in ("star.one", "star.two"):
        await bell.ask(bob, f"/subscribe {name}")
    assert len(await control.held(bob, "", 3)) == 3
    assert len((await control.typed(bob, "star."))["results"]) == 3
    assert len((await control.typed(bob, "star.o"))["results"]) == 2
    eve = await control.person("Eve")
    assert (await control.typed(eve, "star.o"))["results"] == []  # nobody's own, and no name


async def test_a_name_without_anything_held_leads_to_the_card_and_costs_nothing(
    bell: Bell, control: Control
) -> None:
    ann = await control.person()
    answer = await control.typed(ann, "nat.geo_x")
    assert answer["results"] == []
    assert answer["button"]["text"] == "All stories from nat.geo_x"
    (card,) = await bell.ask(ann, f"/start {button_of(answer)}")
    assert "run:stories:nat.geo_x" in buttons(card).values()
    assert await control.billed_for("nat.geo_x") == 0


@pytest.mark.parametrize("payload", ["stories_nat_geo", "stories--nat_geo"])
async def test_a_link_to_stories_that_anybody_can_make_opens_the_card_and_never_pays(
    bell: Bell, control: Control, payload: str
) -> None:
    ann = await control.person()
    (card,) = await bell.ask(ann, f"/start {payload}")
    assert card["text"].startswith("Do you want to see the stories from nat_geo now")
    assert "run:stories:nat_geo" in buttons(card).values()
    assert await control.billed_for("nat_geo") == 0


NONSENSE = ("a b", "🙂", "what is this", "instagram.com/p/abc", "https://evil.example/natgeo")


@pytest.mark.parametrize("text", [*NONSENSE, "שלום", "x" * 256])
async def test_nonsense_gets_an_empty_list_and_how_it_works(
    bell: Bell, control: Control, text: str
) -> None:
    ann = await control.person()
    answer = await control.typed(ann, text)
    assert {key: answer[key] for key in EMPTY} == EMPTY
    assert answer["button"]["text"] == "How it works"
    (page,) = await bell.ask(ann, f"/start {button_of(answer)}")
    assert page["text"].startswith("See stories\n")
    name = (await control.call("GET", "/bots"))[0]["username"]
    assert f"@{name} natgeo" in page["text"]


async def test_links_work_as_they_do_when_pasted(bell: Bell, control: Control) -> None:
    one, two = await shown(bell, "linked", 2)
    ann = await control.person()
    found = await control.typed(ann, f"look {link('linked', one)}?igsh=x")
    assert [each["id"] for each in found["results"]] == [one["pk"]]
    page = await control.typed(ann, "https://www.instagram.com/linked/")
    assert [each["id"] for each in page["results"]] == [two["pk"], one["pk"]]
    gone = await control.typed(ann, link("linked", {"pk": "3770000000000000000"}))
    assert (gone["results"], button_of(gone)) == ([], "card--linked")


async def test_a_profile_is_found_by_the_name_that_it_has_now(
    bell: Bell, control: Control
) -> None:
    (story,) = await shown(bell, "named.once")
    await control.change_profile("named.once", username="named.anew")
    ann = await control.person()
    await bell.ask(ann, "/stories named.anew")
    [found] = await control.held(ann, "named.anew", 1)
    assert found["id"] == story["pk"]
    before = await control.typed(ann, f"named.once{NEW}")
    assert (before["results"], button_of(before)) == ([], "card--named-donce")


async def test_inline_query_with_unknown_offset_is_empty(bell: Bell, control: Control) -> None:
    await shown(bell, "offset")
    ann = await control.person()
    for offset in ("50", "AAAA", "🙂", "-1"):
        answer = await control.typed(ann, "offset", offset=offset)
        assert (answer["results"], button_of(answer)) == ([], "")


async def test_telegram_keeps_an_answer_no_longer_than_its_stories_live() -> None:
    def ending_in(seconds: float) -> tuple[Story, KnownFile]:
        one = story("1", NOON - timedelta(hours=24) + timedelta(seconds=seconds))
        return one, KnownFile("photo", "file", "", one.expires_at)

    assert cache_seconds([], NOON) == 30
    assert cache_seconds([ending_in(100), ending_in(31)], NOON) == 30
    assert cache_seconds([ending_in(100), ending_in(7.9)], NOON) == 7
    assert cache_seconds([ending_in(-1)], NOON) == 0


async def test_a_chosen_story_goes_where_the_bot_is_not_and_is_answered_nowhere(
    bell: Bell, control: Control
) -> None:
    (story,) = await shown(bell, "chosen")
    ann = await control.person()
    members = {ann: "creator"}
    away = await control.chat("supergroup", members=members, bot_status="left")
    here = await control.chat("supergroup", members=members)
    answer = await control.typed(ann, "chosen")
    for chat in (away, here, ann):
        body = {"chat_id": chat, "result_id": story["pk"]}
        await control.call("POST", f"/inline/{answer['id']}/choose", body)
        [sent] = (await control.call("GET", f"/chats/{chat}/messages?from_bot=false"))[-1:]
        assert (sent["_story_pk"], sent["from"]["id"]) == (story["pk"], ann)
        assert buttons(sent) == {"Open on Instagram": link("chosen", story)}
    (said,) = await bell.ask(ann, "/usage")  # after all that came before
    assert await control.replies(ann) == [said]
    assert await control.replies(here) == []


async def test_a_story_can_be_shared_where_inline_mode_is_on(bell: Bell, control: Control) -> None:
    (story,) = await shown(bell, "shared")
    ann = await control.person()
    (photo,) = await bell.ask(ann, "/stories shared")
    query = buttons(photo)["↗ Share"]
    [found] = (await control.typed(ann, query))["results"]
    assert found["id"] == story["pk"]


async def test_inline_results_are_in_the_language_of_the_sender(
    bell: Bell, control: Control
) -> None:
    ann = await control.person(language_code="de")
    assert (await control.typed(ann, "?"))["button"]["text"] == translator_for("de").plain(HOW)
    await bell.press(ann, (await bell.ask(ann, "/language"))[0], "language:es")
    assert (await control.typed(ann, "??"))["button"]["text"] == translator_for("es").plain(HOW)


async def rows_of(database_url: str) -> tuple[int, int]:
    """Return how many updates were stored, and how many are known to ask."""
    async with Database(database_url) as database, database.read() as tx:
        counts = [
            (await tx.execute(sa.select(sa.func.count()).select_from(table))).scalar_one()
            for table in (inbox, acquaintances)
        ]
    return counts[0], counts[1]


ODD = ("🙂" * 256, "x" * 256, "%_'\"\\", "\u202enatgeo", "שלום natgeo", "/start", "@", " ")


async def test_a_flood_of_letters_stores_nothing_fails_nowhere_and_keeps_nobody_waiting(
    bell: Bell, control: Control
) -> None:
    await shown(bell, "flood")
    people = [await control.person() for _ in range(5)]
    url = bell.settings.database_url.get_secret_value()
    before, calls = await rows_of(url), len(await control.requests("telegram"))
    chance = random.Random(1)  # noqa: S311 - which letters come
    typed = []
    for number in range(500):
        text = chance.choice([*ODD, *("flood"[:n] for n in range(6))]) + " " * (number % 50)
        offset = chance.choice(["", "", "50", "🙂"])
        typed.append(control.inline(people[number % 5], text, offset=offset))
    await asyncio.gather(*typed)
    for person in people:  # the newest of each is answered, however many came before
        assert (await control.typed(person, f"flood{' ' * 99}"))["results"]
    assert await rows_of(url) == before
    answers = [
        one
        for one in await control.requests("telegram", path="answerInlineQuery")
        if one["n"] > calls
    ]
    assert {one["status"] for one in answers} == {200}
    assert not any(one.get("unknown_params") for one in answers)
    (said,) = await bell.ask(people[0], "/help")
    assert said["text"].startswith("Send me the name")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def club(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[tuple[Bell, int]]:
    """Run a bot that is for invited people, by webhook; its owner has been shown ``club``."""
    async with sandbox_box() as box:
        boss, port = await box.control.person("Boss"), free_port()
        changed = {"access": "invited", "admin_ids": str(boss), "daily_budget": 1_000_000}
        hook = {"port": port, "webhook_url": f"http://127.0.0.1:{port}"}
        folder = tmp_path_factory.mktemp("club")
        never = {"visitors": timedelta(days=1)}
        async with running_bell(folder, box, timing=never, **changed, **hook) as bell:
            for name in ("club", "club.too", "club.hid"):
                await box.control.profile(name)
                await box.control.publish(name)
                await bell.ask(boss, f"/stories {name}")
                await box.control.held(boss, name, 1)
            yield bell, boss


async def test_inline_query_without_access_is_empty(
    club: tuple[Bell, int],
) -> None:
    bell, boss = club
    control = bell.control
    allowed, stranger, blocked, freed = [await control.person() for _ in range(4)]
    group = await control.chat("supergroup", members={boss: "member", stranger: "member"})
    for line in (f"/allow {allowed}", f"/allow {group}", f"/allow {blocked}", f"/allow {freed}"):
        await bell.ask(boss, line)
    for line in (f"/block {blocked}", f"/block {freed}", f"/unblock {freed}"):
        await bell.ask(boss, line)
    for person, may in ((boss, 1), (allowed, 1), (freed, 1), (stranger, 0), (blocked, 0)):
        for kind in ("sender", "supergroup", "channel"):
            for text, button in (("club", ""), ("nobody", "card--nobody"), ("?", "help--see")):
                answer = await control.typed(person, f"{text}{' ' * len(kind)}", chat_type=kind)
                assert len(answer["results"]) == (may if text == "club" else 0)
                assert button_of(answer) == (button if may else "")
    assert await control.replies(stranger) == []
    assert [m for m in await control.replies(blocked) if "Sorry" in m["text"]] == []


async def test_person_blocked_between_inline_queries_gets_empty_results(
    club: tuple[Bell, int],
) -> None:
    bell, boss = club
    eve = await bell.control.person("Eve")
    await bell.ask(boss, f"/allow {eve}")
    assert (await bell.control.typed(eve, "club"))["results"]
    await bell.ask(boss, f"/block {eve}")
    assert (await bell.control.typed(eve, f"club{NEW}"))["results"] == []


async def test_blocked_and_private_profiles_are_not_shown(club: tuple[Bell, int]) -> None:
    bell, boss = club
    control = bell.control
    [story], [hidden] = [await control.stories(name) for name in ("club.too", "club.hid")]
    await bell.ask(boss, "/block club.too")
    for text in (f"club.too{NEW}", link("club.too", story)):
        assert (await control.typed(boss, text))["results"] == []
    url, pk = bell.settings.database_url.get_secret_value(), str(hidden["user"]["pk"])
    async with Database(url) as database, database.begin() as tx:
        await profiles.change(tx, pk, state="private")  # as two answers of the API leave it
    answer = await control.typed(boss, f"club.hid{NEW}")
    assert (answer["results"], button_of(answer)) == ([], "card--club-dhid")
    assert (await control.typed(boss, link("club.hid", hidden)))["results"] == []


async def test_inline_query_hides_stories_of_an_account_that_became_private(
    bell: Bell, control: Control
) -> None:
    await shown(bell, "now.private")
    bob = await control.person()
    await bell.ask(bob, "/subscribe now.private")
    assert await control.held(bob, "now.p", 1)
    await control.change_profile("now.private", is_private=True)
    (said,) = await bell.ask(bob, link("now.private", await control.publish("now.private")))
    assert "private account" in said["text"]
    assert (await control.typed(bob, f"now.p{NEW}"))["results"] == []


async def test_inline_query_hides_deleted_stories(tmp_path: Path) -> None:
    async with storybell(tmp_path, cache_s=0) as bell:
        one, two = await shown(bell, "took.down", 2)
        ann = await bell.control.person()
        await bell.control.take_down("took.down", one["pk"])
        assert len((await bell.control.typed(ann, "took.down"))["results"]) == 2  # nobody knows
        await bell.ask(ann, "/stories took.down")
        [found] = await bell.control.held(ann, "took.down", 1)
        assert found["id"] == two["pk"]
        assert (await bell.control.typed(ann, link("took.down", one)))["results"] == []


async def test_a_profile_is_blocked_by_the_name_that_it_has_now(tmp_path: Path) -> None:
    async with sandbox_box() as box:
        control = box.control
        async with running_bell(tmp_path, box) as bell:
            await shown(bell, "block.old")
            ann = await control.person()
            await control.change_profile("block.old", username="block.new")
            await bell.ask(ann, "/subscribe block.new")
            assert len((await control.typed(ann, "block.new"))["results"]) == 1
        async with running_bell(tmp_path, box, blocked_profiles="block.new") as bell:
            await bell.ask(ann, "/help")
            for text in (f"block.new{NEW}", f"block.{NEW}", NEW):
                assert (await control.typed(ann, text))["results"] == []


async def test_refused_inline_file_gets_a_button_that_sends_the_story_again(
    bell: Bell, control: Control
) -> None:
    await shown(bell, "bad.file", 2)
    ann = await control.person()
    await control.fault("telegram", refused("wrong file identifier"), match="answerInlineQuery")
    answer = await control.typed(ann, "bad.file")
    assert (answer["results"], button_of(answer)) == ([], "card--bad-dfile")
    assert len((await control.typed(ann, f"bad.file{NEW}"))["results"]) == 2


async def test_without_inline_mode_nothing_is_offered(tmp_path: Path) -> None:
    async with sandbox_box() as box:
        control = box.control
        await control.call("PATCH", "/bots/bot", {"supports_inline_queries": False})
        async with running_bell(tmp_path, box) as bell:
            ann = await control.person()
            await control.profile("quietly")
            await control.publish("quietly")
            (photo,) = await bell.ask(ann, "/stories @quietly")
            assert "↗ Share" not in buttons(photo)
            (page,) = await bell.ask(ann, "/start help--see")
            assert "natgeo</code>" not in page["text"]
            assert "In any other chat" not in page["text"]


async def test_of_two_replicas_either_answers_from_what_the_other_has_shown(
    empty_postgres_url: str, tmp_path: Path
) -> None:
    shared = {"database_url": empty_postgres_url, "daily_budget": 100_000}
    async with sandbox_box() as box:
        ann = await box.control.person()
        await box.control.profile("twice")
        await box.control.publish("twice")
        async with (
            running_bell(tmp_path / "a", box, **shared) as one,
            running_bell(tmp_path / "b", box, **shared),
        ):
            await one.ask(ann, "/stories @twice")
            await box.control.held(ann, "twice", 1)
            for text in ("a\x00b", "%"):  # which no database takes for a name
                assert button_of(await box.control.typed(ann, text)) == "help--see"
        async with running_bell(tmp_path / "c", box, **shared):
            billed = await box.control.billed_for("twice")
            assert len((await box.control.typed(ann, f"twice{' ' * 60}"))["results"]) == 1
            assert await box.control.billed_for("twice") == billed
