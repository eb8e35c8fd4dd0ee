"""Several profiles in one message: each is done or said why not, in one summary."""

from functools import partial
from pathlib import Path

import pytest

from tests.support.control import Control, Json, stories_of, wait_for
from tests.support.storybell import FEW_CHECKS, Bell, buttons, storybell

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.jumps]
SETTINGS = FEW_CHECKS
DOWN: Json = {"status": 503, "body": {"detail": "Service Unavailable"}}


async def star(control: Control, name: str, stories: int = 1, **fields: object) -> None:
    await control.profile(name, posts_per_day=0, **fields)
    now = (await control.state())["now"]
    for number in range(stories):
        await control.publish(name, taken_at=now - 60 + number)


async def test_stories_of_several_come_by_profile_and_a_summary_ends_them(
    bell: Bell, control: Control
) -> None:
    ann = await control.person()
    await star(control, "many.a", 3)
    await star(control, "many.b", 1)
    await star(control, "many.none", 0)
    await star(control, "many.locked", is_private=True)
    before = await control.billed()
    messages = await bell.ask(
        ann, "/stories many.a, many.b many.none @many.locked nobody.is.it nat-geo 2", count=4
    )
    first = [story["pk"] for story in await control.stories("many.a")][1:]
    second = [story["pk"] for story in await control.stories("many.b")]
    assert stories_of(messages) == first + second  # the latest two of the first
    assert messages[-1]["text"].splitlines() == [
        "many.a: 2 stories",
        "many.b: 1 story",
        "many.none has no stories right now.",
        "many.locked is a private account, so its stories can't be shown.",
        "I can't find nobody.is.it on Instagram. Please check the spelling.",
        "“nat-geo” isn't an Instagram username. It's the name in a profile's link, like natgeo.",
    ]
    assert await control.billed() - before == 3 + 3 + 3 + 1 + 2


@pytest.mark.parametrize(
    ("language", "one", "two"),
    [
        ("de", "a.de ist schon abonniert.", "a.de und b.de sind schon abonniert."),
        ("tr", "a.tr profiline zaten", "a.tr ve b.tr profillerine zaten"),
        ("ar", "يوجد اشتراك في", "يوجد اشتراكان في"),
    ],
)
async def test_sentence_has_the_plural_of_its_names(
    language: str, one: str, two: str, bell: Bell, control: Control
) -> None:
    person = await control.person(language_code=language)
    first, second = f"a.{language}", f"b.{language}"
    await star(control, first)
    await star(control, second)
    await bell.ask(person, f"/subscribe {first} {second}")
    (reply,) = await bell.ask(person, f"/subscribe {first}")
    assert one in reply["text"]
    (reply,) = await bell.ask(person, f"/subscribe {first} {second}")
    assert two in reply["text"]


async def test_label_has_the_colon_of_the_language(bell: Bell, control: Control) -> None:
    person = await control.person(language_code="fr")
    for name in ("colon.a", "colon.b"):
        await star(control, name)
        (done,) = await bell.ask(person, f"/subscribe {name}")
        number = buttons(done)["Options"].removeprefix("sub:")
        await bell.press(person, done, f"opt:{number}:pause:on")
    (reply,) = await bell.ask(person, "/subscribe colon.a colon.b")
    assert "colon.a et colon.b\u00a0: ⏸ En pause" in reply["text"]


async def test_one_message_subscribes_to_several(bell: Bell, control: Control) -> None:
    ann = await control.person()
    await star(control, "subs.a")
    await star(control, "subs.b")
    await star(control, "subs.locked", is_private=True)
    await bell.ask(ann, "/subscribe subs.a")
    (reply,) = await bell.ask(ann, "/subscribe subs.a subs.b subs.locked")
    lines = reply["text"].splitlines()
    assert lines[:3] == [
        "🔔 I'll send you every new story from subs.b.",
        "Already subscribed to subs.a.",
        "subs.locked is a private account, so its stories can't be shown.",
    ]
    assert "subs:0" in buttons(reply).values()
    (listed,) = await bell.ask(ann, "/subscriptions")
    assert {"🔔 subs.a", "🔔 subs.b"} <= set(buttons(listed))
    # All that was said to be subscribed to is, and brings alerts.
    story = await control.publish("subs.b")
    (alert,) = await bell.replies(ann, 1, after=listed["message_id"])
    assert alert["_story_pk"] == story["pk"]


async def test_words_of_ours_and_profiles_so_named(bell: Bell, control: Control) -> None:
    ann = await control.person()
    await star(control, "fast", 0)
    await star(control, "words.a", 0)
    (reply,) = await bell.ask(ann, "/subscribe fast")
    assert "Write it like this: /subscribe" in reply["text"]
    assert await control.billed_for("fast") == 0
    (reply,) = await bell.ask(ann, "/subscribe words.a @fast fast")
    assert "send you every new story from words.a and fast." in reply["text"]
    assert await control.billed_for("fast") > 0
    (listed,) = await bell.ask(ann, "/subscriptions")
    for name in ("words.a", "fast"):
        number = buttons(listed)[f"🔔 {name}"]
        await bell.press(ann, listed, number)
        page = await bell.message(ann, listed["message_id"])
        assert any(text.startswith("Timing: Check more often") for text in buttons(page)), name


async def test_limits_are_those_of_single_ones(tmp_path: Path) -> None:
    async with storybell(tmp_path, max_subscriptions=3) as bell:
        control = bell.control
        ann = await control.person()
        names = [f"limit.{number}" for number in range(5)]
        for name in names:
            await star(control, name, 0)
        (reply,) = await bell.ask(ann, f"/subscribe {' '.join(names)}")
        lines = reply["text"].splitlines()
        assert lines[0] == ("🔔 I'll send you every new story from limit.0, limit.1, and limit.2.")
        assert lines[1].startswith(
            "limit.3 and limit.4: This chat has reached its subscription limit"
        )


async def test_a_small_allowance_shows_the_first_of_them(tmp_path: Path) -> None:
    async with storybell(tmp_path, chat_daily_allowance=7) as bell:
        control = bell.control
        ann = await control.person()
        names = [f"small.{number}" for number in range(5)]
        for name in names:
            await star(control, name, 1)
        messages = await bell.ask(ann, f"/stories {' '.join(names)}", count=3)
        assert len(stories_of(messages)) == 2  # 3 credits each
        lines = messages[-1]["text"].splitlines()
        assert lines[:2] == ["small.0: 1 story", "small.1: 1 story"]
        assert lines[2].startswith(
            "small.2, small.3, and small.4: This chat has reached its limit"
        )
        assert await control.billed() <= 7


async def test_more_than_ten_are_told(control: Control) -> None:
    ann = await control.person()
    names = [f"ten.{number}" for number in range(12)]
    for name in names:
        await star(control, name, 1)
    await control.say(ann, f"/stories {' '.join(names)}")

    async def told() -> list[Json] | None:
        found = await control.replies(ann)
        last = found[-1].get("text", "") if found else ""
        return found if "I can take up to 10 names at a time" in last else None

    assert len(stories_of(await wait_for(told))) == 10


@pytest.mark.parametrize("text", ["list.a\n- list.b\n3. list.c", "list.a, @list.b, list.c"])
async def test_a_pasted_list_gets_its_two_buttons(bell: Bell, control: Control, text: str) -> None:
    ann = await control.person()
    for name in ("list.a", "list.b", "list.c"):
        try:
            await star(control, name, 1)
        except AssertionError:  # of the other example
            continue
    before = len(await control.requests("stories", path="/v1/user/by/username"))
    (card,) = await bell.ask(ann, text)
    assert "list.a, list.b, and list.c" in card["text"]
    assert buttons(card) == {"Show all": "many:stories", "Subscribe to all": "many:subscribe"}
    assert len(await control.requests("stories", path="/v1/user/by/username")) == before
    await bell.press(ann, card, "many:stories")
    messages = await bell.replies(ann, 4, after=card["message_id"])
    assert len(stories_of(messages)) == 3
    await bell.press(ann, card, "many:subscribe")
    told = await bell.replies(ann, 5, after=card["message_id"])
    assert "send you every new story from list.a, list.b, and list.c." in told[-1]["text"]


@pytest.mark.parametrize("language", ["ar", "fa"])
async def test_a_list_in_a_language_from_the_right_is_read_off_its_message(
    bell: Bell, control: Control, language: str
) -> None:
    ann = await control.person(language_code=language)
    names = [f"{language}.{number}.{'x' * 25}" for number in range(10)]
    (card,) = await bell.ask(ann, "\n".join(names))
    # Each name has a direction of its own, and the list that of its sentence.
    assert all(f"\u2068{name}\u2069" in card["text"] for name in names)
    await star(control, names[9], 1)
    await bell.press(ann, card, "many:subscribe")
    (told,) = await bell.replies(ann, 1, after=card["message_id"])
    assert f"\u2068{names[9]}\u2069" in told["text"].splitlines()[0]


async def test_a_list_may_end_in_a_name_of_digits(bell: Bell, control: Control) -> None:
    ann = await control.person()
    await star(control, "digits.a", 1)
    await star(control, "1234567", 1)
    (card,) = await bell.ask(ann, "digits.a\n1234567")
    await bell.press(ann, card, "many:stories")
    told = await bell.replies(ann, 3, after=card["message_id"])
    assert len(stories_of(told)) == 2
    await bell.press(ann, card, "many:subscribe")
    told = await bell.replies(ann, 4, after=card["message_id"])
    assert "send you every new story from digits.a and 1234567." in told[-1]["text"]


async def test_small_talk_is_no_list(bell: Bell, control: Control) -> None:
    ann = await control.person()
    await bell.noticed(ann, "hello, thanks", user=ann)
    assert not await control.replies(ann)
    for text in ("@hello, @thanks", "stop\nnatgeo\nprada"):
        (card,) = await bell.ask(ann, text)
        assert "many:stories" in buttons(card).values(), text


async def test_one_fast_too_many_is_known_before_anything_is_paid(tmp_path: Path) -> None:
    async with storybell(tmp_path) as bell:
        control = bell.control
        ann = await control.person()
        for name in ("quick.a", "quick.b", "quick.c", "quick.d"):
            await star(control, name, 0)
        await bell.ask(ann, "/subscribe quick.a quick.b quick.c fast")
        for _ in range(2):
            (reply,) = await bell.ask(ann, "/subscribe quick.d fast")
            assert "reached the limit for profiles checked more often (3)" in reply["text"]
        assert len(await control.requests("stories", path="/v1/user/by/username")) == 3


async def test_one_fast_too_many_undoes_none_of_the_others(tmp_path: Path) -> None:
    async with storybell(tmp_path) as bell:
        control = bell.control
        ann = await control.person()
        for name in ("haste.new", "haste.a", "haste.b", "haste.old"):
            await star(control, name, 0)
        await bell.ask(ann, "/subscribe haste.old fast")
        await bell.ask(ann, "/subscribe haste.a haste.b")
        (reply,) = await bell.ask(ann, "/subscribe haste.new haste.a haste.b fast")
        new, sooner, full = reply["text"].splitlines()[:3]
        assert "send you every new story from haste.new" in new
        assert "check haste.a more often" in sooner
        assert full.startswith("haste.b: ")
        assert "reached the limit for profiles checked more often (3)" in full
        (listed,) = await bell.ask(ann, "/subscriptions")
        names = {"haste.new": True, "haste.a": True, "haste.b": False}
        assert {f"🔔 {name}" for name in names} <= set(buttons(listed))
        for name, is_fast in names.items():
            await bell.press(ann, listed, buttons(listed)[f"🔔 {name}"])
            texts = buttons(await bell.message(ann, listed["message_id"]))
            assert any(text.startswith("Timing: Check more often") for text in texts) is is_fast, (
                name
            )
            await bell.press(ann, listed, "subs:0")


async def test_a_default_makes_no_more_fast_than_a_chat_may_have(tmp_path: Path) -> None:
    async with storybell(tmp_path) as bell:
        control = bell.control
        ann = await control.person()
        names = ["dash.a", "dash.b", "dash.c", "dash.d"]
        for name in names:
            await star(control, name, 0)
        await bell.ask(ann, "/help")
        menu = await bell.old_post(ann, "defaults:fast:on")
        await bell.press(ann, menu, "defaults:fast:on")
        await bell.ask(ann, "/subscribe dash.a")
        (reply,) = await bell.ask(ann, "/subscribe dash.b dash.c dash.d")
        assert "send you every new story from dash.b, dash.c, and dash.d." in reply["text"]
        (listed,) = await bell.ask(ann, "/subscriptions")
        are_fast = []

        async def shown(beginning: str) -> Json | None:
            page = await bell.message(ann, listed["message_id"])
            return page if any(text.startswith(beginning) for text in buttons(page)) else None

        for name in names:
            await bell.press(ann, listed, buttons(listed)[f"🔔 {name}"])
            page = await wait_for(partial(shown, "Timing: "), what="the options")
            texts = buttons(page)
            are_fast += [name for text in texts if text.startswith("Timing: Check more often")]
            await bell.press(ann, page, "subs:0")
            await wait_for(partial(shown, f"🔔 {name}"), what="the list")
        assert are_fast == names[:3]


async def test_a_sentence_is_no_list(bell: Bell, control: Control) -> None:
    ann = await control.person()
    before = len(await control.requests("stories", path="/v1/user/by/username"))
    await bell.ask(ann, "well, this is nice, thank you")
    (question,) = await bell.ask(ann, "/subscribe")
    (kept,) = await bell.ask(ann, "no thank you", reply_to=question["message_id"])
    assert kept["text"] == "Nothing has changed."
    (again,) = await bell.ask(ann, "this is nice", reply_to=question["message_id"])
    assert again["text"].endswith("Send me a name like natgeo.")
    assert len(await control.requests("stories", path="/v1/user/by/username")) == before


async def test_equal_errors_of_several_profiles_are_one_sentence(tmp_path: Path) -> None:
    async with storybell(tmp_path) as bell:
        control = bell.control
        ann = await control.person()
        await control.profile("lone.one", posts_per_day=0)
        await control.profile("lone.two", posts_per_day=0)
        for name in ("lone.one", "lone.two"):
            await control.change_profile(name, trouble="error")
        await bell.ask(ann, "/subscribe lone.one lone.two")
        (reply,) = await bell.ask(ann, "/subscribe lone.one lone.two")
        assert reply["text"].startswith("lone.one and lone.two: I can't get stories"), reply
        await control.fault("stories", DOWN, times=None)
        names = " ".join(f"down.{number}" for number in range(200))
        (reply,) = await bell.ask(await control.person(), f"/subscribe {names}")
        first, second = reply["text"].splitlines()
        assert first.startswith("down.0, down.1, down.2,")
        assert first.endswith("down.9: I can't get stories right now."
                              " Please try again in a few minutes.")  # fmt: skip
        assert second.startswith("I can take up to 10 names at a time")
