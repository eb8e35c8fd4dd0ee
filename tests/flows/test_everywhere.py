"""All that there is besides plain alerts: in every kind of chat, on both databases.

Topics of a profile's own have such flows in ``test_topics``.
"""

import re
from pathlib import Path
from typing import Any

import pytest

from tests.flows.test_rich_captions import SHOP, held
from tests.support.control import Json, stories_of, wait_for
from tests.support.storybell import Bell, buttons, storybell

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.jumps]

WANTED = ("keep:on", "files:on", "caption:full")


async def place(bell: Bell, kind: str, ann: int, bob: int) -> tuple[int, dict[str, int]]:
    """Make a chat where Ann is an administrator and Bob is not; and where in it to write."""
    if kind == "private":
        return ann, {}
    control = bell.control
    chat = await control.chat(
        {"forum": "supergroup"}.get(kind, kind),
        members={ann: "administrator", bob: "member"},
        is_forum=kind == "forum",
        bot_status="administrator" if kind == "channel" else "member",
    )
    if kind == "forum":
        await control.thread(chat, 7, "Stories")
        return chat, {"thread_id": 7}
    if kind == "channel":
        await bell.answers_for(chat, ann)
    return chat, {}


async def choose(bell: Bell, chat: int, ann: int, subscribed: Json) -> None:
    """Switch the wanted options on; those of a channel are opened in the private chat."""
    where, page = chat, subscribed
    if not buttons(subscribed):
        where = ann
        await bell.control.name_chat(chat, f"everywhere_{-chat}")
        (page,) = await bell.ask(ann, f"/subscriptions @everywhere_{-chat}")
    options = next(data for data in buttons(page).values() if re.search(r"sub:\d+$", data))
    await bell.press(where, page, f"{options}:how", user=ann)
    for wanted in WANTED:

        async def offered(wanted: str = wanted) -> str | None:
            shown = await bell.message(where, page["message_id"])
            return next((d for d in buttons(shown).values() if d.endswith(wanted)), None)

        data = await wait_for(offered, what=wanted)
        await bell.press(where, page, data, user=ann)


async def lived(bell: Bell, kind: str, name: str) -> None:
    """Use all of it in one chat of a kind."""
    control = bell.control
    ann, bob = await control.person(), await control.person("Bob")
    chat, where = await place(bell, kind, ann, bob)
    asker = {"channel": ann, "private": ann}.get(kind, bob)  # anybody may ask, but in channels
    await control.profile(name, posts_per_day=0)
    await subscribed(bell, kind, name, (chat, ann, bob), where)
    await asked(bell, chat, name, asker, where)
    await highlights_opened(bell, chat, name, (kind, asker), where)


async def subscribed(
    bell: Bell, kind: str, name: str, people: tuple[int, int, int], where: dict[str, Any]
) -> None:
    """Subscribe, with rules and options; get what fits, as it is wanted, and again."""
    control, (chat, ann, bob) = bell.control, people
    (told,) = await bell.ask(chat, f"/subscribe {name}", user=ann, **where)
    await choose(bell, chat, ann, told)
    (told,) = await bell.ask(chat, f"/rules {name} only: #sale not: @nike", user=ann, **where)
    assert "🎯 Only stories with one of these: #sale" in told["text"]
    if kind in {"group", "forum"}:
        await bell.noticed(chat, f"/rules {name} off", user=bob)
    await control.publish(name, hashtags=["other"])
    await control.publish(name, hashtags=["sale"], mentions=["nike"])
    wanted = await control.publish(name, hashtags=["sale"], overrides=held())

    async def alerted() -> list[Json]:
        return [m for m in await control.replies(chat, told["message_id"]) if "_story_pk" in m]

    (alert,) = await wait_for(alerted, what="the alert")
    assert alert["_story_pk"] == wanted["pk"]
    assert alert["document"]["file_name"].endswith(f"_{name}_{wanted['pk']}.jpg")
    assert "🎵" in alert["caption"]
    assert "#sale" in alert["caption"]
    assert buttons(alert)["🔗 Shop the look"] == SHOP
    assert alert.get("message_thread_id") == where.get("thread_id")
    asker = {"channel": ann, "private": ann}.get(kind, bob)

    async def again() -> Json | None:  # it is kept right after it has arrived
        (reply,) = await bell.ask(chat, f"/past {name} 7d", user=asker, **where)
        return reply if "_story_pk" in reply else None

    past = await wait_for(again, what="the past")
    assert past["document"]["file_id"] == alert["document"]["file_id"]
    assert past["_source"] == "file_id"
    assert past.get("message_thread_id") == where.get("thread_id")
    (why,) = await bell.ask(chat, f"/why {name}", user=asker, **where)
    assert "not @nike" in why["text"]
    assert "only #sale" in why["text"]
    assert set(stories_of(await alerted())) == {wanted["pk"]}


async def asked(bell: Bell, chat: int, name: str, asker: int, where: dict[str, Any]) -> None:
    """Ask for several at once, with a typo and a repeat, and for the original of one."""
    control, other = bell.control, f"{name}.too"
    await control.profile(other, posts_per_day=0)
    pk = (await control.publish(other, hashtags=["sale"]))["pk"]
    command = f"/stories {name} {other} {name.upper()} no.such.name.is 1"
    replies = await bell.ask(chat, command, count=3, user=asker, **where)
    assert stories_of(replies)[-1] == pk
    assert len(stories_of(replies)) == 2
    assert replies[-1]["text"].splitlines() == [
        f"{name}: 1 story",
        f"{other}: 1 story",
        "I can't find no.such.name.is on Instagram. Please check the spelling.",
    ]
    old = await bell.old_post(chat, f"files:{pk}", thread_id=where.get("thread_id"))
    await bell.press(chat, old, f"files:{pk}", user=asker)
    (file,) = await bell.replies(chat, 1, after=old["message_id"])
    assert file["document"]["file_name"].endswith(f"_{other}_{pk}.jpg")
    assert file.get("message_thread_id") == where.get("thread_id")


async def highlights_opened(
    bell: Bell, chat: int, name: str, who: tuple[str, int], where: dict[str, Any]
) -> None:
    """List the highlights, and open one: from a channel in the private chat."""
    kind, asker = who
    highlight = await bell.control.keep(name, title="Sea", count=2)
    (menu,) = await bell.ask(chat, f"/highlights {name}", user=asker, **where)
    if kind == "channel":
        url = f"instagram.com/stories/highlights/{highlight['pk']}"
        messages = await bell.ask(chat, f"/highlights {url}", user=asker, count=2)
    else:
        opened = buttons(menu)["Sea · 2"]
        await bell.press(chat, menu, opened, user=asker)
        messages = await bell.replies(chat, 2, after=menu["message_id"])
        assert {one.get("message_thread_id") for one in messages} == {where.get("thread_id")}
    assert stories_of(messages) == highlight["media_ids"]


@pytest.mark.parametrize("kind", ["group", "forum", "channel"])
async def test_in_groups_topics_and_channels(bell: Bell, kind: str) -> None:
    await lived(bell, kind, f"every.{kind}")


@pytest.mark.usefixtures("db")  # which is empty
async def test_on_both_databases(tmp_path: Path, database_url: str) -> None:
    async with storybell(tmp_path, database_url=database_url) as bell:
        await lived(bell, "private", "every.base")
