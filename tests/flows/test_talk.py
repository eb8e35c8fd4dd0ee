"""It answers: every message in a private chat, a command alone, a name, a mistyped command."""

import base64
import zlib

import pytest

from bot.presentation.translation import translator_for
from handlers.settings import QUIET_FROM
from tests.support.control import Control, Json, wait_for
from tests.support.storybell import Bell, buttons

pytestmark = pytest.mark.asyncio(loop_scope="module")


def png() -> bytes:
    """Draw a white square of one dot."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        body = kind + data
        return len(data).to_bytes(4, "big") + body + zlib.crc32(body).to_bytes(4, "big")

    head = b"\x00\x00\x00\x01\x00\x00\x00\x01\x08\x02\x00\x00\x00"
    dots = zlib.compress(b"\x00\xff\xff\xff")
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", dots) + chunk(b"IEND", b"")


PICTURE = {"kind": "photo", "base64": base64.b64encode(png()).decode(), "type": "image/png"}


@pytest.mark.parametrize(
    "text",
    [
        "natgeo",
        "NatGeo?",
        "@natgeo",
        "look at @natgeo please",
        "https://www.instagram.com/natgeo?igsh=abc",
    ],
)
async def test_a_name_gets_its_two_buttons_at_no_cost(
    bell: Bell, control: Control, text: str
) -> None:
    ann = await control.person()
    before = await control.billed_for("natgeo")
    (card,) = await bell.ask(ann, text)
    assert buttons(card) == {"Show": "stories:natgeo", "Subscribe": "run:subscribe:natgeo"}
    assert await control.billed_for("natgeo") == before


async def test_a_link_to_stories_and_a_page_in_a_group_are_shown(
    bell: Bell, control: Control
) -> None:
    ann = await control.person()
    await control.profile("page.one")
    story = await control.publish("page.one")
    (photo,) = await bell.ask(ann, "https://www.instagram.com/stories/page.one/")
    assert photo["_story_pk"] == story["pk"]
    members = [{"user_id": ann, "status": "creator"}]
    group = await control.chat("supergroup", members=members, bot_status="administrator")
    (photo,) = await bell.ask(group, "https://www.instagram.com/page.one/", user=ann)
    assert photo["_story_pk"] == story["pk"]


async def test_the_buttons_of_a_name_show_and_subscribe(bell: Bell, control: Control) -> None:
    ann = await control.person()
    await control.profile("card.one")
    story = await control.publish("card.one")
    (card,) = await bell.ask(ann, "card.one")
    await bell.press(ann, card, "run:subscribe:card.one")
    (done,) = await control.wait_replies(ann, 1, after=card["message_id"])
    assert "every new story from card.one to this chat" in done["text"]
    (card,) = await bell.ask(ann, "card.one")
    assert list(buttons(card)) == ["Show", "Subscribed ✓ · Options"]
    await bell.press(ann, card, "stories:card.one")
    (photo,) = await control.wait_replies(ann, 1, after=card["message_id"])
    assert photo["_story_pk"] == story["pk"]


@pytest.mark.parametrize(
    ("text", "data"),
    [
        ("/story natgeo", "run:stories:natgeo"),
        ("/stoires natgeo", "run:stories:natgeo"),
        ("/follow @natgeo", "run:subscribe:natgeo"),
    ],
)
async def test_a_mistyped_command_is_asked_about(
    bell: Bell, control: Control, text: str, data: str
) -> None:
    ann = await control.person()
    before = await control.billed_for("natgeo")
    (asked,) = await bell.ask(ann, text)
    assert asked["text"] == "Did you mean this?"
    assert list(buttons(asked).values()) == [data]
    assert await control.billed_for("natgeo") == before
    (asked,) = await bell.ask(ann, "/setings")
    assert asked["text"] == "Did you mean /settings?"


async def test_prose_gets_one_short_line_a_minute(bell: Bell, control: Control) -> None:
    ann = await control.person()
    (line,) = await bell.ask(ann, "hello there, what can you do for me?")
    assert "I bring Instagram stories" in line["text"]
    assert buttons(line) == {"Show natgeo": "stories:natgeo"}
    for text in ("thanks", "😀", "🎉 great!"):
        await control.say(ann, text)
    (help_,) = await bell.ask(ann, "/help")
    assert [m["message_id"] for m in await control.replies(ann)] == [
        line["message_id"],
        help_["message_id"],
    ]


async def test_an_album_of_photos_is_answered_once_and_a_voice_message_too(
    bell: Bell, control: Control
) -> None:
    ann, bob = await control.person(), await control.person("Bob")
    for _ in range(3):
        await control.call(
            "POST",
            f"/chats/{ann}/messages",
            {"user_id": ann, "file": PICTURE, "media_group_id": "77"},
        )
    (line,) = await control.wait_replies(ann, 1)
    await bell.ask(ann, "/help", count=1)

    async def helped() -> bool:
        return any(m["text"].startswith("See stories") for m in await control.replies(ann))

    await wait_for(helped)
    assert len(await control.replies(ann)) == 2
    voice = {"kind": "voice", "base64": base64.b64encode(b"OggS").decode(), "type": "audio/ogg"}
    await control.call("POST", f"/chats/{bob}/messages", {"user_id": bob, "file": voice})
    (line,) = await control.wait_replies(bob, 1)
    assert "I bring Instagram stories" in line["text"]


async def test_service_messages_edits_and_inline_results_get_no_answer(
    bell: Bell, control: Control
) -> None:
    ann = await control.person()
    message = await control.say(ann, "/help")
    await control.wait_replies(ann, 1, after=message)
    path = f"/chats/{ann}/messages/{message}"
    await control.call("PATCH", path, {"text": "some words, edited in"})
    await bell.ask(ann, "/help")
    assert len(await control.replies(ann)) == 2


@pytest.mark.parametrize("command", ["unsubscribe", "why", "preview", "rules"])
async def test_a_command_alone_lists_what_is_followed(
    bell: Bell, control: Control, command: str
) -> None:
    ann = await control.person()
    (question,) = await bell.ask(ann, f"/{command}")
    assert "Whose new stories should I send here?" in question["text"]
    assert question["_reply_keyboard"]["force_reply"] is True
    name = f"alone.{command}"
    await control.profile(name)
    await bell.ask(ann, name, reply_to=question["message_id"])
    (asked,) = await bell.ask(ann, f"/{command}")
    assert buttons(asked) == {name: f"run:{command}:{name}"}
    await bell.press(ann, asked, f"run:{command}:{name}")
    (done,) = await control.wait_replies(ann, 1, after=asked["message_id"])
    assert name in done["text"] or command == "preview"


async def test_subscribe_alone_asks_in_groups_and_topics_who_wrote_it(
    bell: Bell, control: Control
) -> None:
    boss, ann = await control.person("Boss"), await control.person()
    members = [{"user_id": boss, "status": "creator"}, {"user_id": ann, "status": "member"}]
    forum = await control.chat("supergroup", members=members, is_forum=True)
    await control.thread(forum, 7, "News")
    await control.profile("asked.topic")
    (question,) = await bell.ask(forum, "/subscribe", user=boss, thread_id=7)
    assert (
        question["_reply_keyboard"] | {"force_reply": True, "selective": True}
        == (question["_reply_keyboard"])
    )
    assert question["reply_to_message"]["text"] == "/subscribe"
    answer = {"thread_id": 7, "reply_to": question["message_id"]}
    (refused,) = await bell.ask(forum, "asked.topic", user=ann, **answer)
    assert "Only admins" in refused["text"]
    (done,) = await bell.ask(forum, "asked.topic", user=boss, **answer)
    assert "to this topic" in done["text"]
    channel = await control.chat(
        "channel", "News", members=members[:1], bot_status="administrator"
    )
    (usage,) = await bell.ask(channel, "/subscribe", user=boss)
    assert usage["text"].startswith("Write it like this: /subscribe")


async def test_undo_brings_a_subscription_back_with_its_options(
    bell: Bell, control: Control
) -> None:
    ann = await control.person()
    await control.profile("un.done")
    (done,) = await bell.ask(ann, "/subscribe un.done")
    await bell.press(ann, done, buttons(done)["Options"])
    page = await bell.message(ann, done["message_id"])
    await bell.press(ann, page, buttons(page)["▫️ Silent"])
    page = await bell.message(ann, done["message_id"])
    await bell.press(ann, page, buttons(page)["Unsubscribe"])
    ended = await bell.message(ann, done["message_id"])
    assert "Unsubscribed from un.done" in ended["text"]
    await bell.press(ann, ended, buttons(ended)["↩️ Undo"])
    page = await bell.message(ann, done["message_id"])
    assert "✅ Silent" in buttons(page)


async def test_a_city_is_typed_in_any_language_or_found_by_its_clock(
    bell: Bell, control: Control
) -> None:
    ann = await control.person()
    for typed, zone in (
        ("Москва", "Europe/Moscow"),
        ("Nueva York", "America/New York"),
        ("Львів", "Europe/Kyiv"),
        ("مشهد", "Asia/Tehran"),
        ("मुंबई", "Asia/Kolkata"),
    ):
        (reply,) = await bell.ask(ann, f"/timezone {typed}")
        assert zone in reply["text"]
    (page,) = await bell.ask(ann, "/settings")
    await bell.press(ann, page, "set:zone")
    (reply,) = await bell.ask(ann, "барселона")
    assert "Europe/Madrid" in reply["text"]
    for data in ("set:zone", "set:clock", "set:clock:345"):
        await bell.press(ann, page, data)
    assert "Asia/Kathmandu" in (await bell.message(ann, page["message_id"]))["text"]


async def test_quiet_hours_and_the_summary_are_typed(bell: Bell, control: Control) -> None:
    ann = await control.person()
    (page,) = await bell.ask(ann, "/settings")
    await bell.press(ann, page, "set:quiet")
    (reply,) = await bell.ask(ann, "23-7")
    assert "Quiet hours: 11:00 PM \u2013 7:00 AM" in " ".join(reply["text"].split())
    await bell.press(ann, page, "set:digest")
    asked = await bell.message(ann, page["message_id"])
    (reply,) = await bell.ask(ann, "9:30 pm", reply_to=asked["message_id"])
    assert "Daily summary at: 9:30 PM" in " ".join(reply["text"].split())


@pytest.mark.parametrize("language", ["ar", "fa"])
async def test_a_question_of_before_an_update_is_answered_after_it(
    bell: Bell, control: Control, language: str
) -> None:
    boss = await control.person("Boss", language_code=language)
    group = await control.chat("supergroup", members=[{"user_id": boss, "status": "creator"}])
    asked = translator_for(language)(QUIET_FROM).replace("\u200e", "").replace("\u200f", "")
    old = await bell.old_post(group, "set:quiet:off", text=asked)
    (reply,) = await bell.ask(group, "23-7", user=boss, reply_to=old["message_id"])
    assert "set:quiet" in buttons(reply).values()


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("supergroup", "sends every new one to this group (admins only)"),
        ("channel", "I can post the new stories of Instagram profiles in this channel"),
    ],
)
async def test_start_says_what_works_where_it_is_written(
    bell: Bell, control: Control, kind: str, text: str
) -> None:
    boss = await control.person("Boss")
    members = [{"user_id": boss, "status": "creator"}]
    place = await control.chat(kind, members=members, bot_status="administrator")
    (greeting,) = await bell.ask(place, "/start", user=boss)
    assert text in greeting["text"]
    assert "?start=" in buttons(greeting)["Set it up"]


async def test_in_a_group_names_and_prose_are_left_alone(bell: Bell, control: Control) -> None:
    ann = await control.person()
    members: list[Json] = [{"user_id": ann, "status": "creator"}]
    group = await control.chat("supergroup", members=members)
    for text in ("natgeo", "hello everybody", "/story natgeo"):
        await control.say(group, text, user=ann)
    (help_,) = await bell.ask(group, "/help", user=ann)
    assert await control.replies(group) == [help_]
