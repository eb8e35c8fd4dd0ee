"""Following profiles by words and buttons: who may, what it says, what it costs."""

import pytest

from tests.support.control import Control, Json
from tests.support.storybell import Bell, buttons

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.jumps]


async def profile(control: Control, name: str, stories: int = 1) -> None:
    await control.profile(name)
    now = (await control.state())["now"]
    for n in range(stories):
        await control.publish(name, taken_at=now - 600 + n)


async def group_of(control: Control, **roles: int) -> int:
    return await control.chat("supergroup", members={u: role for role, u in roles.items()})


async def test_subscribing_offers_what_is_there_and_sends_only_what_is_new(
    bell: Bell, control: Control
) -> None:
    ann = await control.person()
    await profile(control, "follow.one", stories=2)
    (reply,) = await bell.ask(ann, "/subscribe @follow.one")
    assert "send you every new story from follow.one" in reply["text"]
    assert "live:follow.one" in buttons(reply).values()
    story = await control.publish("follow.one")
    (alert,) = await control.wait_replies(ann, 1, after=reply["message_id"])
    assert alert["_story_pk"] == story["pk"]
    assert alert["caption"].startswith("🔔 New story from follow.one")
    before = await control.billed("/v1/user/stories/by/username")
    await bell.press(ann, reply, "live:follow.one")
    shown = await control.wait_replies(ann, 3, after=alert["message_id"])
    assert len([m for m in shown if "photo" in m]) == 3
    assert await control.billed("/v1/user/stories/by/username") == before


async def test_subscribing_again_does_what_it_asks_and_says_what_is_so(
    bell: Bell, control: Control
) -> None:
    ann = await control.person()
    for name in ("again.one", "again.two"):
        await profile(control, name)
        await bell.ask(ann, f"/subscribe {name}")
    (reply,) = await bell.ask(ann, "/subscribe again.one fast")
    assert "check again.one more often from now on" in reply["text"]
    (reply,) = await bell.ask(ann, "/subscribe again.one again.two fast")
    assert reply["text"].splitlines()[:2] == [
        "I'll check again.two more often from now on.",
        "Already subscribed to again.one.",
    ]
    (reply,) = await bell.ask(ann, "/subscribe again.one")
    await bell.press(ann, reply, buttons(reply)["Options"])
    page = await bell.message(ann, reply["message_id"])
    await bell.press(ann, page, buttons(page)["Timing: Check more often"])
    page = await bell.message(ann, reply["message_id"])
    await bell.press(ann, page, buttons(page)["⏸ Pause"])
    (reply,) = await bell.ask(ann, "/subscribe again.one")
    assert "Paused: no alerts until you resume them." in reply["text"]


async def test_why_says_since_when_there_was_nothing(bell: Bell, control: Control) -> None:
    ann = await control.person()
    await profile(control, "since.one", 2)
    await bell.ask(ann, "/subscribe since.one")
    (why,) = await bell.ask(ann, "/why since.one")
    assert "No new stories since alerts began" in why["text"]


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("/subscribe nobody.has.it", "can't find nobody.has.it"),
        ("/subscribe locked", "private account"),
        ("/subscribe nat-geo two-words", "Write it like this: /subscribe"),
        ("/subscribe natgeo @no_such_channel", "you and I are both admins"),
        ("/subscriptions", "no subscriptions yet"),
        ("/unsubscribe all", "no subscriptions yet"),
        ("/export", "no subscriptions yet"),
        ("/import", "Send me a file"),
        ("/why", "no subscriptions yet"),
    ],
)
async def test_bad_input_has_one_sentence(
    bell: Bell, control: Control, text: str, answer: str
) -> None:
    ann = await control.person()
    (reply,) = await bell.ask(ann, text)
    assert answer in reply["text"]


async def test_the_list_leads_to_options_and_back(bell: Bell, control: Control) -> None:
    ann = await control.person()
    names = [f"list.{n}" for n in range(9)]
    for name in names:
        await profile(control, name, stories=0)
        await bell.ask(ann, f"/subscribe {name}")
    (page,) = await bell.ask(ann, "/subscriptions")
    assert "has 9 subscriptions" in page["text"]
    assert "subs:1" in buttons(page).values()
    first = buttons(page)["🔔 list.0"]
    await bell.press(ann, page, first)
    options = await bell.message(ann, page["message_id"])
    assert "list.0" in options["text"]
    one = first.partition(":")[2]
    for option, sign in (("silent:on", "✅ Silent"), ("digest:on", "✅ Daily summary")):
        await bell.press(ann, options, f"opt:{one}:{option}")
        options = await bell.message(ann, page["message_id"])
        assert sign in buttons(options)
    await bell.press(ann, options, f"{first}:how")
    options = await bell.message(ann, page["message_id"])
    for _ in range(2):  # the same button twice, as impatient people do, is once
        await bell.press(ann, options, f"opt:{one}:media:photo")
        await bell.press(ann, options, f"opt:{one}:pause:on")
        await bell.press(ann, options, buttons(options)["✅ Silent"])
    options = await bell.message(ann, page["message_id"])
    assert "▫️ Silent" in buttons(options)
    await bell.press(ann, options, first)
    options = await bell.message(ann, page["message_id"])
    assert {"Timing: paused", "Stories: Photos only", "Delivery: as usual"} <= buttons(
        options
    ).keys()
    await bell.press(ann, options, "subs:0")
    assert "⏸ list.0" in buttons(await bell.message(ann, page["message_id"]))


async def test_unsubscribing_is_instant_and_undone(bell: Bell, control: Control) -> None:
    ann = await control.person()
    for name in ("leave.one", "leave.two"):
        await profile(control, name, stories=0)
        await bell.ask(ann, f"/subscribe {name}")
    (gone,) = await bell.ask(ann, "/unsubscribe leave.one")
    assert gone["text"] == "Unsubscribed from leave.one."
    await undone(bell, ann, gone)
    again = await bell.message(ann, gone["message_id"])
    assert again["text"].startswith("🔔 Subscribed to leave.one again.")
    (gone,) = await bell.ask(ann, "/unsubscribe all")
    assert gone["text"] == "Unsubscribed from 2 profiles."
    await undone(bell, ann, gone)
    assert "2 subscriptions" in (await bell.message(ann, gone["message_id"]))["text"]


async def test_why(bell: Bell, control: Control) -> None:
    ann = await control.person()
    await profile(control, "asked.why")
    await bell.ask(ann, "/subscribe asked.why")
    (why,) = await bell.ask(ann, "/why asked.why")
    assert "Last check: " in why["text"]
    (checked,) = [e for e in why["entities"] if e["type"] == "date_time"][:1]
    assert checked["date_time_format"] == "r"
    assert "this chat's options: 1 of 1" in why["text"]
    assert "I expect new stories to arrive about" in why["text"]


async def test_what_a_chat_follows_can_be_taken_along(bell: Bell, control: Control) -> None:
    ann = await control.person()
    await profile(control, "carried.one", stories=0)
    await bell.ask(ann, "/subscribe carried.one")
    for _ in range(2):
        (file,) = await bell.ask(ann, "/export")
        assert file["document"]["file_name"].startswith("storybell.")
        await bell.ask(ann, "/unsubscribe all")
        (done,) = await bell.ask(ann, "/import", reply_to=file["message_id"])
        assert done["text"].startswith("Subscribed to 1 profile from this file")


async def defaults_of(bell: Bell, chat: int) -> tuple[Json, dict[str, str]]:
    (page,) = await bell.ask(chat, "/settings")
    await bell.press(chat, page, "defaults")
    page = await bell.message(chat, page["message_id"])
    return page, buttons(page)


async def test_new_subscriptions_begin_with_the_defaults_of_the_chat(
    bell: Bell, control: Control
) -> None:
    ann = await control.person()
    page, _ = await defaults_of(bell, ann)
    await bell.press(ann, page, "defaults:spoiler:on")
    _, shown = await defaults_of(bell, ann)
    assert "✅ Blurred until tapped" in shown
    await profile(control, "with.defaults", stories=0)
    (reply,) = await bell.ask(ann, "/subscribe with.defaults")
    await bell.press(ann, reply, buttons(reply)["Options"] + ":how")
    assert "✅ Blurred until tapped" in buttons(await bell.message(ann, reply["message_id"]))


async def undone(bell: Bell, chat: int, page: Json, user: int | None = None) -> None:
    """Press Undo under what was unsubscribed."""
    page = await bell.message(chat, page["message_id"])
    await bell.press(chat, page, buttons(page)["↩️ Undo"], user=user)


async def test_undo_brings_rules_back(bell: Bell, control: Control) -> None:
    ann = await control.person()
    await control.profile("undo.rules", posts_per_day=0)
    await bell.ask(ann, "/subscribe undo.rules")
    await bell.ask(ann, "/rules undo.rules only: #sale not: video")
    (sure,) = await bell.ask(ann, "/unsubscribe undo.rules")
    await undone(bell, ann, sure)
    (after,) = await bell.ask(ann, "/rules undo.rules")
    assert "#sale" in after["text"]


async def test_undo_brings_every_topic_back(bell: Bell, control: Control) -> None:
    boss = await control.person()
    forum = await control.chat("supergroup", members={boss: "creator"}, is_forum=True)
    await control.thread(forum, 7, "News")
    await control.profile("undo.topics", posts_per_day=0)
    pages = await bell.ask(forum, "/subscribe undo.topics", user=boss)
    pages += await bell.ask(forum, "/subscribe undo.topics", user=boss, thread_id=7)
    for page in pages + pages:  # first each ends, then each comes back
        await undone(bell, forum, page, user=boss)
    (sure,) = await bell.ask(forum, "/unsubscribe undo.topics", user=boss)
    await undone(bell, forum, sure, user=boss)
    (listed,) = await bell.ask(forum, "/subscriptions", user=boss)
    assert "2 subscriptions" in listed["text"]


async def paused_page(bell: Bell, person: int, name: str) -> tuple[Json, str]:
    """Subscribe and pause for good; return the page of its options and its number."""
    await bell.control.profile(name, posts_per_day=0)
    await bell.ask(person, f"/subscribe {name}")
    (menu,) = await bell.ask(person, "/subscriptions")
    number = next(data for data in buttons(menu).values() if data.startswith("sub:"))[4:]
    await bell.press(person, menu, f"opt:{number}:pause:on")
    return menu, number


async def test_undo_of_a_paused_one_stays_paused(bell: Bell, control: Control) -> None:
    ann = await control.person()
    menu, number = await paused_page(bell, ann, "undo.paused")
    await bell.press(ann, menu, f"unsub:{number}")
    await undone(bell, ann, menu)
    page = await bell.message(ann, menu["message_id"])
    assert "until you resume" in page["text"]


async def test_mute_of_a_paused_one_is_no_resume(bell: Bell, control: Control) -> None:
    ann = await control.person()
    _, number = await paused_page(bell, ann, "mute.paused")
    old = await bell.old_post(ann, f"mute:{number}")
    await bell.press(ann, old, f"mute:{number}")
    (menu,) = await bell.ask(ann, "/subscriptions")
    await bell.press(ann, menu, f"sub:{number}")
    page = await bell.message(ann, menu["message_id"])
    assert "until you resume" in page["text"]
