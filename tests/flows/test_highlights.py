"""Highlights: listed as buttons, opened ten at a time, and kept by their ids."""

import asyncio
from base64 import urlsafe_b64encode
from datetime import timedelta
from pathlib import Path

import pytest

from handlers import guard
from tests.support.control import Control, Json, stories_of, wait_for
from tests.support.storybell import Bell, buttons, storybell

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.jumps]

LIST, ONE = "/v1/user/highlights", "/v1/highlight/by/url"


def link(highlight: Json) -> str:
    return f"https://www.instagram.com/stories/highlights/{highlight['pk']}/"


async def made(control: Control, name: str, **fields: object) -> Json:
    """Make a profile with a highlight."""
    await control.profile(name, posts_per_day=0)
    return await control.keep(name, **fields)


async def test_titles_are_buttons_and_a_press_brings_ten_at_a_time(
    bell: Bell, control: Control
) -> None:
    ann = await control.person()
    highlight = await made(control, "hl.one", title="Sea", count=12)
    before = await control.billed()
    (menu,) = await bell.ask(ann, "/highlights hl.one")
    assert "Highlights from hl.one" in menu["text"]
    assert buttons(menu) == {"Sea · 12": f"highlight:{highlight['pk']}"}
    assert await control.billed() - before == 3  # the name, and the list
    await bell.press(ann, menu, f"highlight:{highlight['pk']}")
    messages = await bell.replies(ann, 11, after=menu["message_id"])
    assert stories_of(messages) == highlight["media_ids"][:10]
    assert "Sea" in messages[0]["caption"]
    assert "1/2" in messages[0]["caption"]
    assert "Disappears" not in messages[0]["caption"]
    more = messages[-1]
    assert more["text"] == "10 of 12 shown."
    await bell.press(ann, more, f"highlight:{highlight['pk']}:10")
    rest = await bell.replies(ann, 2, after=more["message_id"])
    assert stories_of(rest) == highlight["media_ids"][10:]
    assert await control.billed() - before == 4


async def test_a_link_costs_one_credit_and_then_nothing(bell: Bell, control: Control) -> None:
    ann, bob = await control.person(), await control.person("Bob")
    highlight = await made(control, "hl.two", title="Hills", count=2)
    before = await control.billed()
    messages = await bell.ask(ann, link(highlight), count=2)
    assert stories_of(messages) == highlight["media_ids"]
    assert await control.billed() - before == 1
    again = await bell.ask(bob, f"/stories {link(highlight)}", count=2)
    assert stories_of(again) == highlight["media_ids"]
    assert {message["_source"] for message in again} == {"file_id"}
    assert await control.billed() - before == 1


async def test_a_link_into_a_private_account_is_paid_once(bell: Bell, control: Control) -> None:
    ann, bob = await control.person(), await control.person("Bob")
    highlight = await made(control, "hl.followers", title="Hills", count=2)
    await control.change_profile("hl.followers", is_private=True)
    before = await control.billed()
    for person in (ann, bob, ann):
        (reply,) = await bell.ask(person, link(highlight))
        assert "private" in reply["text"]
    assert await control.billed() - before == 1


async def test_a_shared_link_opens_at_its_story(bell: Bell, control: Control) -> None:
    ann = await control.person()
    highlight = await made(control, "hl.three", title="Woods", count=3)
    code = urlsafe_b64encode(f"highlight:{highlight['pk']}".encode()).decode()
    second = highlight["media_ids"][1]
    url = f"https://www.instagram.com/s/{code}?story_media_id={second}"
    (photo,) = await bell.ask(ann, url)
    assert photo["_story_pk"] == second
    data = f"highlight:{highlight['pk']}"
    assert set(buttons(photo).values()) == {"run:subscribe:hl.three", data, link(highlight)}
    await bell.press(ann, photo, data)
    messages = await bell.replies(ann, 3, after=photo["message_id"])
    assert stories_of(messages) == highlight["media_ids"]


async def test_what_can_not_be_shown_is_said_in_one_sentence(bell: Bell, control: Control) -> None:
    ann = await control.person()
    highlight = await made(control, "hl.four")
    await control.drop("hl.four", highlight["pk"])
    await control.profile("hl.hidden", is_private=True)
    for words, answer, price in (
        (link(highlight), "This highlight isn't available", 1),
        ("/highlights hl.four", "hl.four has no highlights", 3),
        ("/highlights hl.hidden", "is a private account", 1),
        ("/highlights nobody.has.it", "can't find nobody.has.it", 2),
        ("/highlights two names", "Did you mean this?", 0),
        ("/highlights natgeo/../x", "Write it like this: /highlights", 0),
    ):
        before = await control.billed()
        (reply,) = await bell.ask(ann, words)
        assert answer in reply["text"], words
        assert await control.billed() - before == price, words


async def test_a_profile_that_turned_private_shows_nothing_more(
    bell: Bell, control: Control
) -> None:
    ann = await control.person()
    highlight = await made(control, "hl.turned")
    await bell.ask(ann, "/highlights hl.turned")
    await control.change_profile("hl.turned", is_private=True)
    (reply,) = await bell.ask(ann, link(highlight))
    assert "private" in reply["text"]


async def test_a_profile_that_is_public_again_costs_a_name_and_a_list(
    bell: Bell, control: Control
) -> None:
    ann = await control.person()
    await made(control, "hl.public.again", title="Sea")
    await control.change_profile("hl.public.again", is_private=True)
    await bell.ask(ann, "/highlights hl.public.again")
    await control.change_profile("hl.public.again", is_private=False)
    await asyncio.sleep(301)  # the refusal is cached for five minutes
    before = await control.billed()
    for _ in range(2):
        (menu,) = await bell.ask(ann, "/highlights hl.public.again")
        assert list(buttons(menu)) == ["Sea · 3"]
        assert await control.billed() - before == 3


async def test_a_plan_without_highlights_is_said_and_asked_once(tmp_path: Path) -> None:
    async with storybell(tmp_path) as bell:
        control = bell.control
        await control.call(
            "POST", "/beliefs", {"user_highlights": "refused", "highlight_by_url": "refused"}
        )
        ann = await control.person()
        for number in range(3):
            (reply,) = await bell.ask(ann, f"/highlights @{('natgeo', 'prada', 'quiet')[number]}")
            assert reply["text"].startswith("Highlights aren't available in this bot.")
        assert len(await control.requests("stories", path=LIST)) == 1
        (reply,) = await bell.ask(ann, "https://www.instagram.com/stories/highlights/17899/")
        assert reply["text"].startswith("Highlights aren't available in this bot.")
        assert await control.requests("stories", path=ONE) == []


async def test_a_question_is_answered_by_a_name(bell: Bell, control: Control) -> None:
    ann = await control.person()
    (question,) = await bell.ask(ann, "/highlights")
    assert "Whose highlights?" in question["text"]
    (menu,) = await bell.ask(ann, "natgeo", reply_to=question["message_id"])
    assert set(buttons(menu)) == {"Oceans · 23", "Lions 🦁 · 4"}
    (card,) = await bell.ask(ann, "/start p_prada")
    await bell.press(ann, card, "run:highlights:prada")
    (menu,) = await bell.replies(ann, 1, after=card["message_id"])
    assert set(buttons(menu)) == {"Best of · 1"}


async def test_many_highlights_have_pages(bell: Bell, control: Control) -> None:
    ann = await control.person()
    await control.profile("hl.many", posts_per_day=0)
    for number in range(23):
        await control.keep("hl.many", title=f"No {number}", count=1)
    (menu,) = await bell.ask(ann, "/highlights hl.many")
    assert len(buttons(menu)) == 21
    before = await control.billed()
    await bell.press(ann, menu, "highlights:hl.many:1")

    async def turned() -> Json | None:
        page = await bell.message(ann, menu["message_id"])
        return page if len(buttons(page)) == 4 else None

    page = await wait_for(turned)
    assert {"No 0 · 1", "◀️"} <= set(buttons(page))
    assert await control.billed() == before


async def test_a_name_that_another_took_lists_who_has_it_now(bell: Bell, control: Control) -> None:
    ann = await control.person()
    await made(control, "hl.name", title="First")
    await bell.ask(ann, "/highlights hl.name")
    await control.change_profile("hl.name", username="hl.moved")
    await made(control, "hl.name", title="Second")

    async def titles(name: str) -> set[str]:
        (menu,) = await bell.ask(ann, f"/highlights {name}")
        return {text.partition(" ")[0] for text in buttons(menu)}

    # Whose the name is now is seen by whatever shows it: here a pasted link.
    await control.publish("hl.name")
    (story,) = await control.stories("hl.name")
    await bell.ask(ann, f"https://www.instagram.com/stories/hl.name/{story['pk']}/")

    async def is_seen() -> bool:  # an answer is kept right after it was given
        return await titles("hl.name") == {"Second"}

    await wait_for(is_seen)
    before = await control.billed()
    assert await titles("hl.name") == {"Second"}
    assert await control.billed() == before
    assert await titles("hl.moved") == {"First"}


async def test_a_list_that_bears_another_name_is_not_shown_for_the_one_that_was_asked(
    bell: Bell, control: Control
) -> None:
    ann = await control.person()
    await made(control, "hl.former", title="Theirs")
    await bell.ask(ann, "/stories hl.former")  # whose the name is, is known from now on
    await control.change_profile("hl.former", username="hl.renamed")
    (reply,) = await bell.ask(ann, "/highlights hl.former")
    assert "can't find hl.former" in reply["text"]
    await made(control, "hl.again", title="Theirs")
    await bell.ask(ann, "/stories hl.again")
    await control.change_profile("hl.again", username="hl.gone.on")
    await made(control, "hl.again", title="Ours")
    (menu,) = await bell.ask(ann, "/highlights hl.again")
    assert {text.partition(" ")[0] for text in buttons(menu)} == {"Ours"}


async def test_pressed_twice_it_comes_once_and_what_is_forged_does_nothing(
    bell: Bell, control: Control, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(guard, "TWICE", timedelta(minutes=1))  # however busy the machine is
    ann = await control.person()
    highlight = await made(control, "hl.twice", count=2)
    (menu,) = await bell.ask(ann, "/highlights hl.twice")
    data = f"highlight:{highlight['pk']}"
    queries = await asyncio.gather(
        *(control.press(ann, menu["message_id"], data) for _ in range(3))
    )
    for query in queries:
        await bell.answered(query)
    before = await control.billed()
    for forged in (
        "highlight:0", "highlight:", "highlight:1:99999", "highlights:..", "highlights:hl.twice:x",
        "highlight:-5", "highlights:UPPER",
    ):  # fmt: skip
        await bell.press(ann, menu, forged)
    # A place behind the end begins anew.
    await bell.press(ann, menu, f"{data}:9000")

    async def twice() -> bool:
        found = stories_of(await control.replies(ann, after=menu["message_id"]))
        return found == [*highlight["media_ids"], *highlight["media_ids"]]

    await wait_for(twice)
    assert await control.billed() == before
