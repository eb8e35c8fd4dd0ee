"""/stories NAME: albums in order, what they cost, each endpoint where it is needed."""

import pytest

from tests.flows.test_links import link
from tests.support.control import Control, Json, stories_of
from tests.support.storybell import Bell, buttons

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.jumps]


async def paths(control: Control, after: int) -> list[str]:
    return [entry["path"] for entry in await control.requests("stories", after=after)]


async def in_a_row(control: Control, username: str, count: int) -> list[Json]:
    """Publish photos a second apart: within one second their order is anybody's guess."""
    now = (await control.state())["now"]
    return [await control.publish(username, taken_at=now - 60 + n) for n in range(count)]


async def last(control: Control) -> int:
    entries = await control.requests()
    return int(entries[-1]["n"]) if entries else 0


async def test_thirty_stories_come_as_three_even_albums_oldest_first(
    bell: Bell, control: Control
) -> None:
    ann = await control.person()
    shown = await bell.ask(ann, "/stories thirty", count=30)
    groups: dict[str, list[str]] = {}
    for message in shown:
        groups.setdefault(message["media_group_id"], []).append(message["_story_pk"])
    assert [len(pks) for pks in groups.values()] == [10, 10, 10]
    in_order = [pk for pks in groups.values() for pk in pks]
    assert in_order == sorted(in_order, key=int)
    assert not any("Options" in one.get("caption", "") for one in shown)
    (row,) = await bell.replies(ann, after=shown[-1]["message_id"])
    assert "follow:thirty" in buttons(row).values()
    (card,) = await bell.ask(ann, "/start card--thirty")
    assert "run:subscribe:thirty" in buttons(card).values()


async def test_the_argument_may_be_a_message_that_one_replies_to(
    bell: Bell, control: Control
) -> None:
    ann = await control.person()
    await control.profile("replied")
    story = await control.publish("replied")
    await bell.ask(ann, "/stories replied")
    message = await control.say(ann, "a name: https://www.instagram.com/replied/ there")
    await control.wait_replies(ann, 1, after=message)
    (photo,) = await bell.ask(ann, "/stories", reply_to=message)
    assert photo["_story_pk"] == story["pk"]


async def test_a_reply_to_an_album_shows_its_profile_whatever_its_stories_link_to(
    bell: Bell, control: Control
) -> None:
    ann = await control.person()
    for name in ("album.own", "album.linked"):
        await control.profile(name, posts_per_day=0)
    now = (await control.state())["now"]
    linked = "https://www.instagram.com/album.linked/"
    for number in range(3):
        await control.publish("album.own", taken_at=now - 60 + number, links=[linked])
    pks = [story["pk"] for story in await control.stories("album.own")]
    album = await bell.ask(ann, "/stories album.own", count=3)
    (row,) = [one for one in await control.wait_replies(ann, 4) if one not in album]
    for item in (*album, row):
        again = await bell.ask(ann, "/stories", reply_to=item["message_id"], count=3)
        assert stories_of(again) == pks, item
    assert await control.billed_for("album.linked") == 0


async def test_without_an_argument_it_asks_and_takes_the_answer(
    bell: Bell, control: Control
) -> None:
    ann = await control.person()
    await control.profile("asked.for")
    story = await control.publish("asked.for")
    (question,) = await bell.ask(ann, "/stories")
    (photo,) = await bell.ask(ann, "asked.for", reply_to=question["message_id"])
    assert photo["_story_pk"] == story["pk"]


async def test_the_button_under_a_story_shows_all_of_them(bell: Bell, control: Control) -> None:
    ann = await control.person()
    await control.profile("pressed")
    one = await control.publish("pressed")
    await control.publish("pressed", 2)
    (photo,) = await bell.ask(ann, link("pressed", one))
    await bell.press(ann, photo, "run:stories:pressed")
    shown = await control.wait_replies(ann, 2, after=photo["message_id"])
    assert {"photo", "video"} <= {kind for m in shown for kind in m}


@pytest.mark.parametrize(
    ("name", "answer"),
    [
        ("locked", "private account"),
        ("nobody.of.that.name", "can't find nobody.of.that.name"),
        ("quiet", "has no stories right now"),
    ],
)
async def test_each_failure_has_its_sentence_and_is_remembered(
    bell: Bell, control: Control, name: str, answer: str
) -> None:
    ann = await control.person()
    (reply,) = await bell.ask(ann, f"/stories @{name}")
    assert answer in reply["text"]
    before = await control.billed_for(name)
    (again,) = await bell.ask(ann, f"/stories @{name}")
    assert answer in again["text"]
    assert await control.billed_for(name) == before


async def test_a_profile_that_is_missed_once_is_found(bell: Bell, control: Control) -> None:
    ann = await control.person()
    shown = await bell.ask(ann, "/stories flaky")
    assert "can't find" not in (shown[0].get("text") or "")


async def test_the_endpoint_by_id_for_a_link_and_by_url_where_the_id_is_none(
    bell: Bell, control: Control
) -> None:
    ann = await control.person()
    await control.profile("ids")
    story = await control.publish("ids")
    mark = await last(control)
    await bell.ask(ann, link("ids", story))
    assert await paths(control, mark) == ["/v1/story/by/id"]
    mark = await last(control)
    await bell.ask(ann, "https://www.instagram.com/stories/ids/12345678901234567890123/")
    assert await paths(control, mark) == ["/v1/story/by/url"]


async def test_the_endpoints_by_name_and_by_id_of_a_profile(bell: Bell, control: Control) -> None:
    ann = await control.person()
    await control.profile("by.name")
    await control.publish("by.name")
    mark = await last(control)
    await bell.ask(ann, "/stories by.name")
    assert await paths(control, mark) == ["/v1/user/by/username", "/v1/user/stories"]
    await control.profile("by.id")
    story = await control.publish("by.id")
    await bell.ask(ann, link("by.id", story))
    mark = await last(control)
    await bell.ask(ann, "/stories by.id")
    assert await paths(control, mark) == ["/v1/user/stories"]


@pytest.mark.parametrize("mode", ["binary", "redirect", "json_url", "json_story"])
async def test_the_download_endpoint_when_the_media_host_refuses(
    bell: Bell, control: Control, mode: str
) -> None:
    ann = await control.person()
    name = f"refused.{mode.replace('_', '.')}"
    await control.profile(name)
    story = await control.publish(name)
    await control.stories_api(download_mode=mode)
    # Once for Telegram, which is given the address, and once for ourselves.
    fault = await control.fault("cdn", {"status": 403, "body": "URL signature expired"}, times=2)
    mark = await last(control)
    shown = await bell.ask(ann, link(name, story))
    await control.clear_faults(fault)
    await control.stories_api(download_mode="binary")
    assert shown[0].get("_story_pk") == story["pk"], shown
    assert shown[0]["_source"] == "upload"
    assert (await paths(control, mark))[:2] == ["/v1/story/by/id", "/v1/story/download"]


async def test_the_download_by_page_where_the_id_is_none(bell: Bell, control: Control) -> None:
    ann = await control.person()
    await control.profile("page.only")
    await control.publish("page.only", overrides={"pk": "98765432109876543210987"})
    fault = await control.fault("cdn", {"status": 404, "body": "gone"}, times=2)
    mark = await last(control)
    await bell.ask(ann, "https://www.instagram.com/stories/page.only/98765432109876543210987/")
    await control.clear_faults(fault)
    assert (await paths(control, mark))[-1] == "/v1/story/download/by/story/url"


async def test_one_bad_item_never_costs_the_rest(bell: Bell, control: Control) -> None:
    ann = await control.person()
    await control.profile("mixed.bag")
    stories = await in_a_row(control, "mixed.bag", 3)
    await control.publish("mixed.bag", 2, bytes=60_000_000)
    shown = await bell.replies(ann, 5, after=await control.say(ann, "/stories mixed.bag"))
    assert [m["_story_pk"] for m in shown if "photo" in m] == [s["pk"] for s in stories]
    assert any("too big" in m.get("text", "") for m in shown)


BY_NAME = "/v1/user/stories/by/username"


@pytest.mark.parametrize(
    ("trouble", "times", "paid"), [("error", 2, 3), ("ClientLoginRequired", 1, 4)]
)
async def test_stories_come_by_name_where_only_the_lookup_of_the_name_fails(
    bell: Bell, control: Control, trouble: str, times: int, paid: int
) -> None:
    ann, name = await control.person(), f"lookup.{trouble.lower()}"
    await control.profile(name, posts_per_day=0)
    story = await control.publish(name)
    await control.change_profile(name, trouble=trouble, trouble_times=times)
    (shown,) = await bell.ask(ann, f"/stories {name}")
    assert shown.get("_story_pk") == story["pk"], shown.get("text")
    assert await control.billed_for(name) == paid
    # The answer showed the account: its link and its stories need no second lookup.
    mark = await last(control)
    await bell.ask(ann, link(name, story))
    (followed,) = await bell.ask(ann, f"/subscribe {name}")
    assert f"every new story from {name}" in followed["text"]
    assert "/v1/user/by/username" not in await paths(control, mark)


@pytest.mark.parametrize("kind", ["private", "empty", "none"])
async def test_what_the_stories_by_name_refuse_is_paid_once(
    bell: Bell, control: Control, kind: str
) -> None:
    ann, name = await control.person(), f"second.{kind}"
    await control.profile(name, posts_per_day=0, is_private=kind == "private")
    if kind == "private":
        await control.publish(name)
    elif kind == "none":
        await control.change_profile(name, deleted=True)
    failure = {"status": 500, "body": {"detail": "x", "exc_type": "InternalError"}}
    fault = await control.fault(
        "stories", failure, match=f"user/by/username?username={name}", times=None
    )
    words = "no stories right now" if kind == "empty" else f"can't see {name} right now"
    for _ in range(2):
        (reply,) = await bell.ask(ann, f"/stories {name}")
        assert words in reply["text"]
    await control.clear_faults(fault)
    assert await control.billed_for(name) == 3
    assert await control.billed(BY_NAME) >= 3
