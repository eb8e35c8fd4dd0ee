"""The chat's own settings, what it has used, and how it is forgotten."""

import asyncio
from argparse import Namespace
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
import sqlalchemy as sa

from bot.cli import erase
from bot.domain.options import Options
from bot.domain.records import Chat
from bot.domain.selection import predict_outcome
from bot.presentation.translation import languages_by_code
from bot.store import chats
from bot.store.engine.database import Database, all_tables
from tests.bot.store.test_chat_settings import WEEK, waiting
from tests.flows.test_followed_accounts import document, listed, names_of
from tests.support.control import Control, Json, wait_for
from tests.support.sandbox import sandbox_box
from tests.support.storybell import Bell, buttons, running_bell, storybell

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.jumps]


async def test_the_language_is_telegrams_until_one_is_chosen(bell: Bell, control: Control) -> None:
    eva = await control.person("Eva", language_code="ru")
    (choice,) = await bell.ask(eva, "/language")
    assert "✓ Русский" in buttons(choice)
    await bell.press(eva, choice, "language:id")
    changed = await bell.message(eva, choice["message_id"])
    assert "Русский" in buttons(changed)  # the way back from a language pressed by mistake
    (reply,) = await bell.ask(eva, "/stories @quiet")
    assert "quiet" in reply["text"]
    (choice,) = await bell.ask(eva, "/language")
    assert "✓ Bahasa Indonesia" in buttons(choice)


async def test_the_zone_by_name_and_by_city(bell: Bell, control: Control) -> None:
    ann = await control.person()
    (reply,) = await bell.ask(ann, "/timezone Europe/Madrid")
    assert "Europe/Madrid" in reply["text"]
    (reply,) = await bell.ask(ann, "/timezone Mars/Olympus")
    assert "I don't know the city or time zone Mars/Olympus" in reply["text"]
    (cities,) = await bell.ask(ann, "/timezone")
    await bell.press(ann, cities, buttons(cities)["Tokyo"])
    assert "Asia/Tokyo" in (await bell.message(ann, cities["message_id"]))["text"]
    await bell.ask(ann, "/timezone")
    (reply,) = await bell.ask(ann, "Nice")  # small talk, except after this question
    assert "Europe/Paris" in reply["text"]


@pytest.mark.parametrize("page", ["zone", "digest", "quiet"])
async def test_a_request_after_the_question_for_a_setting_is_a_request(
    bell: Bell, control: Control, page: str
) -> None:
    ann = await control.person()
    for text, part in (
        ("stop kp", "no subscriptions yet"),
        ("delete my data", "Delete everything"),
        ("help", "/stories"),
        ("subscribe me to nike", "nike"),
    ):
        (settings,) = await bell.ask(ann, "/settings")
        await bell.press(ann, settings, f"set:{page}")
        (reply,) = await bell.ask(ann, text)
        assert part in f"{reply['text']} {buttons(reply)}", text
        (reply,) = await bell.ask(ann, text, reply_to=settings["message_id"])
        assert part in f"{reply['text']} {buttons(reply)}", text
        assert "I don't know the city" not in reply["text"], text


async def test_a_typed_never_ends_the_quiet_hours(bell: Bell, control: Control) -> None:
    eva = await control.person(language_code="de")
    for text in ("nie", "off"):
        (page,) = await bell.ask(eva, "/settings")
        await bell.press(eva, page, "set:quiet:22-7")
        (page,) = await bell.ask(eva, "/settings")
        await bell.press(eva, page, "set:quiet")
        (shown,) = await bell.ask(eva, text)
        assert "Ruhezeiten: keine" in shown["text"], text


async def test_a_question_for_a_city_leaves_names_and_doubts_alone(
    bell: Bell, control: Control
) -> None:
    ann = await control.person()
    await bell.ask(ann, "/timezone")
    (card,) = await bell.ask(ann, "natgeo")
    assert "run:stories:natgeo" in buttons(card).values()
    (asked,) = await bell.ask(ann, "I don't know")
    assert "set:zone:Europe/London" in buttons(asked).values()
    await bell.ask(ann, "/timezone")
    await bell.noticed(ann, "nice, thanks", user=ann)
    (page,) = await bell.ask(ann, "/settings")
    assert "Time zone: UTC (not set), now" in page["text"]


@pytest.mark.parametrize(
    ("language", "statement", "remark"),
    [
        ("en", "I live in Berlin", "nice"),
        ("pt-br", "moro em Berlin", "merda"),
        ("it", "vivo a Berlin", "vergogna"),
        ("en", "I live in Berlin", "brother"),
        ("it", "vivo a Berlin", "è caro"),
        ("de", "ich wohne in Berlin", "gestern"),
    ],
)
async def test_a_remark_after_a_stated_place_sets_no_time_zone(
    bell: Bell, control: Control, language: str, statement: str, remark: str
) -> None:
    ann = await control.person(language_code=language)
    (asked,) = await bell.ask(ann, statement)
    assert "set:zone:Europe/Berlin" in buttons(asked).values()
    await bell.noticed(ann, remark, user=ann)
    (page,) = await bell.ask(ann, "/settings")
    assert "UTC" in page["text"]
    await bell.ask(ann, statement)
    (reply,) = await bell.ask(ann, "Pariss")
    assert "Europe/Paris" in reply["text"]


async def test_a_doubt_and_a_country_keep_the_question_for_a_setting_open(
    bell: Bell, control: Control
) -> None:
    ann = await control.person()
    for page, text, data in (
        ("zone", "no idea", "set:zone:Europe/London"),
        ("zone", "new zealand", "set:zone:Pacific/Auckland"),
        ("digest", "what do you mean?", "set:digest:9"),
        ("quiet", "idk", "set:quiet:22-7"),
    ):
        (settings,) = await bell.ask(ann, "/settings")
        await bell.press(ann, settings, f"set:{page}")
        (asked,) = await bell.ask(ann, text)
        assert data in buttons(asked).values(), text
        (asked,) = await bell.ask(ann, text, reply_to=asked["message_id"])
        assert data in buttons(asked).values(), text


async def test_a_doubt_that_resembles_an_hour_sets_no_hour(bell: Bell, control: Control) -> None:
    """The Portuguese "sei" (I know) is also the Italian word for six."""
    ann = await control.person(language_code="pt-br")
    (settings,) = await bell.ask(ann, "/settings")
    await bell.press(ann, settings, "set:digest")
    for reply_to in (None, settings["message_id"]):
        (asked,) = await bell.ask(ann, "sei lá", reply_to=reply_to)
        assert "set:digest:9" in buttons(asked).values()
    (page,) = await bell.ask(ann, "/settings")
    assert "09:00" in page["text"]


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("en", "stop|Stop!|cancel|forget it|nothing"),
        ("es", "stop|cancelar|da igual"),
        ("pt-br", "stop|cancelar|esqueça"),
        ("de", "stop|abbrechen|doch nicht"),
        ("fr", "stop|annuler|laisse"),
        ("it", "stop|annulla|niente"),
        ("tr", "stop|iptal et|vazgeç|gerek yok"),
        ("ru", "stop|отменить|отмени|не надо|не нужно|стоп"),
        ("ar", "stop|ألغي|إلغاء|لا شيء"),
        ("id", "stop|batal|tidak ada"),
        ("uk", "stop|скасуй|не треба|не потрібно|стоп"),
        ("fa", "stop|لغو|لغو کن|ولش کن"),
        ("hi", "stop|रद्द करें|छोड़ो"),
    ],
)
async def test_a_word_of_cancellation_cancels_the_question_for_a_setting(
    bell: Bell, control: Control, language: str, words: str
) -> None:
    ann = await control.person(language_code=language)
    (kept,) = await bell.ask(ann, "cancel")
    for text in words.split("|"):
        for page in ("zone", "digest", "quiet"):
            (settings,) = await bell.ask(ann, "/settings")
            await bell.press(ann, settings, f"set:{page}")
            (reply,) = await bell.ask(ann, text)
            assert reply["text"] == kept["text"], (page, text)
            (reply,) = await bell.ask(ann, text, reply_to=settings["message_id"])
            assert reply["text"] == kept["text"], (page, text)


async def test_stop_after_a_question_that_nobody_requested_is_a_request(
    bell: Bell, control: Control
) -> None:
    ann = await control.person()
    (page,) = await bell.ask(ann, "/settings")
    await bell.press(ann, page, "set:quiet:22-7")
    assert "I need to know where you are" in (await bell.message(ann, page["message_id"]))["text"]
    (reply,) = await bell.ask(ann, "stop")
    assert "no subscriptions yet" in reply["text"]


async def test_an_unreadable_time_is_named_before_the_question_is_repeated(
    bell: Bell, control: Control
) -> None:
    ann = await control.person()
    (page,) = await bell.ask(ann, "/settings")
    for setting, question in (("quiet", "When should I be quiet?"), ("digest", "daily summary")):
        await bell.press(ann, page, f"set:{setting}")
        (again,) = await bell.ask(ann, "25:99")
        assert again["text"].startswith("I can't read 25:99 as a time.")
        assert question in again["text"]
        (kept,) = await bell.ask(ann, "22-7" if setting == "quiet" else "9:30")
        assert "I can't read" not in kept["text"]


async def test_the_option_of_a_daily_summary_names_the_hour_and_asks_for_the_zone(
    bell: Bell, control: Control
) -> None:
    ann = await control.person()
    await control.profile("summed.up", posts_per_day=0)
    (page,) = await bell.ask(ann, "/subscribe summed.up")
    one = buttons(page)["Options"].partition(":")[2]
    await bell.press(ann, page, f"opt:{one}:digest:on")
    page = await bell.message(ann, page["message_id"])
    text = " ".join(page["text"].split())
    assert "The daily summary arrives at 9:00 AM." in text
    assert "So that 9:00 AM is your 9:00 AM" in text
    await bell.ask(ann, "/timezone London")
    await bell.press(ann, page, f"opt:{one}:fast:on")
    page = await bell.message(ann, page["message_id"])
    assert "The daily summary arrives at 9:00 AM." in " ".join(page["text"].split())
    assert "🌍 Time zone" not in buttons(page)
    (why,) = await bell.ask(ann, "/why summed.up")
    assert "The daily summary arrives at 9:00 AM." in " ".join(why["text"].split())
    assert "I expect" not in why["text"]
    await bell.press(ann, page, f"opt:{one}:digest:off")
    assert "arrives at" not in (await bell.message(ann, page["message_id"]))["text"]


@pytest.mark.parametrize(
    ("name", "pressed"),
    [
        ("one.city", ["opt:{n}:digest:on"]),
        ("all.city", ["all:digest:on", "all:digest:on:save"]),
        ("page.city", ["opt:{n}:digest:on", "set:back", "sub:{n}:when"]),
    ],
)
async def test_a_city_after_a_page_of_the_summary_is_the_place_of_the_person(
    bell: Bell, control: Control, name: str, pressed: list[str]
) -> None:
    ann = await control.person()
    for subscribed in (name, f"{name}.b"):
        await control.profile(subscribed, posts_per_day=0)
    await bell.ask(ann, f"/subscribe {name}.b")
    (page,) = await bell.ask(ann, f"/subscribe {name}")
    number = buttons(page)["Options"].partition(":")[2]
    for data in pressed:
        await bell.press(ann, page, data.format(n=number))
    page = await bell.message(ann, page["message_id"])
    assert "I need to know where you are" in page["text"]
    (told,) = await bell.ask(ann, "Berlin")
    assert "Europe/Berlin" in told["text"]
    (card,) = await bell.ask(ann, "Lisbon")  # the question has been answered
    assert "run:stories:lisbon" in buttons(card).values()


async def test_an_hour_without_a_summary_says_how_to_turn_the_summary_on(
    bell: Bell, control: Control
) -> None:
    ann = await control.person()
    hint = "No subscription uses the daily summary yet. Choose a profile in /subscriptions"
    await control.profile("not.summed", posts_per_day=0)
    await bell.ask(ann, "/timezone London")
    (page,) = await bell.ask(ann, "/settings")
    await bell.press(ann, page, "set:digest:8")
    assert hint not in (await bell.message(ann, page["message_id"]))["text"]  # nothing is followed
    (followed,) = await bell.ask(ann, "/subscribe not.summed")
    (page,) = await bell.ask(ann, "/settings")
    assert hint in page["text"]
    one = buttons(followed)["Options"].partition(":")[2]
    await bell.press(ann, followed, f"opt:{one}:digest:on")
    (page,) = await bell.ask(ann, "/settings")
    assert hint not in page["text"]
    await bell.press(ann, followed, f"opt:{one}:digest:off")
    await bell.press(ann, page, "set:digest:9")
    assert hint not in (await bell.message(ann, page["message_id"]))["text"]  # the usual hour


async def test_the_named_hour_of_a_summary_in_quiet_hours_is_their_end(
    bell: Bell, control: Control
) -> None:
    ann = await control.person()
    await control.profile("summed.at.night", posts_per_day=0)
    await bell.ask(ann, "/timezone London")
    (page,) = await bell.ask(ann, "/settings")
    for data in ("set:quiet:22-8", "set:digest:7"):
        await bell.press(ann, page, data)
    assert "Daily summary at: 7:00 AM" in (await bell.message(ann, page["message_id"]))["text"]
    (page,) = await bell.ask(ann, "/subscribe summed.at.night")
    one = buttons(page)["Options"].partition(":")[2]
    await bell.press(ann, page, f"opt:{one}:digest:on")
    shown = (await bell.message(ann, page["message_id"]))["text"]
    assert "The daily summary arrives at 8:00 AM." in " ".join(shown.split())
    (why,) = await bell.ask(ann, "/why summed.at.night")
    assert "The daily summary arrives at 8:00 AM." in " ".join(why["text"].split())


async def test_quiet_hours_and_digest_by_buttons(bell: Bell, control: Control) -> None:
    ann = await control.person()
    (page,) = await bell.ask(ann, "/settings")
    assert "Time zone: UTC (not set), now" in page["text"]
    for data in ("set:quiet", "set:quiet:22-7"):
        await bell.press(ann, page, data)
    (card,) = await bell.ask(ann, "natgeo")  # this is no city, and the question was the bot's own
    assert "run:stories:natgeo" in buttons(card).values()
    asked = await bell.message(ann, page["message_id"])
    assert " ".join(asked["text"].split()).startswith("So that 10:00 PM is your 10:00 PM")
    assert len(buttons(asked)) == 10
    await bell.press(ann, page, "set:zone:Europe/London")
    await bell.press(ann, page, "set:digest")
    assert len(buttons(await bell.message(ann, page["message_id"]))) == 9
    await bell.press(ann, page, "set:digest:18")
    text = " ".join((await bell.message(ann, page["message_id"]))["text"].split())
    assert "Quiet hours: 10:00 PM \u2013 7:00 AM Daily summary at: 6:00 PM" in text
    await bell.press(ann, page, "set:quiet")
    await bell.press(ann, page, "set:quiet:0-0")
    assert "Quiet hours: none" in (await bell.message(ann, page["message_id"]))["text"]


async def test_each_button_that_moves_alerts_asks_for_the_time_zone(
    bell: Bell, control: Control
) -> None:
    """Each value on the pages of /settings is pressed in a chat of its own without a time zone."""
    ann = await control.person()
    (page,) = await bell.ask(ann, "/settings")
    before = await stored(bell, ann)
    topics = {data for data in buttons(page).values() if data.startswith("set:")} - {"set:zone"}
    moving = set()
    for topic in sorted(topics):
        await bell.press(ann, page, topic)
        shown = buttons(await bell.message(ann, page["message_id"])).values()
        values = [data for data in shown if data.startswith(f"{topic}:")]
        for data in values or [topic]:
            person = await control.person()
            (own,) = await bell.ask(person, "/settings")
            for press in dict.fromkeys((topic, data)):
                await bell.press(person, own, press)
            if not moves_alerts(before, replace(await stored(bell, person), id=before.id)):
                continue
            moving.add(topic)
            cities = buttons(await bell.message(person, own["message_id"])).values()
            assert any(city.startswith("set:zone:") for city in cities), (
                f"{data} moves alerts: see _expect_zone_and_get_page_if_missing in "
                "handlers/settings.py"
            )
    assert moving >= {"set:quiet", "set:digest"}


async def stored(bell: Bell, chat: int) -> Chat:
    async with Database(bell.settings.database_url.get_secret_value()) as db, db.read() as tx:
        found = await chats.get(tx, chat)
    assert found
    return found


def moves_alerts(before: Chat, after: Chat) -> bool:
    """Return whether a change of a chat changes the outcome of a story in any hour of a week."""
    return any(
        predict_outcome(row, before, (), now=hour) != predict_outcome(row, after, (), now=hour)
        for hour in WEEK
        for is_digest in (False, True)
        for row in [waiting(Options(digest=is_digest), found_at=hour)]
    )


async def channel_in_madrid(bell: Bell, name: str, *admins: int) -> None:
    """Create the channel "News" with a user name and a time zone."""
    members = dict.fromkeys(admins, "administrator")
    channel = await bell.control.chat(
        "channel", "News", members=members, bot_status="administrator"
    )
    await bell.control.name_chat(channel, name)
    await bell.ask(channel, "/timezone Madrid", user=admins[0])


async def test_typed_value_changes_the_chat_whose_page_asked_last(
    bell: Bell, control: Control
) -> None:
    ann = await control.person()
    await channel_in_madrid(bell, "typed_news", ann)
    (own,) = await bell.ask(ann, "/settings")
    (theirs,) = await bell.ask(ann, "/settings @typed_news")
    await bell.press(ann, own, buttons(own)["🌙 Quiet hours"])
    for setting, typed in (("🌙 Quiet hours", "21-5"), ("📰 Daily summary", "9:30")):
        await bell.press(ann, theirs, buttons(theirs)[setting])
        (shown,) = await bell.ask(ann, typed)
        assert shown["text"].startswith("📣 News")
        theirs = shown
    assert "Quiet hours: 9:00 PM \u2013 5:00 AM" in " ".join(theirs["text"].split())
    (own,) = await bell.ask(ann, "/settings")
    assert "Quiet hours: none" in own["text"]
    asked = await bell.message(ann, own["message_id"])
    (theirs,) = await bell.ask(ann, "/settings @typed_news")
    await bell.press(ann, theirs, buttons(theirs)["🌙 Quiet hours"])
    await bell.press(ann, asked, buttons(asked)["📰 Daily summary"])
    (shown,) = await bell.ask(ann, "22-7", reply_to=theirs["message_id"])  # not what asked last
    assert shown["text"].startswith("📣 News")
    assert "Quiet hours: 10:00 PM \u2013 7:00 AM" in " ".join(shown["text"].split())


async def test_a_doubt_keeps_the_question_about_the_managed_channel(
    bell: Bell, control: Control
) -> None:
    ann = await control.person()
    await channel_in_madrid(bell, "doubted_news", ann)
    (theirs,) = await bell.ask(ann, "/settings @doubted_news")
    await bell.press(ann, theirs, buttons(theirs)["🌙 Quiet hours"])
    (asked,) = await bell.ask(ann, "idk")
    assert asked["text"].startswith("📣 News")
    (shown,) = await bell.ask(ann, "21-5")
    assert shown["text"].startswith("📣 News")
    assert "Quiet hours: 9:00 PM \u2013 5:00 AM" in " ".join(shown["text"].split())
    (own,) = await bell.ask(ann, "/settings")
    assert "Quiet hours: none" in own["text"]


async def test_two_admins_change_different_defaults_at_the_same_time(
    bell: Bell, control: Control
) -> None:
    ann, bob = await control.person(), await control.person("Bob")
    await channel_in_madrid(bell, "defaults_news", ann, bob)
    pages: dict[int, Json] = {}
    for admin in (ann, bob):
        (page,) = await bell.ask(admin, "/settings @defaults_news")
        await bell.press(admin, page, buttons(page)["🔔 Default options"])
        pages[admin] = await bell.message(admin, page["message_id"])
    await asyncio.sleep(61)  # the cached rights expire
    await bell.ask(bob, "/settings @defaults_news")
    await control.fault("telegram", {"delay_s": 5}, match="getChatMember")
    late = await control.press(ann, pages[ann]["message_id"], _named(pages[ann], "Silent"))
    await bell.press(bob, pages[bob], _named(pages[bob], "No forwarding"))
    await bell.answered(late)
    shown = buttons(await bell.message(ann, pages[ann]["message_id"]))
    assert {"✅ Silent", "✅ No forwarding"} <= set(shown), shown


def _named(page: Json, option: str) -> str:
    """Return the data of the button that turns an option on."""
    return buttons(page)[f"▫️ {option}"]


async def test_usage_counts_what_was_asked(bell: Bell, control: Control) -> None:
    ann = await control.person()
    await control.profile("used.up")
    await control.publish("used.up")
    await bell.ask(ann, "/stories used.up")
    (report,) = await bell.ask(ann, "/usage")
    assert "1 story today" in report["text"]
    assert "% of today's limit used; it resets at 12:00 AM" in report["text"]
    assert "This month: 3 credits (less than $0.01), paid by the bot's owner" in report["text"]


async def test_the_month_of_a_group_by_member_if_its_admins_say_so(
    bell: Bell, control: Control
) -> None:
    ann, bob = await control.person("Ann"), await control.person("Bob <b>")
    members = {ann: "creator", bob: "member"}
    group = await control.chat("group", members=members, bot_status="left")
    added = {"status": "administrator", "by": ann}
    await control.call("PUT", f"/chats/{group}/members/bot", added)
    await control.wait_replies(group)  # the greeting; Ann is now the payer
    for name in ("bill.one", "bill.two", "bill.three"):
        await control.profile(name, posts_per_day=0)
    await control.publish("bill.one")
    pk = (await control.publish("bill.two"))["pk"]
    await bell.ask(group, "/stories bill.one", user=bob)
    await bell.ask(group, f"https://www.instagram.com/stories/bill.two/{pk}/", user=ann)

    async def comes(*lines: str) -> None:
        """Wait for these lines of /usage: the bill is settled after the answer."""

        async def is_said() -> bool:
            (report,) = await bell.ask(group, "/usage", user=bob)
            return [line for line in report["text"].splitlines() if "credit" in line] == [*lines]

        await wait_for(is_said, what=str(lines))

    total = "This month: 4 credits (less than $0.01), paid by the bot's owner"
    await comes(total)
    (page,) = await bell.ask(group, "/settings", user=ann)
    await bell.press(group, page, "set:parts:on", user=bob)
    assert "▫️ Cost by member" in buttons(await bell.message(group, page["message_id"]))
    await bell.press(group, page, buttons(page)["▫️ Cost by member"], user=ann)
    assert "✅ Cost by member" in buttons(await bell.message(group, page["message_id"]))
    group = await control.migrate(group)  # the setting and the bill move with the group
    parts = [total, "• Bob <b>: 3 credits (less than $0.01)", "• Ann: 1 credit (less than $0.01)"]
    await comes(*parts)
    # The request of an anonymous admin is billed to the payer, Ann, but not shown as hers.
    await bell.ask(group, "/stories bill.three", user=ann, sender_chat_id=group)
    total = "This month: 7 credits (less than $0.01), paid by the bot's owner"
    await comes(total, *parts[1:], "• Others: 3 credits (less than $0.01)")
    (page,) = await bell.ask(group, "/settings", user=ann)
    await bell.press(group, page, buttons(page)["✅ Cost by member"], user=ann)
    await comes(total)
    (own,) = await bell.ask(ann, "/settings")
    assert not any("Cost by member" in one for one in buttons(own))


async def test_the_cost_of_a_member_whose_request_had_no_result_is_shown_by_name(
    bell: Bell, control: Control
) -> None:
    ann, eve = await control.person("Ann"), await control.person("Eve")
    members = {ann: "creator", eve: "member"}
    group = await control.chat("group", members=members, bot_status="left")
    added = {"status": "administrator", "by": ann}
    await control.call("PUT", f"/chats/{group}/members/bot", added)
    await control.wait_replies(group)
    await control.profile("bill.none", posts_per_day=0)
    (none,) = await bell.ask(group, "/stories bill.none", user=eve)
    assert "has no stories right now" in none["text"]
    (page,) = await bell.ask(group, "/settings", user=ann)
    await bell.press(group, page, "set:parts:on", user=ann)
    (report,) = await bell.ask(group, "/usage", user=ann)
    assert "• Eve: 3 credits (less than $0.01)" in report["text"]


async def test_a_chat_is_erased_when_it_asks(bell: Bell, control: Control) -> None:
    ann = await control.person()
    await control.profile("to.forget")
    await bell.ask(ann, "/subscribe to.forget")
    (page,) = await bell.ask(ann, "/privacy")
    await bell.press(ann, page, "erase")
    await bell.press(ann, page, "erase:no")
    assert "What I store about this chat" in (await bell.message(ann, page["message_id"]))["text"]
    (page,) = await bell.ask(ann, "/privacy")
    await bell.press(ann, page, "erase")
    await bell.press(ann, page, "erase:yes")
    assert "has been deleted" in (await bell.message(ann, page["message_id"]))["text"]
    (reply,) = await bell.ask(ann, "/subscriptions")
    assert "no subscriptions yet" in reply["text"]


async def test_the_operator_erases_a_chat_without_a_trace_of_its_number(
    bell: Bell, control: Control, capsys: pytest.CaptureFixture[str]
) -> None:
    ann = await control.person()
    group = await control.chat("group", members={ann: "creator"})
    await control.profile("for.two")
    await control.publish("for.two")
    await bell.ask(ann, "/subscribe for.two")
    await bell.ask(group, "/stories @quiet", user=ann)
    await bell.ask(group, "/subscribe for.two", user=ann)
    async with Database(bell.settings.database_url.get_secret_value()) as db:
        assert await erase.main(Namespace(chat=ann), db, place="bot.db") == 0
        assert f"The data of {ann} is deleted from bot.db." in capsys.readouterr().out
        async with db.read() as tx:
            left = {
                f"{table.name}.{name}"
                for table in all_tables().sorted_tables
                for row in (await tx.execute(sa.select(table))).mappings()
                for name, value in row.items()
                if str(ann) in str(value) and name != "update_id"
            }
        # What /privacy names: who may use the bot, and that today's allowance is used.
        assert left <= {"access_list.subject", "access_list.added_by", "allowances.subject"}
        assert await erase.main(Namespace(chat=ann), db, place="bot.db") == 0
    assert f"No chat {ann} was stored in bot.db" in capsys.readouterr().out


async def test_the_menu_is_there_in_every_language(
    tmp_path: Path,
) -> None:
    wanted = {
        None,
        *(code for code in languages_by_code() if len(code) == 2),
    }  # as Telegram takes them
    assert {"en", "pt", "kk", "ps"} < wanted
    async with storybell(tmp_path) as bell:

        async def all_there() -> bool:
            menus = await bell.control.requests("telegram", path="setMyCommands")
            return {menu["params"].get("language_code") for menu in menus} == wanted

        await wait_for(all_there, what="the menus, given one after the other")


async def test_a_chat_that_chose_its_language_has_the_menu_in_it_and_operators_keep_theirs(
    tmp_path: Path,
) -> None:
    async with sandbox_box() as box:
        boss, ann = await box.control.person("Boss"), await box.control.person("Ann")

        async def menus(chat: int) -> list[list[Json]]:
            given = await box.control.requests("telegram", path="setMyCommands")
            own = [one["params"] for one in given if str(chat) in str(one["params"].get("scope"))]
            return [one["commands"] for one in own]

        async def has(chat: int, count: int) -> bool:
            return len(await menus(chat)) == count

        async with running_bell(tmp_path, box, admin_ids=[boss]) as bell:
            (choice,) = await bell.ask(ann, "/language")
            assert not await menus(ann)
            await bell.press(ann, choice, "language:de")
            await wait_for(partial(has, ann, 1))
            assert "Profils" in str(await menus(ann))
            (choice,) = await bell.ask(boss, "/language")
            await bell.press(boss, choice, "language:de")
            await wait_for(partial(has, boss, 2))
            english, german = await menus(boss)
            named = [one["command"] for one in german]
            assert "health" in named
            assert named == [one["command"] for one in english]
            assert english != german
            await bell.ask(ann, "/help")
            url = bell.settings.database_url.get_secret_value()
            async with Database(url) as db, db.begin() as tx:
                await chats.change(tx, ann, menu="another")  # as before an update of the bot
            await bell.ask(ann, "/help")
            await wait_for(partial(has, ann, 2))
        async with running_bell(tmp_path, box) as bell:  # who runs it no more has what all have
            await bell.ask(boss, "/help")
            await wait_for(partial(has, boss, 3))
            assert "health" not in str((await menus(boss))[-1])


async def test_a_group_managed_from_a_private_chat_keeps_the_menu_in_its_language(
    bell: Bell, control: Control
) -> None:
    ann = await control.person(language_code="de")
    group = await control.chat("supergroup", members={ann: "creator"})

    async def menus() -> list[str]:
        given = await control.requests("telegram", path="setMyCommands")
        return [str(one["params"]) for one in given if str(group) in str(one["params"])]

    async def last_has(word: str) -> bool:
        return word in (await menus() or [""])[-1]

    (choice,) = await bell.ask(group, "/language", user=ann)
    await bell.press(group, choice, "language:fr", user=ann)
    await wait_for(partial(last_has, "Aide"))
    await bell.ask(ann, f"/settings {group}")
    (choice,) = await bell.ask(group, "/language", user=ann)
    await bell.press(group, choice, "language:es", user=ann)
    await wait_for(partial(last_has, "Ayuda"))
    assert len(await menus()) == 2


async def test_hours_are_read_as_people_write_them_in_their_language(
    bell: Bell, control: Control
) -> None:
    ann = await control.person()
    await bell.ask(ann, "/timezone Berlin")
    (page,) = await bell.ask(ann, "/settings")
    await bell.press(ann, page, "set:digest")
    (reply,) = await bell.ask(ann, "الساعة \u0669\u066b\u0663\u0660 مساءً؟")
    assert "Daily summary at: 9:30 PM" in reply["text"]
    await bell.press(ann, page, "set:quiet")
    (reply,) = await bell.ask(ann, "gece 11'den sabah 7'ye")
    assert "Quiet hours: 11:00 PM \u2013 7:00 AM" in reply["text"]


async def test_a_process_reads_the_answer_to_a_question_of_another_process(
    tmp_path: Path,
) -> None:
    async with sandbox_box() as box:
        ann = await box.control.person()
        async with running_bell(tmp_path, box) as bell:
            await bell.ask(ann, "/timezone")
        async with running_bell(tmp_path, box) as bell:
            (reply,) = await bell.ask(ann, "Berlin")
            assert "Time zone: Berlin" in reply["text"]
            await bell.ask(ann, "", file=document(listed("brought.a", "brought.b")))
        async with running_bell(tmp_path, box) as bell:
            (reply,) = await bell.ask(ann, "ught.b")
            assert names_of(reply) == ["brought.b"]
