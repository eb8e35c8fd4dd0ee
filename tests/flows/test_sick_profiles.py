"""Accounts that can't be had hurt nobody else, and cost nothing."""

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.support.control import Control
from tests.support.storybell import Bell, storybell

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.jumps]


@pytest_asyncio.fixture(loop_scope="module")
async def bell(tmp_path: Path) -> AsyncIterator[Bell]:
    """Run a bot for each test: that the API fails is remembered."""
    async with storybell(tmp_path, daily_budget=100_000) as running:
        yield running


@pytest.fixture
def control(bell: Bell) -> Control:
    return bell.control


async def sick(control: Control, *names: str, trouble: str = "error") -> None:
    for name in names:
        await control.profile(name)
        await control.publish(name)
        await control.change_profile(name, trouble=trouble)


async def well(bell: Bell, name: str) -> None:
    """Somebody asks for a healthy account and is served."""
    await bell.control.profile(name)
    story = await bell.control.publish(name)
    cat = await bell.control.person("Cat")
    (shown,) = await bell.ask(cat, f"/stories {name}")
    assert shown.get("_story_pk") == story["pk"], shown.get("text")


async def test_a_sick_account_shuts_nobody_else_out(bell: Bell, control: Control) -> None:
    await sick(control, "sick.one")
    for _ in range(3):
        ann = await control.person()
        (reply,) = await bell.ask(ann, "/stories sick.one")
        assert "can't get stories right now" in reply["text"]
    assert await control.billed() == 0
    await well(bell, "well.one")


async def test_three_sick_accounts_are_no_outage(bell: Bell, control: Control) -> None:
    """Anybody can paste them."""
    names = ["sick.a", "sick.b", "sick.c", "sick.d"]
    await sick(control, *names)
    ann = await control.person()
    for name in names:
        await bell.ask(ann, f"/stories {name}")
    await well(bell, "well.two")
    good = [one for one in await control.requests("stories", path="/v1/") if one["status"] != 500]
    assert not any(name in str(one["params"]) for name in names for one in good)


@pytest.mark.parametrize("trouble", ["error", "edge", "ClientLoginRequired"])
async def test_all_that_is_followed_may_be_sick(
    bell: Bell, control: Control, trouble: str
) -> None:
    ann = await control.person()
    names = [f"sick.{trouble.lower()}.{n}" for n in range(4)]
    for name in names:
        await control.profile(name, posts_per_day=0)
        await control.publish(name)
        await bell.ask(ann, f"/subscribe {name}")
    for name in names:
        await control.change_profile(name, trouble=trouble)
    bob = await control.person("Bob")
    for name in names:
        await bell.ask(bob, f"/stories {name}")
    await well(bell, f"well.{trouble.lower()}")
    told = [str(one.get("text")) for one in await control.replies(ann)]
    assert not any("private" in text or "gone" in text for text in told)


WALLS = ["ClientForbiddenError", "ClientLoginRequired", "PleaseWaitFewMinutes", "nameless", "edge"]


async def test_a_403_that_is_not_about_privacy_tells_nobody_anything(
    bell: Bell, control: Control
) -> None:
    ann, bob = await control.person(), await control.person("Bob")
    for n, wall in enumerate(WALLS):
        name = f"walled.{n}"
        await control.profile(name)
        await control.publish(name)
        await bell.ask(ann, f"/subscribe {name}")
        await control.change_profile(name, trouble=wall)
        (reply,) = await bell.ask(bob, f"/stories {name}")
        assert "private" not in reply["text"], wall
        assert name in reply["text"] or "can't get stories right now" in reply["text"], wall
        await well(bell, f"well.{n}")
    assert not any("private" in str(one.get("text")) for one in await control.replies(ann))


async def test_private_takes_two_answers_that_agree(bell: Bell, control: Control) -> None:
    """A public account answers 403 PrivateAccount for one list; its page says it is public."""
    ann, bob = await control.person(), await control.person("Bob")
    await control.profile("contrary")
    await control.publish("contrary")
    (told, *_) = await bell.ask(ann, "/subscribe contrary")
    page = '{"detail": "User hid data using privacy settings", "exc_type": "PrivateAccount"}'
    await control.fault("stories", {"status": 403, "body": page}, match="user/stories", times=None)
    (reply,) = await bell.ask(bob, "/stories contrary")
    assert "private" not in reply["text"]
    assert "contrary" in reply["text"]
    news = await control.replies(ann, told["message_id"])
    assert not any("private" in str(one.get("text")) for one in news)


async def test_private_takes_two_answers_also_after_a_passing_404(
    bell: Bell, control: Control
) -> None:
    ann = await control.person()
    await control.profile("contrary.too")
    story = await control.publish("contrary.too")
    for status, name in ((404, "MediaNotFound"), (403, "PrivateAccount")):
        page = json.dumps({"detail": "…", "exc_type": name})
        await control.fault("stories", {"status": status, "body": page}, match="story/by/id")
    (reply,) = await bell.ask(
        ann, f"https://www.instagram.com/stories/contrary.too/{story['pk']}/"
    )
    assert "private" not in str(reply.get("text"))
    assert "contrary.too" in str(reply.get("text"))


async def test_a_passing_404_is_not_believed(bell: Bell, control: Control) -> None:
    ann = await control.person()
    for name, command in (("passing.a", "/stories"), ("passing.b", "/subscribe")):
        await control.profile(name)
        await control.publish(name)
        await control.change_profile(name, trouble="UserNotFound", trouble_times=1)
        (reply, *_) = await bell.ask(ann, f"{command} {name}")
        assert "can't find" not in str(reply.get("text")), command
    story = await control.publish("passing.a")
    await control.change_profile("passing.a", trouble="MediaNotFound", trouble_times=1)
    (shown,) = await bell.ask(ann, f"https://www.instagram.com/stories/passing.a/{story['pk']}/")
    assert shown.get("_story_pk") == story["pk"]


async def test_a_passing_404_of_a_known_account_is_asked_again(
    bell: Bell, control: Control
) -> None:
    ann, name = await control.person(), "known.here"
    await control.profile(name)
    story = await control.publish(name)
    url = f"https://www.instagram.com/stories/{name}/{story['pk']}/"
    await bell.ask(ann, url)  # which tells the id
    await control.change_profile(name, trouble="UserNotFound", trouble_times=1)
    before = await control.billed_for(name)
    (shown,) = await bell.ask(ann, f"/stories {name}")
    assert shown.get("_story_pk") == story["pk"], shown.get("text")
    assert await control.billed_for(name) - before == 5


async def test_a_passing_404_while_one_subscribes_is_asked_again(
    bell: Bell, control: Control
) -> None:
    ann = await control.person()
    await control.profile("soon.followed")
    page = '{"detail": "Target user not found", "exc_type": "UserNotFound"}'
    await control.fault("stories", {"status": 404, "body": page}, match="user/stories")
    (reply, *_) = await bell.ask(ann, "/subscribe soon.followed")
    assert "can't" not in reply["text"], reply["text"]
    (listed,) = await bell.ask(ann, "/subscriptions")
    assert "soon.followed" in str(listed)


async def test_profile_with_contradicting_answers_is_checked_once_a_minute(
    bell: Bell, control: Control
) -> None:
    """A public account that refuses its stories as private: the page says otherwise."""
    await control.profile("of.two.minds")
    page = '{"detail": "User hid data using privacy settings", "exc_type": "PrivateAccount"}'
    await control.fault("stories", {"status": 403, "body": page}, match="user/stories", times=None)
    for n in range(3):
        person = await control.person(f"P{n}")
        (reply,) = await bell.ask(person, "/stories of.two.minds")
        assert "of.two.minds" in reply["text"]
        assert "private" not in reply["text"]
    assert await control.billed_for("of.two.minds") == 3


async def test_a_refusal_always_names_whom_it_is_about(bell: Bell, control: Control) -> None:
    """The account is known by its id by then, of which the API's answer tells no name."""
    ann, bob = await control.person(), await control.person("Bob")
    for name in ("once.here", "once.seen"):
        await control.profile(name)
        await control.publish(name)
    story = await control.publish("once.here")
    (shown,) = await bell.ask(ann, f"https://www.instagram.com/stories/once.here/{story['pk']}/")
    assert shown.get("_story_pk") == story["pk"]
    await control.change_profile("once.here", deleted=True)
    for ask in ("/stories once.here", "/subscribe once.here"):
        (reply, *_) = await bell.ask(bob, ask)
        assert "once.here" in reply["text"]
        assert "  " not in reply["text"]


@pytest.mark.parametrize("name", ["StoryNotFound", "MediaNotFound"])
async def test_a_list_that_answers_404_has_none(bell: Bell, control: Control, name: str) -> None:
    ann = await control.person()
    await control.stories_api(none_as=name)
    (reply,) = await bell.ask(ann, "/stories @quiet")
    assert reply["text"] == "quiet has no stories right now."


async def test_a_name_is_looked_up_before_the_dearer_calls(bell: Bell, control: Control) -> None:
    ann = await control.person()
    await control.profile("cheap")
    for name, credits_ in (("no.such.name", 2), ("locked", 1), ("cheap", 3)):
        before = await control.billed_for(name)
        await bell.ask(ann, f"/stories {name}")
        assert await control.billed_for(name) - before == credits_, name
