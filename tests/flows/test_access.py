"""Who may use the bot: invitations, groups, blocks, and what a stranger costs, over real HTTP."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from datetime import timedelta
from pathlib import Path

import pytest
import pytest_asyncio

from bot.presentation.actions import button, buttons_acting_on_chat
from tests.flows.test_admin_page import Site
from tests.support.control import Json, flood, wait_for
from tests.support.killing import free_port
from tests.support.sandbox import sandbox_box
from tests.support.storybell import TOKEN, Bell, buttons, running_bell

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.jumps]

BOT = int(TOKEN.partition(":")[0])
PRIVATE = "Sorry, this bot is private"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def run(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[tuple[Bell, int]]:
    """Run a bot that is for invited people; its admin is the first person of the sandbox."""
    async with sandbox_box() as box:
        boss = await box.control.person("Boss")
        folder = tmp_path_factory.mktemp("access")
        plenty = {"daily_budget": 1_000_000, "admin_ids": str(boss)}
        never = {"visitors": timedelta(days=1)}
        async with running_bell(folder, box, timing=never, access="invited", **plenty) as bell:
            yield bell, boss


async def invited(bell: Bell, boss: int, name: str = "Ann") -> int:
    person = await bell.control.person(name)
    await bell.ask(boss, f"/allow {person}")
    return person


async def said(bell: Bell, chat: int) -> list[str]:
    return [m.get("text", "") for m in await bell.control.replies(chat)]


async def work_of(bell: Bell, chat: int) -> tuple[int, list[Json]]:
    """Return what was billed for what is asked here, and the calls to Telegram of a chat."""
    calls = await bell.control.requests("telegram")
    mine = [
        one for one in calls if str(chat) in str(one["params"]) and "getUpdates" not in one["path"]
    ]
    billed = [await bell.control.billed_for(name) for name in ("natgeo", "prada")]
    return sum(billed), mine


async def test_a_stranger_hears_one_sentence_once_and_costs_nothing(run: tuple[Bell, int]) -> None:
    bell, _ = run
    eve = await bell.control.person("Eve")
    (refused,) = await bell.ask(eve, "/stories natgeo")
    assert refused["text"].startswith(PRIVATE)
    assert str(eve) in refused["text"]
    billed, calls = await work_of(bell, eve)
    assert [one["path"].rpartition("/")[2] for one in calls] == ["sendMessage"]
    for text in ("/start", "/subscribe prada", "hello", "/start stories_natgeo", "/settings"):
        await bell.control.say(eve, text)
    story = (await bell.control.stories("natgeo"))[0]
    await bell.control.say(eve, f"https://www.instagram.com/stories/natgeo/{story['pk']}/")
    await bell.settled()
    assert await work_of(bell, eve) == (billed, calls)


@pytest.mark.parametrize("fault", [flood(120), {"status": 502}], ids=["flood", "outage"])
@pytest.mark.parametrize("who", ["stranger", "blocked", "group"])
async def test_a_refusal_that_telegram_did_not_accept_is_sent_after_the_next_message(
    run: tuple[Bell, int], who: str, fault: Json
) -> None:
    bell, boss = run
    control = bell.control
    eve = await (invited(bell, boss, "Eve") if who == "blocked" else control.person("Eve"))
    chat = eve
    if who == "blocked":
        await bell.ask(eve, "/help")
        await bell.ask(boss, f"/block {eve} 7d spam")
    elif who == "group":
        chat = await control.chat(
            "supergroup", members={eve: "member"}, bot_status="administrator"
        )
    shown = len(await said(bell, chat))
    await control.fault("telegram", fault, match="sendMessage", times=1, chat_id=chat)
    await control.say(chat, "/help", user=eve)
    await bell.settled()
    assert len(await said(bell, chat)) == shown
    await asyncio.sleep(600)  # the fault is over
    for _ in range(2):
        await control.say(chat, "/help", user=eve)
        await bell.settled()
    (refusal,) = (await said(bell, chat))[shown:]
    assert "spam" in refusal if who == "blocked" else refusal.startswith(PRIVATE)


async def test_a_blocked_person_who_writes_in_several_groups_at_once_gets_one_refusal(
    run: tuple[Bell, int],
) -> None:
    bell, boss = run
    eve = await bell.control.person("Eve")
    groups = []
    for _ in range(4):
        members = {eve: "member", boss: "administrator"}
        group = await bell.control.chat("supergroup", members=members, bot_status="administrator")
        await bell.ask(boss, f"/allow {group}")
        groups.append(group)
    await bell.ask(boss, f"/block {eve} 7d spam")
    await bell.control.fault("telegram", {"delay_s": 1}, match="sendMessage", times=len(groups))
    await asyncio.gather(*(bell.control.say(group, "/help", user=eve) for group in groups))
    await bell.settled()
    await bell.control.clear_faults()
    await bell.control.say(groups[0], "/help", user=eve)
    await bell.settled()
    (refusal,) = [text for group in groups for text in await said(bell, group)]
    assert "spam" in refusal


async def test_a_strangers_buttons_do_nothing_and_stop_spinning(run: tuple[Bell, int]) -> None:
    bell, _ = run
    eve, mal = await bell.control.person("Eve"), await bell.control.person("Mal")
    await bell.ask(eve, "hello")
    post = await bell.old_post(
        eve, *(data := ("run:stories:natgeo", "erase:yes", "undo:1700000000"))
    )
    before = await bell.control.billed_for("natgeo")
    for one in data:
        assert not (await bell.press(eve, post, one)).get("text")
    first = await bell.press(eve, post, "run:stories:natgeo", user=mal)
    assert first["text"].startswith(PRIVATE)
    assert len(await said(bell, eve)) == 2
    assert await bell.control.billed_for("natgeo") == before
    await bell.settled()


async def test_a_link_lets_in_as_many_as_it_is_for(run: tuple[Bell, int]) -> None:
    bell, boss = run
    (offer,) = await bell.ask(boss, "/invite 2")
    link = re.search(r"t\.me/\w+\?start=(\S+)", offer["text"])
    assert link
    ann, bob, eve = [await bell.control.person(name) for name in ("Ann", "Bob", "Eve")]
    for person in (ann, bob, ann):
        (greeting,) = await bell.ask(person, f"/start {link[1]}")
        assert greeting["text"].startswith("👋")
    for _ in range(2):
        (used,) = await bell.ask(eve, f"/start {link[1]}")
        assert used["text"] == "This invitation is no longer valid. Please ask for a new one."
        assert buttons(used) == {"Ask the bot's owner": "ask_access"}
        await bell.press(eve, used, "ask_access")
        asked = await bell.message(eve, used["message_id"])
        assert asked["text"].startswith("I've asked the bot's owner.")
    shown = await bell.ask(ann, "/stories natgeo")
    assert shown[0]["_story_pk"]


async def test_an_owner_is_not_told_that_somebody_else_pays(run: tuple[Bell, int]) -> None:
    bell, boss = run
    (price,) = await bell.ask(boss, "how much does it cost?")
    assert price["text"].startswith("You pay for the bot")


async def test_a_link_is_offered_in_private_only(run: tuple[Bell, int]) -> None:
    bell, boss = run
    group = await bell.control.chat("group", members={boss: "creator"})
    (reply,) = await bell.ask(group, f"/invite@storybell_{BOT}_bot", user=boss)
    assert "start=" not in reply["text"]


async def test_a_group_is_allowed_by_who_added_the_bot_and_its_members_through_it(
    run: tuple[Bell, int],
) -> None:
    bell, boss = run
    ann, bob = await invited(bell, boss), await bell.control.person("Bob")
    members = dict.fromkeys((ann, bob), "administrator")
    group = await bell.control.chat("group", members=members, bot_status="left")
    path = f"/chats/{group}/members/bot"
    await bell.control.call("PUT", path, {"status": "member", "by": ann})
    (greeting,) = await bell.control.wait_replies(group, 1)
    assert greeting["text"].startswith("👋")
    shown = await bell.ask(group, f"/stories@storybell_{BOT}_bot natgeo", user=bob)
    assert shown[0]["_story_pk"]
    (refused,) = await bell.ask(bob, "/stories natgeo")  # for themselves Bob is nobody's guest
    assert refused["text"].startswith(PRIVATE)
    moved = await bell.control.migrate(group)
    await bell.control.say(moved, f"/subscriptions@storybell_{BOT}_bot", user=bob)

    async def is_listed() -> bool:
        return any("no subscriptions yet" in text for text in await said(bell, moved))

    await wait_for(is_listed, what="the list")


async def test_a_strangers_group_is_refused_once_for_all_in_it(run: tuple[Bell, int]) -> None:
    bell, boss = run
    eve, mal = await bell.control.person("Eve"), await bell.control.person("Mal")
    members = dict.fromkeys((eve, mal), "administrator")
    group = await bell.control.chat("supergroup", members=members, bot_status="left")
    path = f"/chats/{group}/members/bot"
    await bell.control.call("PUT", path, {"status": "member", "by": eve})
    before = await bell.control.billed_for("natgeo")
    command = f"/stories@storybell_{BOT}_bot natgeo"
    (refused,) = await bell.ask(group, command, user=eve)
    assert refused["text"].startswith(PRIVATE)
    assert str(group) in refused["text"]
    await bell.control.say(group, command, user=mal)
    await bell.control.say(group, "just talking", user=mal)
    await bell.settled()
    assert await said(bell, group) == [refused["text"]]
    assert await bell.control.billed_for("natgeo") == before
    await bell.ask(boss, f"/allow {group}")
    shown = await bell.ask(group, command, user=mal)
    assert shown[0]["_story_pk"]


async def test_a_block_says_why_and_for_how_long_and_stops_the_checks(
    run: tuple[Bell, int],
) -> None:
    bell, boss = run
    ann = await invited(bell, boss)
    await bell.control.profile("watched")
    await bell.ask(ann, "/subscribe watched")
    (done,) = await bell.ask(boss, f"/block {ann} 7d too many links")
    assert "Ann" in done["text"]
    assert "until" in done["text"]
    (refused,) = await bell.ask(ann, "/stories natgeo")
    assert "too many links" in refused["text"]
    assert "until" in refused["text"]
    before = await bell.control.billed_for("watched")
    now = (await bell.control.state())["now"]
    await bell.control.publish("watched", taken_at=now - 60)
    await bell.control.say(ann, "/help")
    await bell.settled()
    assert (await said(bell, ann))[-1] == refused["text"]
    assert await bell.control.billed_for("watched") == before
    (free,) = await bell.ask(boss, f"/unblock {ann}")
    assert "is no longer blocked" in free["text"]
    story = await bell.control.publish("watched")
    await bell.control.wait_shown(ann, [story["pk"]])


async def test_an_admin_can_not_be_blocked(run: tuple[Bell, int]) -> None:
    bell, boss = run
    (refused,) = await bell.ask(boss, f"/block {boss}")
    assert "one of the bot's owners" in refused["text"]


async def test_an_id_in_a_command_takes_precedence_over_the_message_that_it_replies_to(
    run: tuple[Bell, int],
) -> None:
    bell, boss = run
    control = bell.control
    bob, cat = await invited(bell, boss, "Bob"), await control.person("Cat")
    forwarded = await control.say(boss, f"Please let in my sister: {cat}")
    await control.wait_replies(boss, after=forwarded)
    (allowed,) = await bell.ask(boss, f"/allow {cat}", reply_to=forwarded)
    assert f"{cat} can use the bot now." in allowed["text"]
    (usage,) = await bell.ask(boss, "/allow", reply_to=forwarded)
    assert usage["text"].startswith("Write it like this")
    assert str(cat) in (await bell.ask(boss, f"/unblock {cat}", reply_to=forwarded))[0]["text"]
    group = await control.chat("supergroup", members={boss: "member", bob: "administrator"})
    report = await control.say(group, f"{cat} writes spam", user=bob)
    blocked = f"/block@storybell_{BOT}_bot"
    (done,) = await bell.ask(group, f"{blocked} {cat} 7d spam", user=boss, reply_to=report)
    assert done["text"].startswith(f"{cat} is blocked until")
    (done,) = await bell.ask(group, f"{blocked} 3 times", user=boss, reply_to=report)
    assert done["text"].startswith(f"Bob ({bob}) is blocked.")
    for person in (bob, cat):
        await bell.ask(boss, f"/unblock {person}")
    nameless = await control.say(group, "hello", user=bob, sender_chat_id=group)
    command = f"/allow@storybell_{BOT}_bot"
    (usage,) = await bell.ask(group, command, user=boss, reply_to=nameless)
    assert usage["text"].startswith("Write it like this")
    answer = usage["message_id"]
    (allowed,) = await bell.ask(group, command, user=boss, reply_to=answer)
    assert f"({group}) can use the bot now." in allowed["text"]


async def test_the_first_start_prints_a_link_that_makes_one_admin(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with sandbox_box() as box:
        links = []
        for _ in range(2):  # until somebody has opened it, it is the same
            async with running_bell(tmp_path, box, access="invited") as bell:
                await bell.ask(await bell.control.person(), "/help")
            links += re.findall(r"t\.me/\w+\?start=(\S+)", capsys.readouterr().out)
        assert len(links) == 2
        assert len(set(links)) == 1
        async with running_bell(tmp_path, box, access="invited") as bell:
            eve, ann, late = [await bell.control.person(name) for name in ("Eve", "Ann", "Late")]
            (refused,) = await bell.ask(eve, f"/start {links[0][:-1]}x")
            assert refused["text"].startswith(PRIVATE)
            (welcome,) = await bell.ask(ann, f"/start {links[0]}")
            assert welcome["text"].startswith("You're now this bot's owner.")
            assert "Daily budget: 100,000 credits, up to $3,000.00 a month" in welcome["text"]
            (spent,) = await bell.ask(ann, "/spending")
            assert "Today" in (spent.get("caption") or spent["text"])
            (refused,) = await bell.ask(late, f"/start {links[0]}")
            assert refused["text"].startswith(PRIVATE)
        capsys.readouterr()
        async with running_bell(tmp_path, box, access="invited") as bell:
            await bell.ask(ann, "/spending")
        assert "start=" not in capsys.readouterr().out


async def test_users_of_an_open_bot_keep_access_in_mode_invited(tmp_path: Path) -> None:
    async with sandbox_box() as box:
        names = ("Boss", "Plain", "Limited", "Freed", "Refused", "Blocked", "Eve", "Mal")
        boss, plain, limited, freed, refused, blocked, eve, mal = [
            await box.control.person(name) for name in names
        ]
        plenty = {"admin_ids": str(boss), "daily_budget": 1_000_000}
        async with running_bell(tmp_path, box, access="invited", **plenty) as bell:
            for person in (refused, mal):
                assert (await bell.ask(person, "/help"))[0]["text"].startswith(PRIVATE)
        async with running_bell(tmp_path, box, **plenty) as bell:
            (listed,) = await bell.ask(boss, "/people")
            await bell.press(boss, listed, f"people:limit:{limited}:0")
            await bell.ask(boss, f"/block {freed}")
            await bell.ask(boss, f"/unblock {freed}")
            for person in (plain, limited, freed, refused, blocked):
                await bell.ask(person, "/start")
            await bell.press(boss, listed, f"people:limit:{limited}:100")
            await bell.ask(limited, "/subscribe natgeo")
            await bell.ask(boss, f"/block {blocked}")
        async with running_bell(tmp_path, box, access="invited", **plenty) as bell:
            await bell.ask(boss, f"/unblock {blocked}")
            for person in (plain, limited, freed, refused, blocked):
                assert "all stories from a profile" in (await bell.ask(person, "/help"))[0]["text"]
            (followed,) = await bell.ask(limited, "/subscriptions")
            assert "natgeo" in str(buttons(followed))
            (ended,) = await bell.ask(limited, "/unsubscribe natgeo")
            assert "↩️ Undo" in buttons(ended)
            assert (await bell.ask(eve, "/help"))[0]["text"].startswith(PRIVATE)
            await bell.control.say(mal, "/help")  # heard it before
            await bell.settled()
            assert len(await said(bell, mal)) == 1


async def test_people_shows_who_costs_what_and_limits_and_blocks(run: tuple[Bell, int]) -> None:
    bell, boss = run
    ann, bob = await invited(bell, boss, "Annabel"), await bell.control.person("Bobby")
    members = dict.fromkeys((ann, bob), "member")
    group = await bell.control.chat("group", "Costly", members=members, bot_status="left")
    path = f"/chats/{group}/members/bot"
    await bell.control.call("PUT", path, {"status": "member", "by": ann})
    await bell.control.wait_replies(group, 1)
    for name in ("costly.one", "costly.two"):
        await bell.control.profile(name)
        await bell.control.publish(name)
    await bell.ask(group, f"/stories@storybell_{BOT}_bot costly.one", user=bob)
    await bell.ask(ann, "/stories costly.two")
    (listed,) = await bell.ask(boss, "/people")
    shown = buttons(listed)
    assert "👥 Costly: 3 credits (less than $0.01)" in shown
    assert "👤 Annabel: 3 credits (less than $0.01)" in shown
    assert shown["Invite someone"] == "owner:invite"

    async def page(data: str) -> Json:
        await bell.press(boss, listed, data)
        return await bell.message(boss, listed["message_id"])

    one = await page(shown["👥 Costly: 3 credits (less than $0.01)"])
    assert "This month: 3 credits" in one["text"]
    assert f"added by {ann}" in one["text"]
    assert "👤 Bobby: 3 credits (less than $0.01)" in buttons(one)
    rows = one["reply_markup"]["inline_keyboard"]
    assert max(map(len, rows)) == 2  # a phone cuts both "Block" and "Block for a day" in three
    assert "10" in buttons(await page(f"people:limits:{ann}"))
    assert "Limit: 10 credits a day" in (await page(f"people:limit:{ann}:10"))["text"]
    (used,) = await bell.ask(ann, "/usage")
    assert "30% of today's limit" in used["text"]
    assert "Limit: 0 credits a day" in (await page(f"people:limit:{ann}:0"))["text"]
    before = await bell.control.billed_for("prada")
    (refused,) = await bell.ask(ann, "/stories prada")
    assert "_story_pk" not in refused
    assert await bell.control.billed_for("prada") == before
    assert "the same as everyone" in (await page(f"people:limit:{ann}"))["text"]
    assert "Blocked until" in (await page(f"people:day:{ann}"))["text"]
    (refused,) = await bell.ask(ann, "/help")
    assert refused["text"].startswith("Sorry, the bot's owner")
    assert "Has had access since" in (await page(f"people:unblock:{ann}"))["text"]


async def test_an_admin_of_a_channel_gets_nowhere_with_an_owners_button(
    run: tuple[Bell, int],
) -> None:
    bell, boss = run
    ann = await invited(bell, boss)
    await bell.ask(ann, "/help")
    members = {ann: "administrator"}
    channel = await bell.control.chat("channel", members=members, bot_status="left")
    path = f"/chats/{channel}/members/bot"
    await bell.control.call("PUT", path, {"status": "administrator", "by": ann})
    data = buttons_acting_on_chat([[button("x", f"people:block:{boss + 1}")]], channel)
    forged = data[0][0]["callback_data"]
    post = await bell.old_post(ann, forged)
    assert "no longer works" in (await bell.press(ann, post, forged))["text"]
    (listed,) = await bell.ask(boss, "/people")
    assert not any(line.startswith("🚫") for line in buttons(listed))


async def test_the_owner_is_led_and_hears_once_who_came_and_who_asks(tmp_path: Path) -> None:
    async with sandbox_box() as box:
        control = box.control
        soon = {"visitors": timedelta(milliseconds=50)}
        boss, ann = await control.person("Boss"), await control.person("Ann")
        eve = await control.person("Eve", language_code="ru")
        plenty = {"admin_ids": str(boss), "access": "invited"}
        async with running_bell(tmp_path, box, timing=soon, **plenty) as bell:
            await bell.ask(boss, "/help")
            page = await bell.old_post(boss, "owner:invite", "owner:open")
            await bell.press(boss, page, "owner:open")
            (how,) = await bell.replies(boss, 1, after=page["message_id"])
            assert "ACCESS=open" in how["text"]
            await bell.press(boss, page, "owner:invite")
            (link,) = await bell.replies(boss, 1, after=how["message_id"])
            payload = link["text"].rpartition("start=")[2]
            (used,) = await bell.ask(eve, f"/start {payload[:-1]}")
            await bell.press(eve, used, "ask_access")

            async def told() -> list[Json]:
                said = await control.replies(boss, after=link["message_id"])
                return [m for m in said if "Eve" in m["text"] or "Ann" in m["text"]]

            (first,) = await wait_for(told, what="who asks")
            assert first["text"] == "🚪 Eve is asking for access."
            await bell.ask(ann, f"/start {payload}")  # of her the owner hears in an hour
            assert buttons(first) == {
                "Let in Eve": f"people:allow:{eve}", "No": f"owner:no:{eve}"
            }  # fmt: skip
            await bell.press(boss, first, f"owner:no:{eve}")
            shown = await bell.message(boss, first["message_id"])
            assert "for 30 days" in shown["text"]
            await bell.press(boss, first, f"people:allow:{eve}")
            greeting = (await control.wait_replies(eve, 2))[-1]
            assert greeting["text"].startswith("👋 Привет")
            (helped,) = await bell.ask(eve, "/help")
            assert helped["text"].startswith("Пришлите")
            assert len(await told()) == 1
            asked = [
                [
                    {"text": "Let in", "callback_data": f"people:allow:{one}"},
                    {"text": "No", "callback_data": f"owner:no:{one}"},
                ]
                for one in (ann, eve)
            ]
            post = await bell.old_post(boss, rows=asked)
            await bell.press(boss, post, f"owner:no:{ann}")
            shown = await bell.message(boss, post["message_id"])
            assert list(buttons(shown).values()) == [f"people:allow:{eve}", f"owner:no:{eve}"]


async def test_a_group_that_asks_for_access_does_not_look_like_a_person(tmp_path: Path) -> None:
    soon = {"visitors": timedelta(milliseconds=50)}
    async with sandbox_box() as box:
        control = box.control
        boss, eve = await control.person("Boss"), await control.person("Ann")
        plenty = {"admin_ids": str(boss), "access": "invited"}
        async with running_bell(tmp_path, box, timing=soon, **plenty) as bell:
            (shown,) = await bell.ask(boss, "/help")
            group = await control.chat("supergroup", "Club", members={eve: "administrator"})
            post = await bell.old_post(group, "ask_access")
            await bell.press(group, post, "ask_access", user=eve)
            (report,) = await bell.replies(boss, after=shown["message_id"])
            assert report["text"] == "🚪 👥 Club is asking for access."
            assert buttons(report) == {
                "Let in 👥 Club": f"people:allow:{group}", "No": f"owner:no:{group}"
            }  # fmt: skip


async def test_old_button_of_a_second_owner_shows_the_decision_of_the_first(
    run: tuple[Bell, int],
) -> None:
    bell, boss = run
    eve, mal = await bell.control.person("Eve"), await bell.control.person("Mal")
    await bell.settled()
    for one in (eve, mal):
        await bell.ask(one, "/help")
    yes, no = [[f"{word}:{one}" for one in (eve, mal)] for word in ("people:allow", "owner:no")]
    first, second, third = [await bell.old_post(boss, *yes, *no) for _ in range(3)]
    for post in (first, second):  # she hears of it, and once
        await bell.press(boss, post, yes[0])
    _, hello = await bell.control.wait_replies(eve, 2)
    assert hello["text"].startswith("👋 Hi!")
    await bell.press(boss, third, no[0])
    shown = await bell.message(boss, third["message_id"])
    assert "Eve can use the bot now" in shown["text"]
    await bell.ask(boss, f"/block {mal} 7d")
    post = await bell.old_post(boss, *yes)
    await bell.press(boss, post, yes[1])
    shown = await bell.message(boss, post["message_id"])
    assert "Blocked until" in shown["text"]
    assert len(await said(bell, eve)) == len(await said(bell, mal)) + 1 == 2


async def test_owners_come_and_go_with_admin_ids_and_the_admin_page_with_them(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with sandbox_box() as box:
        people = [await box.control.person(name) for name in ("Boss", "Link", "Other")]
        boss, by_link, other = people
        port = free_port()

        def running(*admins: int) -> AbstractAsyncContextManager[Bell]:
            ids = ",".join(map(str, admins))
            return running_bell(tmp_path, box, access="invited", admin_ids=ids, port=port)

        async def printed() -> str:
            async with running() as bell:
                await bell.ask(await box.control.person(), "/help")
            (link,) = re.findall(r"t\.me/\w+\?start=(\S+)", capsys.readouterr().out)
            return str(link)

        link = await printed()
        async with running(boss) as bell:  # the printed link is worth nothing from here on
            (refused,) = await bell.ask(by_link, f"/start {link}")
            assert refused["text"].startswith(PRIVATE)
        new = await printed()
        assert new != link
        async with running() as bell:
            (welcome,) = await bell.ask(by_link, f"/start {new}")
            assert welcome["text"].startswith("You're now this bot's owner.")
        async with running(boss, other) as bell:
            site = Site(bell, by_link, f"http://127.0.0.1:{port}", tmp_path)
            proof = await site.proof()
            assert (await site.call("state", proof))[0] == 200
            (kept,) = await bell.ask(by_link, f"/remove_owner {boss}")
            assert "ADMIN_IDS" in kept["text"]
            (gone,) = await bell.ask(boss, f"/remove_owner {by_link}")
            assert "is no longer one of the bot's owners" in gone["text"]
            assert (await site.call("state", proof))[0] == 401
            (unknown,) = await bell.ask(by_link, "/spending")
            assert "I don't know the command" in unknown["text"]
            (none,) = await bell.ask(boss, f"/remove_owner {by_link}")
            assert "isn't one of the bot's owners" in none["text"]
            site = Site(bell, other, site.url, tmp_path)
            key = (await site.link()).partition("#key=")[2]
        async with running(boss) as bell:
            await bell.ask(boss, "/help")  # the page is served by now
            assert (await site.call("session", body={"key": key}))[0] == 401
        async with running(boss, other) as bell:
            proof = await Site(bell, other, site.url, tmp_path).proof()
        async with running(boss) as bell:
            await bell.ask(boss, "/help")
            assert (await site.call("state", proof))[0] == 401


async def test_people_offers_no_limit_for_an_owner(run: tuple[Bell, int]) -> None:
    bell, boss = run
    (listed,) = await bell.ask(boss, "/people")
    for data in (f"people:who:{boss}", f"people:limits:{boss}", f"people:limit:{boss}:0"):
        await bell.press(boss, listed, data)
        shown = await bell.message(boss, listed["message_id"])
        assert "One of the bot's owners" in shown["text"], data
        assert "Limit" not in str(shown), data


async def test_a_name_does_not_turn_the_label_of_its_button_around(
    run: tuple[Bell, int],
) -> None:
    bell, boss = run
    for name in ("Eve\u202e000 :", "\u05d0\u05d1\u2067"):
        person = await invited(bell, boss, name)
        await bell.ask(person, "/stories natgeo")
    (listed,) = await bell.ask(boss, "/people")
    labels = "".join(buttons(listed))
    assert "Eve" in labels
    assert "\u2068\u05d0\u05d1\u2069: " in labels
    assert not set("\u202a\u202b\u202d\u202e\u2066\u2067") & set(labels)


async def test_a_price_in_a_label_is_read_from_left_to_right(run: tuple[Bell, int]) -> None:
    bell, boss = run
    await bell.ask(await invited(bell, boss, "Eve"), "/stories natgeo")
    (choice,) = await bell.ask(boss, "/language")
    await bell.press(boss, choice, "language:ar")
    (listed,) = await bell.ask(boss, "/people")
    await bell.press(boss, choice, "language:en")
    priced = [label for label in buttons(listed) if "US$" in label]
    assert priced
    assert all(re.search(r"\u2068[^\u2068\u2069]*US\$\u2069\)", label) for label in priced)


async def test_a_name_does_not_turn_the_head_of_its_page_around(run: tuple[Bell, int]) -> None:
    bell, boss = run
    person = await invited(bell, boss, "\u05d0\u05d1 1")
    await bell.ask(person, "/help")
    listed = await bell.old_post(boss, f"people:who:{person}")
    await bell.press(boss, listed, f"people:who:{person}")
    shown = await bell.message(boss, listed["message_id"])
    assert shown["text"].startswith(f"\u2068\u05d0\u05d1 1\u2069 {person}")


async def test_people_and_spending_answer_in_private_only(run: tuple[Bell, int]) -> None:
    bell, boss = run
    group = await bell.control.chat("group", members={boss: "creator"})
    for word in ("people", "spending"):
        (reply,) = await bell.ask(group, f"/{word}@storybell_{BOT}_bot", user=boss)
        assert reply["text"] == f"Please send me /{word} in our private chat."
    post = await bell.old_post(group, "people:list:0", "owner:invite")
    for data in ("people:list:0", "owner:invite"):
        assert "private chat" in (await bell.press(group, post, data, user=boss))["text"]
    await bell.settled()
    assert "Who uses the bot" not in str(await bell.control.replies(group))
    assert "start=" not in str(await bell.control.replies(group))
