"""Rules, files, full captions and the past of one subscription: in every kind of chat, everywhere.

Highlights and several profiles at once have such flows of their own.
"""

from pathlib import Path

import pytest

from tests.flows.test_rich_captions import SHOP, held
from tests.support.control import Control, Json, wait_for
from tests.support.storybell import Bell, buttons, storybell

pytestmark = pytest.mark.asyncio(loop_scope="module")

WANTED = ("keep:on", "files:on", "caption:full")


async def place(control: Control, kind: str, ann: int, bob: int) -> tuple[int, dict[str, int]]:
    """Make a chat where Ann is an administrator and Bob is not; and where in it to write."""
    if kind == "private":
        return ann, {}
    chat = await control.chat(
        {"forum": "supergroup"}.get(kind, kind),
        members=[
            {"user_id": ann, "status": "administrator"},
            {"user_id": bob, "status": "member"},
        ],
        is_forum=kind == "forum",
        bot_status="administrator" if kind == "channel" else "member",
    )
    if kind == "forum":
        await control.thread(chat, 7, "Stories")
        return chat, {"thread_id": 7}
    return chat, {}


async def choose(bell: Bell, chat: int, ann: int, subscribed: Json) -> None:
    """Switch the wanted options on; those of a channel are opened in the private chat."""
    known = buttons(subscribed)
    options = known.get("Options") or next(iter(known.values()))  # in a channel all lead there
    where, page = chat, subscribed
    if options.startswith("https:"):
        where = ann
        (page,) = await bell.ask(ann, f"/start {options.partition('?start=')[2]}")
        if not any(data.endswith(WANTED[0]) for data in buttons(page).values()):
            await bell.press(ann, page, next(iter(buttons(page).values())))
    else:
        await bell.press(chat, page, options, user=ann)
    for wanted in WANTED:

        async def offered(wanted: str = wanted) -> str | None:
            shown = await bell.message(where, page["message_id"])
            return next((d for d in buttons(shown).values() if d.endswith(wanted)), None)

        data = await wait_for(offered, what=wanted)
        await bell.press(where, page, data, user=ann)


async def lived(bell: Bell, kind: str, name: str) -> None:
    """Subscribe in a chat, with rules and options; get what fits, as it is wanted, and again."""
    control = bell.control
    ann, bob = await control.person(), await control.person("Bob")
    chat, where = await place(control, kind, ann, bob)
    await control.profile(name, posts_per_day=0)
    (subscribed,) = await bell.ask(chat, f"/subscribe {name}", user=ann, **where)
    await choose(bell, chat, ann, subscribed)
    (told,) = await bell.ask(chat, f"/rules {name} only: #sale not: @nike", user=ann, **where)
    assert "✅ Only stories with one of these: #sale" in told["text"]
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
    asker = ann if kind == "channel" else bob if kind != "private" else ann

    async def again() -> Json | None:  # it is kept right after it has arrived
        (reply,) = await bell.ask(chat, f"/past {name} 7d", user=asker, **where)
        return reply if "_story_pk" in reply else None

    past = await wait_for(again, what="the past")
    assert past["document"]["file_id"] == alert["document"]["file_id"]
    assert past["_source"] == "file_id"
    assert past.get("message_thread_id") == where.get("thread_id")
    (why,) = await bell.ask(chat, f"/why {name}", user=ann, **where)
    assert "not @nike" in why["text"]
    assert "only #sale" in why["text"]
    assert {m["_story_pk"] for m in await alerted()} == {wanted["pk"]}


@pytest.mark.parametrize("kind", ["group", "forum", "channel"])
async def test_in_groups_topics_and_channels(bell: Bell, kind: str) -> None:
    await lived(bell, kind, f"every.{kind}")


@pytest.mark.usefixtures("db")  # which is empty
async def test_on_both_databases(tmp_path: Path, database_url: str) -> None:
    async with storybell(tmp_path, database_url=database_url) as bell:
        await lived(bell, "private", "every.base")
