"""Times that stay true: the tag, its absolute time inside, and servers that don't know it."""

from pathlib import Path

from tests.support.control import refused
from tests.support.storybell import storybell

TOO_OLD = refused('can\'t parse entities: Unsupported start tag "tg-time" at byte offset 61')


async def test_a_server_that_does_not_know_the_tag_gets_the_time_without_it(
    tmp_path: Path,
) -> None:
    async with storybell(tmp_path) as bell:
        control = bell.control
        ann = await control.person()
        await bell.ask(ann, "/timezone Asia/Tokyo")
        await control.profile("keeps.time")
        story = await control.publish("keeps.time")
        (photo,) = await bell.ask(ann, "/stories keeps.time")
        times = [e for e in photo["caption_entities"] if e["type"] == "date_time"]
        assert [e["date_time_format"] for e in times] == ["r", "r"]
        assert photo["_story_pk"] == story["pk"]
        await control.fault("telegram", TOO_OLD, match="sendPhoto", times=1)
        (photo,) = await bell.ask(ann, "/stories keeps.time")
        (again,) = await bell.ask(ann, "/stories keeps.time")
        for shown in (photo, again):
            assert not [e for e in shown["caption_entities"] if e["type"] == "date_time"]
            assert "Disappears: " in shown["caption"]
        sent = await control.requests("telegram", path="sendPhoto")
        assert [request["status"] for request in sent] == [200, 400, 200, 200]
