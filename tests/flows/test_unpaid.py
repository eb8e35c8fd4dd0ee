"""What is bought once more, for whom, and what never."""

from pathlib import Path

import pytest

from tests.support.control import Json
from tests.support.storybell import storybell

pytestmark = pytest.mark.jumps

REFUSED: Json = {"status": 403, "body": "URL signature expired"}


async def test_what_one_asker_cant_pay_is_bought_for_the_next(tmp_path: Path) -> None:
    async with storybell(tmp_path, person_daily_allowance=1) as bell:
        control = bell.control
        await control.profile("dear.one")
        story = await control.publish("dear.one")
        url = f"https://www.instagram.com/stories/dear.one/{story['pk']}/"
        await control.fault("cdn", REFUSED, times=None)
        ann, bob = await control.person(), await control.person("Bob")
        (reply,) = await bell.ask(ann, url)  # her credit went to the link
        assert "no longer available" in reply["text"]
        (shown,) = await bell.ask(bob, url)
        assert shown.get("_story_pk") == story["pk"]
        assert await control.billed("/v1/story/download") == 1


async def test_while_no_download_can_be_stored_no_file_is_bought(tmp_path: Path) -> None:
    """The file comes when the folder is there again."""
    async with storybell(tmp_path) as bell:
        control, spool = bell.control, bell.settings.spool_dir
        ann = await control.person()
        await control.profile("dear.spool", posts_per_day=0)
        story = await control.publish("dear.spool")
        (shown,) = await bell.ask(
            ann, f"https://www.instagram.com/stories/dear.spool/{story['pk']}/"
        )
        aside = spool.rename(tmp_path / "aside")
        spool.touch()  # a file in the place of the folder is like a disk that can't be written
        await bell.press(ann, shown, f"files:{story['pk']}")
        (refused,) = await bell.replies(ann, 1, after=shown["message_id"])
        assert "can't be loaded at the moment" in refused["text"]
        assert await control.billed("/v1/story/download") == 0
        spool.unlink()
        aside.rename(spool)
        old = await bell.old_post(ann, f"files:{story['pk']}")
        await bell.press(ann, old, f"files:{story['pk']}")
        (file,) = await bell.replies(ann, 1, after=old["message_id"])
        assert file["document"]
        assert await control.billed("/v1/story/download") == 0


async def test_a_story_without_a_usable_url_is_not_bought_while_no_file_can_be_stored(
    tmp_path: Path,
) -> None:
    async with storybell(tmp_path) as bell:
        control, spool = bell.control, bell.settings.spool_dir
        ann = await control.person()
        await control.profile("lost.spool", posts_per_day=0)
        story = await control.publish("lost.spool")
        (shown,) = await bell.ask(
            ann, f"https://www.instagram.com/stories/lost.spool/{story['pk']}/"
        )
        file = story["thumbnail_url"].partition("?")[0].rpartition("/")[2]
        await control.fault("cdn", {"status": 404}, match=file, times=None)
        aside = spool.rename(tmp_path / "aside")
        spool.touch()  # a file in the place of the folder is like a disk that can't be written
        await bell.press(ann, shown, f"files:{story['pk']}")
        (refused,) = await bell.replies(ann, 1, after=shown["message_id"])
        assert "can't be loaded at the moment" in refused["text"]
        assert await control.billed("/v1/story/download") == 0
        spool.unlink()
        aside.rename(spool)
        await control.clear_faults()
        old = await bell.old_post(ann, f"files:{story['pk']}")
        await bell.press(ann, old, f"files:{story['pk']}")
        (document,) = await bell.replies(ann, 1, after=old["message_id"])
        assert document["document"]


async def test_a_pasted_address_of_a_file_is_free_or_not_served(tmp_path: Path) -> None:
    """Anybody can make one up, signature and all; Instagram's hosts can't be reached from here."""
    signature = f"oe=7FFFFFFF&oh=00_{'A' * 30}&_nc_ohc={'x' * 23}&_nc_sid=9e2f4b"
    async with storybell(tmp_path) as bell:
        control = bell.control
        ann = await control.person()
        for url in (
            "https://scontent-lab1-1.cdninstagram.com/v/t51.2885-15/made_up_n.jpg?oe=7FFFFFFF",
            "https://scontent-lab1-1.cdninstagram.com/v/t51.2885-15/made_up_n.jpg",
            f"https://scontent-lab1-1.cdninstagram.com/v/t51.2885-15/1_n.jpg?{signature}",
        ):
            (reply,) = await bell.ask(ann, url)
            assert "text" in reply, url
        assert await control.billed() == 0


async def test_the_sixth_link_has_its_turn_when_the_message_is_edited(tmp_path: Path) -> None:
    async with storybell(tmp_path) as bell:
        control = bell.control
        ann = await control.person()
        await control.profile("many.links")
        now = (await control.state())["now"]
        pks = [
            (await control.publish("many.links", taken_at=now - 60 + n))["pk"] for n in range(6)
        ]
        urls = [f"https://www.instagram.com/stories/many.links/{pk}/" for pk in pks]
        message = await control.say(ann, " ".join(urls))
        said = await control.wait_replies(ann, 6, after=message)
        assert [one.get("_story_pk") for one in said] == [*pks[:5], None]
        await control.call(
            "PATCH", f"/chats/{ann}/messages/{message}", {"user_id": ann, "text": urls[5]}
        )
        shown = await control.wait_replies(ann, 1, after=said[-1]["message_id"])
        assert shown[0].get("_story_pk") == pks[5]


async def test_the_whole_tray_buys_no_file(tmp_path: Path) -> None:
    async with storybell(tmp_path) as bell:
        control = bell.control
        ann = await control.person()
        for name in ("tray.one", "tray.two"):
            await control.profile(name, posts_per_day=0)
            await control.publish(name)
            await bell.ask(ann, f"/subscribe {name}")
        (tray,) = await bell.ask(ann, "/stories")
        await control.fault("cdn", REFUSED, times=None)
        await bell.press(ann, tray, "tray")
        said = await bell.replies(ann, 2, after=tray["message_id"])
        assert [one for one in said if one.get("_story_pk")] == []
        assert "can't be loaded" in said[1]["text"]
        assert await control.billed("/v1/story/download") == 0


async def test_one_file_is_bought_first_and_the_rest_only_when_it_came(tmp_path: Path) -> None:
    async with storybell(tmp_path) as bell:
        control = bell.control
        ann, bob = await control.person(), await control.person("Bob")
        now = (await control.state())["now"]
        for name in ("sold.out", "for.sale"):
            await control.profile(name)
            for n in range(7):
                await control.publish(name, taken_at=now - 60 + n)
        await control.fault("cdn", REFUSED, times=None)
        await control.stories_api(download_mode="redirect")  # to the same host, which refuses
        await bell.ask(ann, "/stories sold.out")
        assert await control.billed("/v1/story/download") == 1
        await control.stories_api(download_mode="binary")
        shown = await bell.ask(bob, "/stories for.sale", count=7)
        assert len([one for one in shown if one.get("_story_pk")]) == 7
        assert await control.billed("/v1/story/download") == 1 + 7
