"""Instagram's own list of followed accounts: a choice by taps, pages and typed names."""

import base64
import io
import json
import zipfile

import pytest

from bot.chats import followed_accounts
from tests.flows.test_rights import channel_of
from tests.support.control import Control, Json
from tests.support.storybell import Bell, buttons

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.jumps]

PAGE = "https://www.instagram.com"


def listed(*names: str) -> bytes:
    rows = [
        {"title": name, "string_list_data": [{"href": f"{PAGE}/_u/{name}", "timestamp": 1}]}
        for name in names
    ]
    return json.dumps({"relationships_following": rows}).encode()


def document(content: bytes, name: str = "following.json", kind: str = "application/json") -> Json:
    body = base64.b64encode(content).decode()
    return {"kind": "document", "base64": body, "type": kind, "name": name}


def names_of(page: Json) -> list[str]:
    data = buttons(page)
    return [text for text, action in data.items() if action.startswith("list:one:")]


async def test_of_the_list_only_what_is_tapped_is_looked_up(bell: Bell, control: Control) -> None:
    ann = await control.person()
    real = ["brought.a", "brought.b", "brought.c"]
    for name in real:
        await control.profile(name, posts_per_day=0)
    await control.profile("brought.private", is_private=True)
    names = ["brought.private", *real, *(f"never.tapped{n}" for n in range(6))]
    billed = await control.billed()
    (page,) = await bell.ask(ann, "", file=document(listed(*names)))
    assert "10 accounts" in page["text"]
    assert "up to 3 credits (less than $0.01)" in page["text"]
    assert "I can't see private accounts" in page["text"]
    assert names_of(page) == names[:6]
    assert await control.billed() == billed
    await bell.press(ann, page, buttons(page)["brought.a"])
    page = await bell.message(ann, page["message_id"])
    assert "Subscribed to 1 profile" in page["text"]
    assert names_of(page)[:3] == ["brought.private", "✅ brought.a", "brought.b"]
    await bell.press(ann, page, buttons(page)["brought.private"])
    page = await bell.message(ann, page["message_id"])
    assert "brought.private is a private account" in page["text"]
    assert "Subscribed" not in page["text"]
    await bell.press(ann, page, buttons(page)["▶️"])
    page = await bell.message(ann, page["message_id"])
    assert names_of(page) == names[6:]
    (found,) = await bell.ask(ann, "BROUGHT.C")
    assert names_of(found) == ["brought.c"]
    (stored,) = await bell.ask(ann, "/privacy")
    assert "which file from your Instagram data you sent" in stored["text"]
    await bell.press(ann, found, buttons(found)["brought.c"])
    (every,) = await bell.ask(ann, "/subscriptions")
    assert {one for one in buttons(every) if "brought" in one} == {
        "🔔 brought.a", "🔔 brought.c"
    }  # fmt: skip
    for name in (*names[4:], "brought.b"):
        assert await control.billed_for(name) == 0


async def test_all_names_of_a_page_of_an_archive(bell: Bell, control: Control) -> None:
    ann = await control.person()
    for name in ("zipped.a", "zipped.b"):
        await control.profile(name, posts_per_day=0)
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        at = "connections/followers_and_following/following.json"
        archive.writestr(at, listed("zipped.a", "zipped.b"))
        archive.writestr("messages/inbox/a.json", "private words")
    file = document(made.getvalue(), "instagram-ann-2026-11-30.zip", "application/zip")
    (page,) = await bell.ask(ann, "", file=file, caption="/import")
    await bell.press(ann, page, buttons(page)["Subscribe to 2 profiles"])
    page = await bell.message(ann, page["message_id"])
    assert "Subscribed to 2 profiles" in page["text"]
    assert names_of(page) == ["✅ zipped.a", "✅ zipped.b"]
    for data in ("list:one:2", "list:page:1", "list:all:9999"):
        answer = await bell.press(ann, page, data)
        assert "no longer works" in answer["text"], data


async def test_a_typed_search_acts_on_the_chat_of_the_last_list(
    bell: Bell, control: Control
) -> None:
    boss = await control.person()
    await control.profile("searched.a", posts_per_day=0)
    channel = await channel_of(bell, boss)
    own, others = document(listed("searched.a")), document(listed("searched.a", "searched.b"))
    await bell.ask(boss, "", file=own)
    (page,) = await bell.ask(boss, "", file=others, caption=f"/import {channel}")
    assert page["text"].startswith("📣")
    (found,) = await bell.ask(boss, "searched")
    assert found["text"].startswith("📣")
    assert list(buttons(found)) == ["searched.a", "searched.b"]
    await bell.press(boss, found, buttons(found)["searched.a"])
    (own_list,) = await bell.ask(boss, "/subscriptions")
    assert "🔔 searched.a" not in buttons(own_list)
    (every,) = await bell.ask(boss, f"/subscriptions {channel}")
    assert "🔔 searched.a" in buttons(every)


async def test_the_names_that_a_search_found_stay_after_a_tap(
    bell: Bell, control: Control
) -> None:
    ann = await control.person()
    for name in ("stays.a", "stays.b"):
        await control.profile(name, posts_per_day=0)
    names = [*(f"others.{n}" for n in range(8)), "stays.a", "stays.b"]
    await bell.ask(ann, "", file=document(listed(*names)))
    (found,) = await bell.ask(ann, "stays")
    for tapped, shown in (("stays.a", "✅ stays.a"), ("stays.b", "✅ stays.b")):
        await bell.press(ann, found, buttons(found)[tapped])
        found = await bell.message(ann, found["message_id"])
        assert "Subscribed to 1 profile" in found["text"]
        assert shown in names_of(found)
    assert names_of(found) == ["✅ stays.a", "✅ stays.b"]
    assert "10 accounts" not in found["text"]


async def test_a_followed_name_says_so_and_is_not_counted_again(
    bell: Bell, control: Control
) -> None:
    ann = await control.person()
    for name in ("counted.a", "counted.b"):
        await control.profile(name, posts_per_day=0)
    (page,) = await bell.ask(ann, "", file=document(listed("counted.a", "counted.b")))
    await bell.press(ann, page, buttons(page)["counted.a"])
    page = await bell.message(ann, page["message_id"])
    assert "Subscribe to 1 profile" in buttons(page)
    (found,) = await bell.ask(ann, "counted.a")
    await bell.press(ann, found, buttons(found)["✅ counted.a"])
    found = await bell.message(ann, found["message_id"])
    assert found["text"].startswith("Already subscribed to counted.a.")
    await bell.press(ann, page, buttons(page)["Subscribe to 1 profile"])
    page = await bell.message(ann, page["message_id"])
    assert names_of(page) == list(buttons(page)) == ["✅ counted.a", "✅ counted.b"]


async def test_the_help_names_the_list_and_the_live_stories_of_subscriptions(
    bell: Bell, control: Control
) -> None:
    ann = await control.person()
    (page,) = await bell.ask(ann, "/help")
    for section, words in (("chat", "following.json"), ("see", "subscriptions had stories")):
        await bell.press(ann, page, f"help:{section}")
        assert words in (await bell.message(ann, page["message_id"]))["text"]


async def test_small_talk_is_no_search(bell: Bell, control: Control) -> None:
    ann = await control.person()
    await bell.ask(ann, "", file=document(listed("cool.shots")))
    await bell.noticed(ann, "cool", user=ann)
    said = [one.get("text", "") for one in await control.replies(ann)]
    assert not any("In your file" in text for text in said)


async def test_files_that_cannot_be_imported_get_an_explanation(
    bell: Bell, control: Control, monkeypatch: pytest.MonkeyPatch
) -> None:
    ann = await control.person()
    (told,) = await bell.ask(ann, "", file=document(b"<html>", "following.html", "text/html"))
    assert "/export" in told["text"]
    assert "following.json" in told["text"]
    group = await control.chat("group", members={ann: "creator"})
    (told,) = await bell.ask(
        group, "", user=ann, file=document(listed("natgeo")), caption="/import"
    )
    assert "Please send me /import in our private chat" in told["text"]
    monkeypatch.setattr(followed_accounts, "LARGEST_ARCHIVE", 10)
    file = document(b"PK\x03\x04" + bytes(20), "instagram-ann.zip", "application/zip")
    (told,) = await bell.ask(ann, "", file=file)
    assert "connections/followers_and_following/following.json" in told["text"]
