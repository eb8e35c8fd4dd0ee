"""Originals: as uncompressed files, by a button or an option, named by time, profile and id."""

from datetime import UTC, datetime

import pytest

from tests.flows.test_past import kept
from tests.support.control import Control, Json
from tests.support.storybell import Bell, buttons, is_row

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.jumps]


def link(username: str, story: Json) -> str:
    return f"https://www.instagram.com/stories/{username}/{story['pk']}/"


def name_of(story: Json, username: str, suffix: str) -> str:
    taken_at = datetime.fromisoformat(story["taken_at"]).astimezone(UTC)
    return f"{taken_at:%Y-%m-%d_%H-%M}_{username}_{story['pk']}{suffix}"


async def test_a_button_brings_the_original_of_a_story(bell: Bell, control: Control) -> None:
    ann, bob = await control.person(), await control.person("Bob")
    await bell.ask(bob, "/help")
    await control.profile("file.one", posts_per_day=0)
    for media_type, suffix in ((1, ".jpg"), (2, ".mp4")):
        story = await control.publish("file.one", media_type)
        (shown,) = await bell.ask(ann, link("file.one", story))
        before = await control.billed()
        await bell.press(ann, shown, f"files:{story['pk']}")
        (file,) = await bell.replies(ann, 1, after=shown["message_id"])
        assert file["document"]["file_name"] == name_of(story, "file.one", suffix)
        assert file["_story_pk"] == story["pk"]
        assert file["_source"] == "upload"
        assert f"files:{story['pk']}" not in buttons(file).values()
        # Another time it goes by its file_id, and the story is still a photo or video.
        old = await bell.old_post(bob, f"files:{story['pk']}")
        await bell.press(bob, old, f"files:{story['pk']}")
        (again,) = await bell.replies(bob, 1, after=old["message_id"])
        assert again["document"]["file_id"] == file["document"]["file_id"]
        assert again["_source"] == "file_id"
        (plain,) = await bell.ask(bob, link("file.one", story))
        assert "document" not in plain
        assert await control.billed() == before


async def test_a_profiles_stories_come_as_an_album_of_files(bell: Bell, control: Control) -> None:
    ann = await control.person()
    await control.profile("file.two", posts_per_day=0)
    stories = [
        await control.publish("file.two", 2 if number == 1 else 1, silent=True)
        for number in range(3)
    ]
    (card,) = await bell.ask(ann, "/start card--file-dtwo")
    assert buttons(card)["As files"] == "files:@file.two"
    await bell.press(ann, card, "files:@file.two")
    *files, row = await bell.replies(ann, 4, after=card["message_id"])
    assert is_row(row)
    pks = sorted((story["pk"] for story in stories), key=int)  # by their times, and then by these
    assert [file["_story_pk"] for file in files] == pks
    assert all("document" in file for file in files)
    assert len({file["media_group_id"] for file in files}) == 1


async def test_the_option_sends_alerts_as_files_and_past_does_again(
    bell: Bell, control: Control
) -> None:
    ann = await control.person()
    await control.profile("file.three", posts_per_day=0)
    await bell.ask(ann, "/subscribe file.three")
    (menu,) = await bell.ask(ann, "/subscriptions")
    number = buttons(menu)["🔔 file.three"].partition(":")[2]
    await bell.press(ann, menu, f"sub:{number}")
    await bell.press(ann, menu, f"opt:{number}:files:on")
    await bell.press(ann, menu, f"opt:{number}:keep:on")
    story = await control.publish("file.three")
    (alert,) = await bell.replies(ann, 1, after=menu["message_id"])
    assert alert["document"]["file_name"] == name_of(story, "file.three", ".jpg")
    assert "New story from" in alert["caption"]
    await kept(bell, ann, 1)
    (again,) = await bell.ask(ann, "/past file.three")
    assert again["document"]["file_id"] == alert["document"]["file_id"]
    assert again["_source"] == "file_id"
    # Who did not want files gets none.
    bob = await control.person("Bob")
    (photo,) = await bell.ask(bob, link("file.three", story))
    assert "photo" in photo


async def test_what_is_over_or_forged_is_said(bell: Bell, control: Control) -> None:
    ann = await control.person()
    await bell.ask(ann, "/help")
    await control.profile("file.four", posts_per_day=0)
    story = await control.publish("file.four")
    await control.take_down("file.four", story["pk"])
    for data, answer in (
        (f"files:{story['pk']}", "This story is gone"),
        ("files:12", "This story is gone"),
        ("files:@file.four", "has no stories right now"),
        ("files:@..", "has no stories right now"),
    ):
        old = await bell.old_post(ann, data)
        await bell.press(ann, old, data)
        (reply,) = await bell.replies(ann, 1, after=old["message_id"])
        assert answer in reply["text"], data


async def test_a_lost_answer_and_one_bad_file_do_not_cost_the_others(
    bell: Bell, control: Control
) -> None:
    ann = await control.person()
    await control.profile("file.five", posts_per_day=0)
    stories = [await control.publish("file.five") for _ in range(3)]
    (card,) = await bell.ask(ann, "/start p_file-five")
    await control.fault("telegram", {"status": 502}, match="sendMediaGroup")
    await control.fault(
        "telegram", {"fail_item": 2, "description": "MEDIA_EMPTY"}, match="sendMediaGroup", after=1
    )
    await bell.press(ann, card, "files:@file.five")
    files = await bell.replies(ann, 4, after=card["message_id"])
    assert {file.get("_story_pk") for file in files} >= {stories[0]["pk"], stories[2]["pk"]}
