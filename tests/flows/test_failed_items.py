"""Stories that could not be sent: one message for each cause, as a reply, in the thread."""

import pytest

from tests.support.control import Control, refused
from tests.support.storybell import Bell, buttons, unhurried

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.jumps]
TIMING = unhurried()  # refused requests count for the flood limits, which are not tried here


@pytest.mark.parametrize("in_comments", [False, True])
async def test_25_failures_of_a_group_are_one_reply(
    bell: Bell, control: Control, *, in_comments: bool
) -> None:
    ann = await control.person()
    group = await control.chat("supergroup", members={ann: "creator"}, bot_status="administrator")
    name = f"lost.{int(in_comments)}"
    await control.profile(name, posts_per_day=0)
    now = (await control.state())["now"]
    for number in range(25):
        await control.publish(name, taken_at=now - 60 + number)
    post = await control.say(group, "A post", user=ann)
    comment = {"reply_to": post, "thread_id": post} if in_comments else {}
    for method in ("sendMediaGroup", "sendPhoto"):
        await control.fault(
            "telegram", refused("A_NEW_WORD"), match=method, times=None, chat_id=group
        )
    asked = await control.say(group, f"/stories {name}", user=ann, **comment)
    (said,) = await control.wait_replies(group, 1, after=asked)
    await control.clear_faults()
    (help_,) = await bell.ask(group, "/help", user=ann)
    assert await control.replies(group, after=asked) == [said, help_]
    first, second = said["text"].splitlines()
    assert first == f"{name}: 25 stories"
    assert "can't be loaded at the moment" in second
    assert list(buttons(said).values()) == [f"https://www.instagram.com/stories/{name}/"]
    assert said["reply_to_message"]["message_id"] == asked
    assert said["message_thread_id"] == (post if in_comments else asked)


async def test_one_failure_links_its_story(bell: Bell, control: Control) -> None:
    ann = await control.person()
    await control.profile("lost.single", posts_per_day=0)
    story = await control.publish("lost.single")
    await control.fault(
        "telegram", refused("A_NEW_WORD"), match="sendPhoto", times=None, chat_id=ann
    )
    (said,) = await bell.ask(ann, "/stories lost.single")
    await control.clear_faults()
    assert said["text"].startswith("This photo or video can't be loaded at the moment")
    assert f"/{story['pk']}/" in buttons(said)["Open on Instagram"]


async def test_the_caption_counts_the_stories_that_are_shown(bell: Bell, control: Control) -> None:
    ann = await control.person()
    await control.profile("lost.one", posts_per_day=0)
    now = (await control.state())["now"]
    stories = [await control.publish("lost.one", taken_at=now - 60 + n) for n in range(3)]
    lost = stories[0]["thumbnail_url"].partition("?")[0].rpartition("/")[2]
    await control.fault("cdn", {"status": 404}, match=lost, times=None)
    gone = {"status": 404, "body": '{"exc_type": "MediaNotFound"}'}
    await control.fault("stories", gone, match="/v1/story/download", times=None)
    wrong = {"fail_item": 1, "description": "WEBPAGE_CURL_FAILED"}
    alone = refused("WEBPAGE_CURL_FAILED")
    await control.fault("telegram", wrong, match="sendMediaGroup", chat_id=ann)
    await control.fault("telegram", alone, match="sendPhoto", chat_id=ann)
    first, second, *_ = await bell.ask(ann, "/stories lost.one", count=2)
    await control.clear_faults()
    assert [first["_story_pk"], second["_story_pk"]] == [stories[1]["pk"], stories[2]["pk"]]
    assert "🕒 2 stories" in first["caption"]
