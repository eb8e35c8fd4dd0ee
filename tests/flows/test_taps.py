"""How few taps it takes; and that each message gets an answer or a reaction."""

import asyncio
import base64
import json

import pytest

from tests.flows.test_links import fresh
from tests.flows.test_rights import BOT, channel_of
from tests.support.control import Control, Json, refused, wait_for
from tests.support.storybell import FEW_CHECKS, Bell, buttons

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.jumps]

SETTINGS = FEW_CHECKS

PLAIN = (
    "Hi there 👋", "yo", "whats up", "Buenas tardes", "¿Cómo funciona esto?",
    "quiero ver las historias de natgeo", "muéstrame natgeo por favor", "Guten Tag",
    "wie geht das?", "Kannst du mir natgeo zeigen", "bitte", "Danke schön!",
    "je veux les stories de prada", "c'est gratuit ?", "salut ça va",
    "Здравствуйте, можно истории natgeo?", "покажи natgeo", "это бесплатно?", "ничего не работает",
    "Нет", "ок", "Спасибо большое!!!", "дякую", "कैसे इस्तेमाल करें", "नमस्ते", "धन्यवाद",
    "السلام عليكم", "كيف أشترك؟", "شكرا جزيلا", "سلام", "خیلی ممنون", "چطور کار می‌کند؟",
    "oi tudo bem", "quero seguir a natgeo", "obrigada ❤️", "apa kabar",
    "cara pakai bot ini gimana", "terima kasih", "ciao come funziona", "grazie mille", "merhaba",
    "nasil calisiyor", "teşekkürler", "natgeo?", "prada & nike", "nike and prada",
    "natgeo stories", "instagram.com/natgeo", "@prada @nike please", "/start@storybell", "/HELP",
    "stop", "unsubscribe natgeo", "delete my account", "😂😂😂", "🔥", "👍🏽", "+1",
    "call me +34 600 123 456", "http://",
)  # fmt: skip


async def test_from_a_link_or_a_name_it_takes_two_taps_to_subscribe(
    bell: Bell, control: Control
) -> None:
    ann = await control.person()
    url, _ = await fresh(control, "taps.link")
    (photo,) = await bell.ask(ann, url)
    assert photo["reply_markup"]["inline_keyboard"][0][0]["style"] == "primary"
    await bell.press(ann, photo, buttons(photo)["🔔 Subscribe"])  # one
    (listed,) = await bell.ask(ann, "/subscriptions")
    assert "🔔 taps.link" in buttons(listed)
    await control.profile("taps.name", posts_per_day=0)
    for _ in range(3):
        await control.publish("taps.name")
    (card,) = await bell.ask(ann, "taps.name")
    await bell.press(ann, card, buttons(card)["Show stories"])  # one
    *album, row = await bell.replies(ann, 4, after=card["message_id"])
    assert len(album) == 3
    assert list(buttons(row)) == ["🔔 Subscribe", "↗ Share", "⋯"]
    assert row["text"] == "taps.name"
    await bell.press(ann, row, buttons(row)["🔔 Subscribe"])  # two
    row = await bell.message(ann, row["message_id"])
    assert "every new story from taps.name" in row["text"]
    assert list(buttons(row)) == ["Options", "↩️ Undo"]  # what was just shown is not offered
    await bell.press(ann, row, buttons(row)["↩️ Undo"])
    assert "Unsubscribed" in (await bell.message(ann, row["message_id"]))["text"]


async def test_an_answer_has_one_row_and_a_group_none(bell: Bell, control: Control) -> None:
    ann, boss = await control.person(), await control.person("Boss")
    for name in ("row.one", "row.two"):
        await control.profile(name, posts_per_day=0)
        for _ in range(2):
            await control.publish(name)
    asked = await control.say(ann, "/stories row.one")
    *_, row = await bell.replies(ann, 3, after=asked)
    await bell.press(ann, row, buttons(row)["⋯"])
    card = await bell.message(ann, row["message_id"])
    assert {"Show stories", "🔔 Subscribe", "Highlights", "As files"} <= set(buttons(card))
    asked = await control.say(ann, "/stories row.one row.two")
    said = await bell.replies(ann, 5, after=asked)
    assert [one for one in said if buttons(one)] == []
    group = await control.chat("supergroup", members={boss: "creator"})
    shown = await bell.ask(group, "/stories row.one", user=boss, count=2)
    assert shown[0]["caption"].endswith("⚙️ Options")
    (_, *rest) = await bell.ask(group, "/help", user=boss)
    assert rest == []


async def test_a_channel_is_followed_changed_and_left_without_a_post_in_it(
    bell: Bell, control: Control
) -> None:
    boss = await control.person("Boss")
    channel = await channel_of(bell, boss)
    await control.name_chat(channel, "taps_news")
    await control.profile("taps.far", posts_per_day=0)
    (done,) = await bell.ask(boss, "/subscribe taps.far @taps_news")
    assert list(buttons(done)) == ["Options", "↩️ Undo"]
    for text in ("Options", "Delivery: as usual", "▫️ Silent", "« Back"):
        await bell.press(boss, done, buttons(done)[text])
        done = await bell.message(boss, done["message_id"])
    assert "Delivery: Silent" in buttons(done)
    await bell.press(boss, done, buttons(done)["Unsubscribe"])
    assert "Unsubscribed" in (await bell.message(boss, done["message_id"]))["text"]
    assert await control.replies(channel) == []


async def test_another_chat_is_chosen_in_telegrams_own_list(bell: Bell, control: Control) -> None:
    boss = await control.person("Boss")
    channel = await channel_of(bell, boss)
    await control.profile("taps.both", posts_per_day=0)
    (done,) = await bell.ask(boss, "/subscribe taps.both")
    await bell.press(boss, done, buttons(done)["Another chat"])
    _, asked = await bell.replies(boss, after=done["message_id"])
    keys = [key["request_chat"] for row in asked["_reply_keyboard"]["keyboard"] for key in row]
    assert [key["chat_is_channel"] for key in keys] == [True, False]
    rights = [(k["user_administrator_rights"], k["bot_administrator_rights"]) for k in keys]
    assert all(mine["can_post_messages"] for mine in rights[0])
    assert all(mine["can_manage_chat"] for mine in rights[1])
    chosen = {"request_id": keys[0]["request_id"], "chat_id": channel}
    (told,) = await bell.ask(boss, "", chat_shared=chosen)
    assert told["text"].startswith("🔔 I'll send every new story from taps.both to News.")
    await bell.press(boss, told, buttons(told)["Options"])
    assert (await bell.message(boss, told["message_id"]))["text"].startswith(
        "📣 News\n🔔 taps.both"
    )
    assert await control.replies(channel) == []


async def test_chats_that_one_brought_the_bot_to_are_listed_while_one_runs_them(
    bell: Bell, control: Control
) -> None:
    boss, ann = await control.person("Boss"), await control.person()
    for person in (boss, ann):
        await bell.ask(person, "/help")
    await control.profile("taps.all", posts_per_day=0)
    mine = {boss: "creator", ann: "member"}
    added = await control.chat("supergroup", "Added", members=mine, bot_status="left")
    left = await control.chat("channel", "Left", members={boss: "creator"}, bot_status="left")
    for chat in (added, left):
        kind = "member" if chat == added else "administrator"
        await control.call("PUT", f"/chats/{chat}/members/{BOT}", {"status": kind, "by": boss})
    asked = await control.chat("supergroup", "Asked", members=mine)
    await bell.ask(asked, "/subscribe taps.all", user=boss)
    await control.member(left, boss, "left")
    (done,) = await bell.ask(boss, "/subscribe taps.all")
    await bell.press(boss, done, buttons(done)["Another chat"])  # one
    listed, keys = await bell.replies(boss, 2, after=done["message_id"])
    assert list(buttons(listed)) == ["Added", "Asked"]
    assert "_reply_keyboard" in keys
    await bell.press(boss, listed, buttons(listed)["Added"])  # two
    (told,) = await bell.replies(boss, after=keys["message_id"])
    assert told["text"].startswith("🔔 I'll send every new story from taps.all to Added.")
    (done,) = await bell.ask(ann, "/subscribe taps.all")
    answer = await bell.press(
        ann, done, buttons(done)["Options"].replace("sub:", "elsewhere:") + f":{added}"
    )
    assert "you and I are both admins" in answer["text"]
    await bell.press(ann, done, buttons(done)["Another chat"])
    (only,) = await bell.replies(ann, after=done["message_id"])
    assert "_reply_keyboard" in only


async def test_names_that_answer_a_question_come_as_one_button(
    bell: Bell, control: Control
) -> None:
    ann = await control.person()
    for name in ("asked.one", "asked.two"):
        await control.profile(name, posts_per_day=0)
    (asked,) = await bell.ask(ann, "/subscribe")
    for names in ("asked.one, @asked.two", "asked.one asked.two"):
        await bell.ask(ann, names, reply_to=asked["message_id"])
    _, *offers = await control.replies(ann)
    assert [list(buttons(one)) for one in offers] == [["Subscribe to all"]] * 2
    assert await control.billed_for("asked.one") == 0
    await bell.press(ann, offers[1], buttons(offers[1])["Subscribe to all"])
    await bell.replies(ann, 1, after=offers[1]["message_id"])
    (listed,) = await bell.ask(ann, "/subscriptions")
    assert {"🔔 asked.one", "🔔 asked.two"} <= set(buttons(listed))


async def test_after_a_city_that_is_none_another_is_taken(bell: Bell, control: Control) -> None:
    ann = await control.person()
    (failed,) = await bell.ask(ann, "/timezone Xqzwv")
    assert "I don't know the city" in failed["text"]
    assert "set:zone:Asia/Tokyo" in buttons(failed).values()
    (done,) = await bell.ask(ann, "Madrid")
    assert "Europe/Madrid" in done["text"]
    group = await control.chat("group", members={ann: "creator"})
    (failed,) = await bell.ask(group, "/timezone Xqzwv", user=ann)
    (done,) = await bell.ask(group, "Lima", user=ann, reply_to=failed["message_id"])
    assert "America/Lima" in done["text"]


async def test_a_file_alone_offers_what_it_lists(bell: Bell, control: Control) -> None:
    ann = await control.person()
    await control.profile("filed.one", posts_per_day=0)
    data = json.dumps({"subscriptions": ["filed.one", "filed.one"]}).encode()
    file = {"kind": "document", "base64": base64.b64encode(data).decode(), "name": "mine.json"}
    (offer,) = await bell.ask(ann, "", file={**file, "type": "application/json"})
    assert list(buttons(offer)) == ["Subscribe to 1 profile"]
    await bell.press(ann, offer, buttons(offer)["Subscribe to 1 profile"])
    (done,) = await bell.replies(ann, after=offer["message_id"])
    assert done["text"] == "Subscribed to 1 profile from this file."


async def test_back_leads_to_the_page_of_the_list_that_one_came_from(
    bell: Bell, control: Control
) -> None:
    ann = await control.person()
    names = [f"back{n:02}" for n in range(10)]
    for name in names:
        await control.profile(name, posts_per_day=0)
    await bell.ask(ann, "/subscribe " + " ".join(names))
    (page,) = await bell.ask(ann, "/subscriptions")
    for text in ("▶️", "🔔 back09", "« Back"):
        await bell.press(ann, page, buttons(page)[text])
        page = await bell.message(ann, page["message_id"])
    assert list(buttons(page)) == ["🔔 back08", "🔔 back09", "⚙️ All 10 subscriptions", "◀️"]


async def test_what_was_counted_when_one_subscribes_never_rings(
    bell: Bell, control: Control
) -> None:
    ann = await control.person()
    await control.profile("rings.not", posts_per_day=0)
    now = (await control.state())["now"]
    old = await control.publish("rings.not", taken_at=now - 5)
    await bell.ask(ann, "/subscribe rings.not")
    new = await control.publish("rings.not")

    async def alert() -> Json | None:
        found = await control.replies(ann)
        return next((one for one in found if one.get("_story_pk")), None)

    first = await wait_for(alert, 120, "an alert")
    assert first["_story_pk"] == new["pk"] != old["pk"]
    assert list(buttons(first)) == ["Open", "🔕 Mute", "⋯"]


async def test_sixty_plain_messages_are_each_answered_or_reacted_to(
    bell: Bell, control: Control
) -> None:
    assert len(PLAIN) == 60
    ann = await control.person()
    for text in PLAIN:
        await bell.noticed(ann, text, user=ann)


@pytest.mark.parametrize(
    ("name", "action"), [("taps.hang", {"hang": True}), ("taps.refused", refused("NO_RIGHTS"))]
)
async def test_a_press_is_answered_in_time_whatever_the_action_meets(
    bell: Bell, control: Control, name: str, action: Json
) -> None:
    ann, now = await control.person(), asyncio.get_running_loop().time
    await bell.ask(ann, "/help")
    page = await bell.old_post(ann, f"run:stories:{name}")
    await control.fault("stories", {"delay_s": 12}, match="by/username")
    await control.fault("telegram", action, match="sendChatAction")
    pressed_at = now()
    await bell.press(ann, page, f"run:stories:{name}")
    assert now() - pressed_at < 6


async def test_in_a_group_a_failure_is_read_where_the_press_was_answered_before_it(
    bell: Bell, control: Control
) -> None:
    boss = await control.person("Boss")
    group = await control.chat("supergroup", members={boss: "creator"})
    page = await bell.old_post(group, "run:highlights:taps.nobody")
    await control.fault("stories", {"delay_s": 6}, match="by/username")
    await bell.press(group, page, "run:highlights:taps.nobody", user=boss)
    (line,) = await bell.replies(group, after=page["message_id"])
    assert "can't find taps.nobody" in line["text"]
