"""Every failure in every language, through the real application; and who is bothered by it."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from bot.domain import errors
from bot.domain.errors import BotError
from bot.presentation.translation import translator_for
from bot.store import chats
from bot.store.engine.database import Database
from tests.support import languages
from tests.support.control import Control, wait_for
from tests.support.storybell import Bell, buttons

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.jumps]

BACK = {"TryAgainError", "DatabaseUnavailableError", "SettingsError"}  # none is told of these here
FIELDS: dict[str, Any] = {
    "username": "natgeo", "name": "@mychannel", "most": 20,
    "url": "https://x.org/", "incident": "0",
    "until": datetime(2027, 1, 1, 0, tzinfo=UTC),
}  # fmt: skip


def kinds(base: type[BotError]) -> Iterator[type[BotError]]:
    """Every error of the code, wherever it is defined."""
    for one in base.__subclasses__():
        yield one
        yield from kinds(one)


TYPES = [
    one
    for one in dict.fromkeys(kinds(BotError))
    if one.__name__ not in BACK and one.__module__.startswith(("bot.", "handlers."))
]


async def raises(_: Any, username: str, *__: Any, **___: Any) -> None:
    """Raise what the name says, as any part of the bot may."""
    kind = TYPES[int(username.removeprefix("error."))]
    takes = {"until": FIELDS["until"]} if issubclass(kind, errors.SpendingError) else {}
    raise kind("raised by the test", **{**FIELDS, **takes})


@pytest.mark.parametrize("code", languages.EACH)
async def test_every_error_speaks_the_language_and_the_zone_of_the_chat(
    bell: Bell, control: Control, monkeypatch: pytest.MonkeyPatch, code: str
) -> None:
    ann = await control.person()  # Telegram says English
    await bell.ask(ann, "/help")
    old = await bell.old_post(ann, f"language:{code}", "set:zone:Asia/Tokyo")
    await bell.press(ann, old, f"language:{code}")
    await bell.press(ann, old, "set:zone:Asia/Tokyo")
    monkeypatch.setattr("bot.fetching.on_demand.Viewer.get_or_fetch_stories", raises)
    t = translator_for(code).in_zone(ZoneInfo("Asia/Tokyo"))
    for number, kind in enumerate(TYPES):
        (reply,) = await bell.ask(ann, f"/stories error.{number}")
        want = kind(**FIELDS)
        assert plain(reply["text"]) == plain(t(want.msgid, **FIELDS)), kind
    for number in (0, len(TYPES) - 1):
        assert await press_error(bell, ann, number)


def plain(text: str) -> str:
    return " ".join(re.sub("<[^>]+>", "", text).split())


async def press_error(bell: Bell, ann: int, number: int) -> bool:
    post = await bell.old_post(ann, f"run:stories:error.{number}")
    answer = await bell.press(ann, post, f"run:stories:error.{number}")
    return bool(answer.get("text")) or bool(
        await bell.control.wait_replies(ann, 1, after=post["message_id"])
    )


async def group_of(control: Control, *people: int) -> int:
    return await control.chat(
        "supergroup", members={people[0]: "creator"} | dict.fromkeys(people[1:], "member")
    )


async def test_a_refusal_that_repeats_in_a_group_is_said_once_and_then_marked(
    bell: Bell, control: Control
) -> None:
    boss, ann = await control.person("Boss"), await control.person()
    group = await group_of(control, boss, ann)
    (told,) = await bell.ask(group, "/timezone Asia/Tokyo", user=ann)
    assert "Only admins" in told["text"]
    again = await control.say(group, "/timezone Asia/Tokyo", user=ann)

    async def marked() -> bool:
        shown = await control.call("GET", f"/chats/{group}/messages?after=0&from_bot=false")
        return any(m["message_id"] == again and m.get("_reactions") for m in shown)

    await wait_for(marked, what="the reaction")
    assert await control.replies(group) == [told]


async def test_a_refused_button_in_a_group_bothers_nobody_else(
    bell: Bell, control: Control
) -> None:
    boss, ann = await control.person("Boss"), await control.person()
    group = await group_of(control, boss, ann)
    await bell.ask(group, "/help", user=boss)
    post = await bell.old_post(group, "run:stories:locked")
    before = await control.replies(group)
    answer = await bell.press(group, post, "run:stories:locked", user=ann)
    assert "private account" in answer["text"]
    assert await control.replies(group) == before


async def test_a_groups_language_is_that_of_who_added_the_bot(
    bell: Bell, control: Control
) -> None:
    eva = await control.person("Eva", language_code="es")
    ann = await control.person("Ann", language_code="ru")
    bot_id = int(bell.settings.telegram_token.get_secret_value().partition(":")[0])
    members = {eva: "creator", ann: "member"}
    group = await control.chat("supergroup", members=members, bot_status="left")
    body = {"status": "member", "by": eva}
    await control.call("PUT", f"/chats/{group}/members/{bot_id}", body)
    await control.wait_replies(group, 1)
    await bell.ask(group, "/help", user=ann)
    async with Database(bell.settings.database_url.get_secret_value()) as db, db.read() as tx:
        found = await chats.get(tx, group)
    assert found is not None
    assert found.effective_language == "es"


@pytest.mark.parametrize("kind", ["private", "supergroup", "channel"])
async def test_a_late_refusal_is_a_line_which_a_group_reads_once(
    bell: Bell, control: Control, kind: str
) -> None:
    ann = chat = await control.person()
    if kind != "private":
        chat = await control.chat(kind, members={ann: "creator"}, bot_status="administrator")
    await bell.ask(chat, "/help", user=ann)
    post = await bell.old_post(chat, "sub:99")
    await control.callback_life(-1)  # no press is young enough
    for _ in range(2):
        await control.press(chat, post["message_id"], "sub:99", user=ann)
    await control.say(chat, "/help", user=ann)
    told = 2 if kind == "private" else 1
    *lines, _ = await control.wait_replies(chat, told + 1, after=post["message_id"])
    assert ["no longer has this" in line["text"] for line in lines] == [True] * told
    await control.callback_life(15)


async def test_a_button_pressed_twice_does_its_work_once(bell: Bell, control: Control) -> None:
    ann = await control.person()
    await control.profile("press.twice")
    await control.publish("press.twice")
    (card,) = await bell.ask(ann, "press.twice")
    queries = [
        await control.press(ann, card["message_id"], buttons(card)["Show stories"])
        for _ in range(2)
    ]
    for query in queries:
        await bell.answered(query, 30)
    (help_,) = await bell.ask(ann, "/help")
    shown = await control.replies(ann, after=card["message_id"])
    assert [bool(m.get("photo")) for m in shown] == [True, False]
    assert shown[-1]["message_id"] == help_["message_id"]
