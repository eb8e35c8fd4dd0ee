"""It answers: every message in a private chat, a command alone, a name, a mistyped command."""

import base64
import zlib
from pathlib import Path

import pytest

from bot.presentation.translation import translator_for
from handlers.settings import QUIET
from tests.support.control import Control, Json, refused, wait_for
from tests.support.storybell import NO_CHECKS, Bell, buttons, storybell

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.jumps]


def png() -> bytes:
    """Draw a white square of one dot."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        body = kind + data
        return len(data).to_bytes(4, "big") + body + zlib.crc32(body).to_bytes(4, "big")

    head = b"\x00\x00\x00\x01\x00\x00\x00\x01\x08\x02\x00\x00\x00"
    dots = zlib.compress(b"\x00\xff\xff\xff")
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", dots) + chunk(b"IEND", b"")


PICTURE = {"kind": "photo", "base64": base64.b64encode(png()).decode(), "type": "image/png"}


def bold(message: Json) -> list[str]:
    """What of a message's text is bold."""
    units = message["text"].encode("utf-16-le")
    return [
        units[2 * one["offset"] : 2 * (one["offset"] + one["length"])].decode("utf-16-le")
        for one in message["entities"]
        if one["type"] == "bold"
    ]


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
    assert buttons(card) == {
        "Show stories": "run:stories:natgeo",
        "🔔 Subscribe": "run:subscribe:natgeo",
        "Highlights": "run:highlights:natgeo",
    }
    assert await control.billed_for("natgeo") == before


async def test_a_link_to_stories_and_a_page_in_a_group_are_shown(
    bell: Bell, control: Control
) -> None:
    ann = await control.person()
    await control.profile("page.one")
    story = await control.publish("page.one")
    (photo,) = await bell.ask(ann, "https://www.instagram.com/stories/page.one/")
    assert photo["_story_pk"] == story["pk"]
    group = await control.chat("supergroup", members={ann: "creator"}, bot_status="administrator")
    (photo,) = await bell.ask(group, "https://www.instagram.com/page.one/", user=ann)
    assert photo["_story_pk"] == story["pk"]


async def test_the_buttons_of_a_name_show_and_subscribe(bell: Bell, control: Control) -> None:
    ann = await control.person()
    await control.profile("card.one")
    story = await control.publish("card.one")
    (card,) = await bell.ask(ann, "card.one")
    await bell.press(ann, card, "run:subscribe:card.one")
    (done,) = await control.wait_replies(ann, 1, after=card["message_id"])
    assert "send you every new story from card.one" in done["text"]
    (card,) = await bell.ask(ann, "card.one")
    assert list(buttons(card)) == ["Show stories", "Subscribed ✓ · Options", "Highlights"]
    await bell.press(ann, card, "run:stories:card.one")
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
    await bell.noticed(ann, "hello!", user=ann)
    (line,) = await bell.ask(ann, "hello there, it rains a lot here today")
    assert "I bring you Instagram stories" in line["text"]
    assert buttons(line) == {
        "Show natgeo": "run:stories:natgeo",
        "Subscriptions": "subs:0",
        "⚙️ Settings": "set:back",
        "❓ Help": "help",
    }
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
        await control.say(ann, "", file=PICTURE, media_group_id="77")
    (line,) = await control.wait_replies(ann, 1)
    await bell.ask(ann, "/help", count=1)

    async def helped() -> bool:
        said = await control.replies(ann)
        return any("all stories from a profile" in m["text"] for m in said)

    await wait_for(helped)
    assert len(await control.replies(ann)) == 2
    voice = {"kind": "voice", "base64": base64.b64encode(b"OggS").decode(), "type": "audio/ogg"}
    await control.call("POST", f"/chats/{bob}/messages", {"user_id": bob, "file": voice})
    (line,) = await control.wait_replies(bob, 1)
    assert "I bring you Instagram stories" in line["text"]


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


@pytest.mark.parametrize("command", ["unsubscribe", "why", "rules"])
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
    of_chat = {"For the whole chat": "rules:show"} if command == "rules" else {}
    assert buttons(asked) == {name: f"run:{command}:{name}"} | of_chat
    await bell.press(ann, asked, f"run:{command}:{name}")
    done = await bell.message(ann, asked["message_id"])  # the list is edited, not repeated
    assert name in done["text"]
    assert done["text"] != asked["text"]


async def test_subscribe_alone_asks_in_groups_and_topics_who_wrote_it(
    bell: Bell, control: Control
) -> None:
    boss, ann = await control.person("Boss"), await control.person()
    forum = await control.chat(
        "supergroup", members={boss: "creator", ann: "member"}, is_forum=True
    )
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
        "channel", "News", members={boss: "creator"}, bot_status="administrator"
    )
    (usage,) = await bell.ask(channel, "/subscribe", user=boss)
    assert usage["text"].startswith("Write it like this: /subscribe")


async def test_a_city_is_typed_in_any_language(bell: Bell, control: Control) -> None:
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
    (asked,) = await bell.ask(ann, "/timezone Brazil")
    assert "set:zone:America/Sao_Paulo" in buttons(asked).values()
    assert len(buttons(asked)) < 6
    (reply,) = await bell.ask(ann, "/timezone +2")
    assert "UTC+2" in reply["text"]
    (page,) = await bell.ask(ann, "/settings")
    await bell.press(ann, page, "set:zone")
    (reply,) = await bell.ask(ann, "барселона")
    assert "Europe/Madrid" in reply["text"]


async def test_quiet_hours_and_the_summary_are_typed(bell: Bell, control: Control) -> None:
    ann = await control.person()
    (page,) = await bell.ask(ann, "/settings")
    await bell.press(ann, page, "set:quiet")
    (asked,) = await bell.ask(ann, "23-7")
    assert asked["text"].endswith("or send me the name of a city.")
    (reply,) = await bell.ask(ann, "Madrid")
    assert "Europe/Madrid" in reply["text"]
    (reply,) = await bell.ask(ann, "/settings")
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
    group = await control.chat("supergroup", members={boss: "creator"})
    asked = translator_for(language)(QUIET).replace("\u200e", "").replace("\u200f", "")
    old = await bell.old_post(group, "set:quiet:0-0", text=asked)
    (reply,) = await bell.ask(group, "23-7", user=boss, reply_to=old["message_id"])
    assert "set:back" in buttons(reply).values()


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
    place = await control.chat(kind, members={boss: "creator"}, bot_status="administrator")
    (greeting,) = await bell.ask(place, "/start", user=boss)
    assert text in greeting["text"]
    assert ("Set it up" in buttons(greeting)) is (kind == "supergroup")


async def test_in_a_group_names_and_prose_are_left_alone(bell: Bell, control: Control) -> None:
    ann = await control.person()
    group = await control.chat("supergroup", members={ann: "creator"})
    for text in ("natgeo", "hello everybody", "/story natgeo"):
        await control.say(group, text, user=ann)
    (help_,) = await bell.ask(group, "/help", user=ann)
    assert await control.replies(group) == [help_]


@pytest.mark.parametrize(
    "why",
    ["message to edit not found", "message can't be edited", "MESSAGE_ID_INVALID"],
)
async def test_a_button_whose_message_is_gone_meanwhile_brings_a_new_one(
    bell: Bell, control: Control, why: str
) -> None:
    ann = await control.person()
    (page,) = await bell.ask(ann, "/settings")
    await control.fault("telegram", refused(why), match="editMessageText")
    await bell.press(ann, page, "set:zone")
    (anew,) = await control.wait_replies(ann, 1, after=page["message_id"])
    assert anew["text"].startswith("Which city's time")
    assert "set:back" in buttons(anew).values()


async def test_a_button_that_changes_nothing_says_so(bell: Bell, control: Control) -> None:
    ann = await control.person()
    (page,) = await bell.ask(ann, "/settings")
    assert not (await bell.press(ann, page, "subs:0")).get("text")
    answer = await bell.press(ann, page, "subs:00")
    assert answer["text"] == "Nothing has changed."


async def test_a_list_whose_message_is_gone_can_not_be_pressed(
    bell: Bell, control: Control
) -> None:
    ann = await control.person()
    (card,) = await bell.ask(ann, "natgeo, prada")
    await bell.delete(ann, card["message_id"])
    for data in buttons(card).values():
        answer = await bell.press(ann, card, data)
        assert "no longer works" in answer["text"]


async def test_connectives_in_a_list_of_names_are_not_bold(bell: Bell, control: Control) -> None:
    ann = await control.person(language_code="ru")
    for name in ("bold.one", "bold.two"):
        await control.profile(name)
    for text in ("/subscribe bold.one bold.two", "/subscribe bold.one bold.two fast"):
        (done,) = await bell.ask(ann, text)
        assert "bold.one и bold.two" in done["text"]
        assert bold(done) == ["bold.one", "bold.two"]


async def test_of_several_one_that_is_paused_says_so(bell: Bell, control: Control) -> None:
    ann = await control.person()
    for name in ("paused.one", "paused.two", "paused.three"):
        await control.profile(name)
    for name in ("paused.one", "paused.two"):
        (done,) = await bell.ask(ann, f"/subscribe {name}")
        number = buttons(done)["Options"].removeprefix("sub:")
        await bell.press(ann, done, f"opt:{number}:pause:on")
    for text in (
        "/subscribe paused.one paused.two paused.three fast",
        "/subscribe paused.one paused.two paused.three",
    ):
        (done,) = await bell.ask(ann, text)
        paused = "paused.one and paused.two: ⏸ Paused: no alerts until you resume them."
        assert paused in done["text"]


async def test_what_a_page_asks_for_is_typed_or_cancelled(bell: Bell, control: Control) -> None:
    ann = await control.person()
    (page,) = await bell.ask(ann, "/settings")
    await bell.press(ann, page, "set:zone")
    (card,) = await bell.ask(ann, "@natgeo")
    assert "Show stories" in buttons(card)
    (reply,) = await bell.ask(ann, "/cancel")
    assert reply["text"] == "Nothing has changed."
    (card,) = await bell.ask(ann, "natgeo")
    assert "Show stories" in buttons(card)
    await bell.press(ann, page, "set:quiet")
    for text in ("at night", "25", "25-3"):
        (asked,) = await bell.ask(ann, text)
        assert "When should I be quiet?" in asked["text"]
        assert "set:back" in buttons(asked).values()
    (page,) = await bell.ask(ann, "/settings")
    await bell.press(ann, page, "set:quiet")
    asked = await bell.message(ann, page["message_id"])
    (kept,) = await bell.ask(ann, "hm, never mind", reply_to=asked["message_id"])
    assert kept["text"] == "Nothing has changed."
    await bell.ask(ann, "22-6:30", reply_to=asked["message_id"])
    (reply,) = await bell.ask(ann, "/settings")
    assert "Quiet hours: 10:00 PM \u2013 6:30 AM" in " ".join(reply["text"].split())


async def test_member_without_the_right_to_subscribe_is_not_asked_for_a_profile(
    bell: Bell, control: Control
) -> None:
    boss, ann = await control.person("Boss"), await control.person()
    group = await control.chat("supergroup", members={boss: "creator", ann: "member"})
    (reply,) = await bell.ask(group, "/why", user=ann)
    assert reply["text"] == "This chat has no subscriptions yet. Start with /subscribe name."
    channel = await control.chat(
        "channel", members={boss: "creator", ann: "member"}, bot_status="administrator"
    )
    await bell.answers_for(channel, boss)
    await control.profile("asked.channel")
    await bell.ask(channel, "/subscribe asked.channel", user=boss)
    (reply,) = await bell.ask(channel, "/why", user=boss)
    assert reply["text"] == "Add a name, for example: /why natgeo"


async def test_several_names_are_not_taken_for_one(bell: Bell, control: Control) -> None:
    ann = await control.person()
    for name in ("first.one", "second.one"):
        await control.profile(name)
    (done,) = await bell.ask(ann, "/subscribe fast first.one second.one")
    assert bold(done) == ["first.one", "second.one"]
    (ended,) = await bell.ask(ann, "/unsubscribe first.one second.one nobody.here")
    assert ended["text"].splitlines() == [
        "Unsubscribed from 2 profiles.",
        "This chat isn't subscribed to nobody.here.",
    ]
    await control.say(ann, "", caption="first.one, second.one", file=PICTURE)
    (card,) = await control.wait_replies(ann, 1, after=ended["message_id"])
    assert list(buttons(card).values()) == ["many:stories", "many:subscribe"]


async def test_after_subscribing_it_says_how_soon_alerts_come_and_how_to_make_it_faster(
    tmp_path: Path,
) -> None:
    async with storybell(tmp_path, **NO_CHECKS) as bell:
        ann = await bell.control.person()
        for name in ("soon.one", "soon.two", "soon.three", "soon.four"):
            await bell.control.profile(name)
        (done,) = await bell.ask(ann, "/subscribe soon.one soon.two")
        assert "On average, alerts come about" in done["text"], done
        assert "turn on Check more often in Options" in done["text"]
        for text in ("/subscribe soon.three fast", "/subscribe soon.four soon.one fast"):
            (done,) = await bell.ask(ann, text)
            assert "every new story" in done["text"]
            assert "more often” in Options" not in done["text"]
            assert "I expect new stories to arrive about" in done["text"]


async def test_the_language_that_is_ticked_is_that_of_the_channel(
    bell: Bell, control: Control
) -> None:
    boss = await control.person("Boss", language_code="ru")
    channel = await control.chat("channel", members={boss: "creator"}, bot_status="administrator")
    await control.name_chat(channel, "ticked_news")
    await bell.ask(channel, "/language", user=boss)
    (page,) = await bell.ask(boss, "/language @ticked_news")
    ticked = [data for text, data in buttons(page).items() if text.startswith("✓")]
    assert [data.rpartition(":")[2] for data in ticked] == ["en"]
    await bell.press(boss, page, next(d for d in buttons(page).values() if d.endswith(":de")))
    (page,) = await bell.ask(boss, "/language @ticked_news")
    assert "✓ Deutsch" in buttons(page)


async def test_old_buttons_of_what_is_gone_say_what_is_gone(bell: Bell, control: Control) -> None:
    ann = await control.person()
    await control.profile("gone.sub")
    (done,) = await bell.ask(ann, "/subscribe gone.sub")
    options = buttons(done)["Options"]
    await bell.ask(ann, "/unsubscribe all")
    for data in (options, options.replace("sub:", "mute:")):
        answer = await bell.press(ann, done, data)
        assert answer["text"].startswith("This chat no longer has this subscription.")
    (page,) = await bell.ask(ann, "/subscriptions")
    answer = await bell.press(ann, page, "people:list:0")  # which the bot's owner had
    assert "no longer works" in answer["text"]


async def test_nothing_is_met_with_silence(bell: Bell, control: Control) -> None:
    ann = await control.person()
    (meant,) = await bell.ask(ann, "nat geo")
    assert buttons(meant) == {"natgeo": "run:stories:natgeo"}
    (unknown,) = await bell.ask(ann, "/foo")
    assert unknown["text"].startswith("I don't know the command /foo.")
    (line,) = await bell.ask(ann, "some words that ask for nothing")
    assert line["text"].startswith("I bring you Instagram stories.")
    for text in ("thanks", "more words that ask for nothing"):
        await bell.noticed(ann, text, user=ann)
    assert (await control.replies(ann))[-1] == line


async def test_words_that_are_names_are_not_joined(bell: Bell, control: Control) -> None:
    ann = await control.person()
    for name in ("wordone", "wordtwo"):
        await control.profile(name, posts_per_day=0)
        await bell.ask(ann, f"/subscribe {name}")
    before = len(await control.requests("stories", path="/v1/user/by/username"))
    for text in ("wordone wordtwo", "wordone and wordtwo"):
        (card,) = await bell.ask(ann, text)
        assert list(buttons(card).values()) == ["many:stories", "many:subscribe"], text
    for text in ("wordone wordnobody", "send me wordone", "wordone please"):
        (card,) = await bell.ask(ann, text)
        assert "run:stories:wordone" in buttons(card).values(), text
        assert len(buttons(card)) == 3, text
    (card,) = await bell.ask(ann, "show me wordthree please")
    assert "run:stories:wordthree" in buttons(card).values()
    assert len(await control.requests("stories", path="/v1/user/by/username")) == before


async def test_a_command_is_understood_as_a_caption(bell: Bell, control: Control) -> None:
    ann = await control.person()
    await control.profile("captioned.one", posts_per_day=0)
    (done,) = await bell.ask(ann, "", caption="/subscribe captioned.one", file=PICTURE)
    assert "every new story from captioned.one" in done["text"]
    (meant,) = await bell.ask(ann, "", caption="/follow captioned.one", file=PICTURE)
    assert list(buttons(meant).values()) == ["run:subscribe:captioned.one"]
    (usage,) = await bell.ask(ann, "/subscribe https://www.instagram.com/stories/highlights/17")
    assert usage["text"].startswith("Write it like this: /subscribe")


async def test_bare_stories_is_the_tray_of_what_is_held(bell: Bell, control: Control) -> None:
    ann = await control.person()
    for name in ("tray.one", "tray.none"):
        await control.profile(name, posts_per_day=0)
    await control.publish("tray.one")
    for name in ("tray.one", "tray.none"):
        await bell.ask(ann, f"/subscribe {name}")
    (tray,) = await bell.ask(ann, "/stories")
    assert buttons(tray) == {"tray.one": "live:tray.one", "🔄 Check now": "run:stories:tray.one"}
    (photo,) = await control.wait_replies(ann, 1, after=await pressed(bell, ann, tray))
    assert photo["_story_pk"]
    (card,) = await bell.ask(ann, "tray.one")
    assert card["text"].startswith("tray.one: 1 story")
    (none,) = await bell.ask(ann, "/stories tray.none")
    assert list(buttons(none)) == ["Subscribed ✓ · Options", "Highlights"]
    await bell.ask(ann, "/unsubscribe tray.one")
    (tray,) = await bell.ask(ann, "/stories")
    assert tray["text"].startswith("Nobody had stories")
    assert buttons(tray) == {"tray.none": "run:stories:tray.none"}


async def test_the_whole_tray_is_sent_oldest_first(bell: Bell, control: Control) -> None:
    ann = await control.person()
    now = (await control.state())["now"]
    names = ("tray.two", "tray.three")
    for name in names:
        await control.profile(name, posts_per_day=0)
    posted = [
        str((await control.publish(name, taken_at=now - minutes * 60))["pk"])
        for name, minutes in [(names[0], 90), *((names[1], 80 - n) for n in range(31))]
    ]
    for name in names:
        await bell.ask(ann, f"/subscribe {name}")
    (tray,) = await bell.ask(ann, "/stories")
    keys = buttons(tray)
    assert keys.pop("▶️ Send them all") == "tray"
    assert list(keys) == ["tray.three", "🔄 Check now", "tray.two"]
    await bell.press(ann, tray, "tray")

    async def is_told() -> Json | None:
        found = await control.replies(ann, tray["message_id"])
        return found[-1] if found and "text" in found[-1] else None

    told = await wait_for(is_told, what="the line below the albums")
    assert await control.shown(ann, tray["message_id"]) == posted[:30]
    first, second = told["text"].splitlines()
    assert first.startswith("These are from my last checks (the oldest: ")
    assert second.startswith("2 newer stories are not among them.")
    (again,) = await bell.ask(ann, "/stories")
    refused = await bell.press(ann, again, "tray")
    assert refused["text"].startswith("I've just sent these stories.")


async def bought_files(control: Control) -> int:
    """Return the number of billed downloads. Checks of other subscriptions do not count."""
    by_path = (await control.state())["billed"]["by_path"]
    return sum(number for path, number in by_path.items() if path.startswith("/v1/story/download"))


async def test_a_tap_on_a_name_of_the_tray_buys_no_file(bell: Bell, control: Control) -> None:
    ann = await control.person()
    await control.profile("tray.free", posts_per_day=0)
    story = await control.publish("tray.free")
    await bell.ask(ann, "/subscribe tray.free")
    (tray,) = await bell.ask(ann, "/stories")
    before = await bought_files(control)
    fault = await control.fault("cdn", {"status": 403}, times=None)
    await bell.press(ann, tray, "live:tray.free")
    (failed,) = await bell.replies(ann, after=tray["message_id"])
    await control.clear_faults(fault)
    assert "_story_pk" not in failed
    assert await bought_files(control) == before
    await bell.press(ann, tray, "run:stories:tray.free")
    await control.wait_shown(ann, [story["pk"]])


async def pressed(bell: Bell, chat: int, tray: Json) -> int:
    """Press the first button of a message; its number."""
    await bell.press(chat, tray, next(iter(buttons(tray).values())))
    return int(tray["message_id"])
