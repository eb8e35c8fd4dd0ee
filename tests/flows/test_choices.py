"""A typed name after a question for a followed profile keeps the command of the question."""

from contextlib import suppress

import pytest

from bot.presentation.html import plain
from bot.presentation.translation import translator_for
from handlers.confirmation import MEANT
from tests.support.control import Control, RefusedError
from tests.support.storybell import NO_CHECKS, Bell, buttons, unhurried

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.jumps]
TIMING = unhurried()
SETTINGS = NO_CHECKS
FOLLOWED = ("chosen.a", "chosen.b")


async def follower(bell: Bell, control: Control, language: str = "en") -> int:
    """Return a new person with subscriptions to ``FOLLOWED``."""
    for name in FOLLOWED:
        with suppress(RefusedError):  # an earlier test created the profile
            await control.profile(name, posts_per_day=0)
    person = await control.person(language_code=language)
    await bell.ask(person, f"/subscribe {' '.join(FOLLOWED)}")
    return person


async def test_names_after_which_alerts_to_stop_keep_the_command(
    bell: Bell, control: Control
) -> None:
    for language, text, names in (
        ("uk", "chosen.a", "chosen.a"),
        ("de", "chosen.a und chosen.b", "chosen.a chosen.b"),
        ("en", "the chosen.b one please", "chosen.b"),
        ("en", "chosen.a, @chosen.b", "chosen.a chosen.b"),
        ("en", "https://www.instagram.com/chosen.a/", "chosen.a"),
        ("en", "https://www.instagram.com/chosen.a/ and @chosen.b", "chosen.a chosen.b"),
    ):
        for is_reply in (True, False):
            ann = await follower(bell, control, language)
            (question,) = await bell.ask(ann, "/unsubscribe")
            more = {"reply_to": question["message_id"]} if is_reply else {}
            (asked,) = await bell.ask(ann, text, **more)
            meant = plain(translator_for(language)(MEANT))
            assert asked["text"].splitlines() == [meant, f"/unsubscribe {names}"], text
            assert list(buttons(asked).values()) == ["many:unsubscribe"], text


async def test_a_name_after_another_question_runs_the_command(
    bell: Bell, control: Control
) -> None:
    ann = await follower(bell, control)
    for command, shown in (("why", "Last check"), ("rules", "chosen.a"), ("past", "chosen.a")):
        (question,) = await bell.ask(ann, f"/{command}")
        (page,) = await bell.ask(ann, "chosen.a")
        assert shown in page["text"], command
        assert "run:stories:chosen.a" not in buttons(page).values(), command
        (again,) = await bell.ask(ann, "chosen.a", reply_to=question["message_id"])
        assert again["text"] == page["text"], command
        (asked,) = await bell.ask(ann, "chosen.a and chosen.b", reply_to=question["message_id"])
        each = [f"run:{command}:{name}" for name in FOLLOWED]
        assert list(buttons(asked).values()) == each, command


async def test_other_messages_after_a_question_are_answered_as_usual(
    bell: Bell, control: Control
) -> None:
    ann = await follower(bell, control)
    for text in ("show chosen.a", "follow chosen.a", "unknown.name"):
        await bell.ask(ann, "/unsubscribe")
        (card,) = await bell.ask(ann, text)
        assert any(one.startswith("run:stories:") for one in buttons(card).values()), text
    await bell.ask(ann, "/unsubscribe")
    await bell.ask(ann, "/help")
    (card,) = await bell.ask(ann, "chosen.a")
    assert "run:stories:chosen.a" in buttons(card).values()


async def test_an_excluded_name_is_not_offered(bell: Bell, control: Control) -> None:
    for language, text in (
        ("en", "all but chosen.a"),
        ("en", "not chosen.a"),
        ("de", "chosen.b aber nicht chosen.a"),
    ):
        ann = await follower(bell, control, language)
        await bell.ask(ann, "/unsubscribe")
        (shown,) = await bell.ask(ann, text)
        assert "many:unsubscribe" not in buttons(shown).values(), text


async def test_a_cancellation_drops_the_question(bell: Bell, control: Control) -> None:
    ann = await follower(bell, control)
    for command in ("/unsubscribe", "/rules"):
        await bell.ask(ann, command)
        await bell.ask(ann, "never mind")
        (card,) = await bell.ask(ann, "chosen.a")
        assert "run:stories:chosen.a" in buttons(card).values(), command


async def test_a_reply_in_a_group_keeps_the_command(bell: Bell, control: Control) -> None:
    ann = await follower(bell, control)
    group = await control.chat("supergroup", members={ann: "creator"})
    await bell.ask(group, "/subscribe chosen.a chosen.b", user=ann)
    (question,) = await bell.ask(group, "/unsubscribe", user=ann)
    (asked,) = await bell.ask(group, "chosen.b", user=ann, reply_to=question["message_id"])
    assert asked["text"].splitlines()[1] == "/unsubscribe chosen.b"


async def test_of_twelve_names_ten_are_offered_and_the_other_two_can_follow(
    bell: Bell, control: Control
) -> None:
    names = [f"chosen.many.{letter}" for letter in "abcdefghijkl"]
    for name in names:
        await control.profile(name, posts_per_day=0)
    ann = await control.person()
    await bell.ask(ann, f"/subscribe {' '.join(names[:6])}")
    await bell.ask(ann, f"/subscribe {' '.join(names[6:])}")
    for command in ("why", "unsubscribe"):
        await bell.ask(ann, f"/{command}")
        for part in (names, names[10:]):
            (asked,) = await bell.ask(ann, ", ".join(part))
            offered = asked["text"] + str(buttons(asked))
            assert [name for name in names if name in offered] == part[:10], command
            is_cut = "I can take up to 10 names at a time; please send the rest" in asked["text"]
            assert is_cut == (part == names), command
            assert all(f":{command}" in one for one in buttons(asked).values()), command
