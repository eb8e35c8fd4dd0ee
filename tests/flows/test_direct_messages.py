"""The direct messages of a channel: one answer there, nothing is paid and nothing subscribed."""

from pathlib import Path

import pytest

from tests.support.control import Json
from tests.support.sandbox import Box
from tests.support.storybell import running_bell, storybell

pytestmark = pytest.mark.jumps


async def test_direct_messages_of_a_channel_get_one_answer_and_cost_nothing(
    tmp_path: Path,
) -> None:
    async with storybell(tmp_path) as bell:
        control = bell.control
        ann, bea = await control.person(), await control.person("Bea")
        members = [{"user_id": ann, "status": "creator"}]
        made: Json = {"type": "supergroup", "title": "News", "members": members}
        made |= {"is_direct_messages": True, "bot_status": "administrator"}
        chat = int((await control.call("POST", "/chats", made))["id"])
        await control.profile("direct.one")
        story = await control.publish("direct.one")
        await control.say(chat, "Hello, dear channel", user=bea)
        url = f"https://www.instagram.com/stories/direct.one/{story['pk']}/"
        await control.fault("telegram", {"status": 502}, match="sendMessage", times=1)
        await control.say(chat, url, user=bea)  # the explanation is lost
        await bell.settled()
        assert await control.replies(chat) == []
        await control.say(chat, url, user=bea)
        (said,) = await control.wait_replies(chat, 1)
        assert "direct messages" in said["text"]
        assert said["direct_messages_topic"]["topic_id"] == bea
        for text in ("/subscribe direct.one", "/stories direct.one", url):
            await control.say(chat, text, user=bea)
        await control.say(chat, "/help", user=ann)  # another person has a topic of their own
        _, other = await control.wait_replies(chat, 2)
        assert other["direct_messages_topic"]["topic_id"] == ann
        await bell.ask(bea, "/subscriptions")  # the updates before this one are handled
        assert len(await control.replies(chat)) == 2
        assert await control.billed() == 0
        sent = await control.requests("telegram")
        there = [one for one in sent if str(one["params"].get("chat_id")) == str(chat)]
        assert {one["status"] for one in there} == {200}


async def test_a_blocked_person_gets_no_answer_in_the_direct_messages_of_a_channel(
    tmp_path: Path, box: Box
) -> None:
    boss, mal, bea = [await box.control.person(name) for name in ("Boss", "Mal", "Bea")]
    async with running_bell(tmp_path, box, admin_ids=str(boss)) as bell:
        made: Json = {"type": "supergroup", "title": "News", "members": []}
        made |= {"is_direct_messages": True, "bot_status": "administrator"}
        chat = int((await bell.control.call("POST", "/chats", made))["id"])
        await bell.ask(boss, f"/block {mal}")
        for person in (mal, bea):
            await bell.control.say(chat, "/help", user=person)
        await bell.settled()
        (said,) = await bell.control.replies(chat)
        assert said["direct_messages_topic"]["topic_id"] == bea
