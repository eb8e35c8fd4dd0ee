"""Paste a link, get the story: what it brings, what it costs, and what is refused for nothing."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import pytest
import sqlalchemy as sa
from structlog.testing import capture_logs

from bot.domain import links
from bot.domain.links import Link, links_in_message
from bot.runtime.logging import current_trace
from tests.flows.test_talk import PICTURE
from tests.support.control import Control, Json, refused, wait_for
from tests.support.storybell import Bell, buttons

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.jumps]


def link(username: str, story: Json) -> str:
    return f"https://www.instagram.com/stories/{username}/{story['pk']}/"


async def fresh(control: Control, username: str, **fields: Any) -> tuple[str, Json]:
    """Make a profile with one photo; return the photo's link and the story."""
    await control.profile(username, full_name="Some <One> & Co")
    story = await control.publish(username, **fields)
    return link(username, story), story


async def test_the_links_of_a_message_are_parsed_once(
    bell: Bell, control: Control, monkeypatch: pytest.MonkeyPatch
) -> None:
    parsed: list[str] = []

    def count(text: str, *more: Any) -> list[Link]:
        parsed.append(text)
        return links_in_message(text, *more)

    monkeypatch.setattr(links, "links_in_message", count)
    ann = await control.person()
    url, story = await fresh(control, "link.once")
    (photo,) = await bell.ask(ann, url)
    assert photo["_story_pk"] == story["pk"]
    assert parsed == [url]


async def test_a_pasted_link_costs_one_credit_and_brings_the_story(
    bell: Bell, control: Control
) -> None:
    ann = await control.person()
    url, story = await fresh(control, "link.one", mentions=["prada"], hashtags=["dawn"])
    before = await control.billed_for("link.one")
    (photo,) = await bell.ask(ann, f"look at {url}?igsh=abc !")
    assert photo["_story_pk"] == story["pk"]
    assert "Some <One> & Co · link.one" in photo["caption"]
    assert "prada" in photo["caption"]
    assert "#dawn" in photo["caption"]
    data = {"run:subscribe:link.one", "run:stories:link.one", url, f"files:{story['pk']}"}
    assert set(buttons(photo).values()) == data  # and the link is what is shared
    assert buttons(photo)["↗ Share"] == url
    assert await control.billed_for("link.one") - before == 1


async def test_asked_again_it_costs_nothing_and_is_not_uploaded_again(
    bell: Bell, control: Control
) -> None:
    ann, bob = await control.person(), await control.person("Bob")
    url, story = await fresh(control, "link.two")
    await bell.ask(ann, url)
    before = await control.billed_for("link.two")
    (photo,) = await bell.ask(bob, url)
    assert (photo["_story_pk"], photo["_source"]) == (story["pk"], "file_id")
    assert await control.billed_for("link.two") == before


async def test_two_chats_at_the_same_moment_make_one_call(bell: Bell, control: Control) -> None:
    people = [await control.person(name) for name in ("A", "B", "C", "D")]
    url, _ = await fresh(control, "link.three")
    before = await control.billed_for("link.three")
    answers = await asyncio.gather(*(bell.ask(person, url) for person in people))
    assert all(len(answer) == 1 for answer in answers)
    assert await control.billed_for("link.three") - before == 1


async def test_links_in_captions_and_behind_words_count_in_order(
    bell: Bell, control: Control
) -> None:
    ann = await control.person()
    first, one = await fresh(control, "link.four")
    second, two = await fresh(control, "link.five")
    entities = [{"type": "text_link", "offset": 0, "length": 4, "url": second}]
    shown = await bell.ask(ann, f"here {first}", count=2, entities=entities)
    assert [m["_story_pk"] for m in shown] == [one["pk"], two["pk"]]


async def test_the_link_of_an_album_is_served_once(bell: Bell, control: Control) -> None:
    ann = await control.person()
    url, story = await fresh(control, "album.link")
    for _ in range(3):
        await control.say(ann, "", caption=url, file=PICTURE, media_group_id="91")
    await bell.ask(ann, "/help")
    assert await control.shown(ann) == [story["pk"]]


async def test_stories_that_are_linked_beside_their_profiles_page_are_shown(
    bell: Bell, control: Control
) -> None:
    ann = await control.person()
    url, story = await fresh(control, "page.both")
    page, stories = (f"https://www.instagram.com/{way}page.both" for way in ("", "stories/"))
    (photo,) = await bell.ask(ann, f"{page} and {stories}")
    assert photo["_story_pk"] == story["pk"]
    card, photo = await bell.ask(ann, f"{page} and {url}", count=2)
    assert "run:stories:page.both" in buttons(card).values()
    assert photo["_story_pk"] == story["pk"]
    # Edited: what was only asked about is shown, what was shown is not asked about.
    message = await control.say(ann, page)
    (card,) = await control.wait_replies(ann, 1, after=message)
    for text in (f"{page} {stories}", f"{page} and {stories}", f"just {page}"):
        await control.call("PATCH", f"/chats/{ann}/messages/{message}", {"text": text})
    (photo,) = await bell.replies(ann, 1, after=card["message_id"])
    assert photo["_story_pk"] == story["pk"]
    (help_,) = await bell.ask(ann, "/help")
    assert await control.replies(ann, after=photo["message_id"]) == [help_]


@pytest.mark.stands
async def test_a_page_in_a_group_is_shown_once_however_it_is_edited(
    bell: Bell, control: Control
) -> None:
    ann = await control.person()
    _, story = await fresh(control, "page.group")
    group = await control.chat("supergroup", members={ann: "creator"}, bot_status="administrator")
    page, stories = (f"https://www.instagram.com/{way}page.group" for way in ("", "stories/"))
    message = await control.say(group, f"{page} {stories}", user=ann)
    (photo,) = await control.wait_replies(group, 1, after=message)
    assert photo["_story_pk"] == story["pk"]
    await control.call("PATCH", f"/chats/{group}/messages/{message}", {"text": stories})
    (help_,) = await bell.ask(group, "/help", user=ann)
    assert await control.replies(group, after=photo["message_id"]) == [help_]


async def test_more_than_five_links_are_told(bell: Bell, control: Control) -> None:
    ann = await control.person()
    urls = [(await fresh(control, f"many.{n}"))[0] for n in range(6)]
    shown = await bell.ask(ann, " ".join(urls), count=6)
    assert sum("photo" in m for m in shown) == 5
    assert "up to 5 links" in shown[-1]["text"]


OLD_PK = str((int(datetime(2024, 5, 1, tzinfo=UTC).timestamp() * 1000) - 1314220021721) << 23)


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        (f"https://www.instagram.com/stories/natgeo/{OLD_PK}/", "This story is gone"),
        ("https://www.instagram.com/p/C0ffee12345/", "a different kind of Instagram link"),
        ("https://instagram.com.evil.example/stories/natgeo/1", "I can't open this link"),
        ("/stories", "Whose stories?"),
        ("/stories nat-geo pra-da", "Write it like this: /stories"),
        (
            "/stories nat-geo",
            "like natgeo. Write it like this: /stories",
        ),
        (
            "/subscribe nat-geo",
            "like natgeo. Write it like this: /subscribe",
        ),
        ("/subscribe", "Whose new stories should I send here?"),
        ("/subscribe https://www.instagram.com/p/C0ffee12345/", "a different kind"),
        ("/unsubscribe natgeo", "isn't subscribed to natgeo"),
        ("/why nobody_here", "isn't subscribed to nobody_here"),
    ],
)
async def test_refused_links_cost_nothing(
    bell: Bell, control: Control, text: str, answer: str
) -> None:
    ann = await control.person()
    before = await control.billed()
    (reply,) = await bell.ask(ann, text)
    assert answer in reply["text"]
    assert await control.billed() == before


async def test_groups_are_spared_what_is_not_ours_but_served_what_is(
    bell: Bell, control: Control
) -> None:
    ann = await control.person()
    group = await control.chat("group", members={ann: "member"})
    await control.say(group, "https://www.instagram.com/p/C0ffee12345/ nice", user=ann)
    await control.say(group, "https://youtu.be/dQw4w9WgXcQ", user=ann)
    url, story = await fresh(control, "link.six")
    (photo,) = await bell.ask(group, url, user=ann)
    assert photo["_story_pk"] == story["pk"]
    assert len(await control.replies(group)) == 1


@pytest.mark.parametrize("status", [500, 503])
async def test_when_the_api_is_down_a_person_is_told_and_nothing_is_billed(
    bell: Bell, control: Control, status: int
) -> None:
    ann = await control.person()
    url, _ = await fresh(control, f"down.{status}")
    fault = await control.fault(
        "stories", {"status": status, "body": "{}"}, match="/v1/story", times=None
    )
    before = await control.billed_for(f"down.{status}")
    (reply,) = await bell.ask(ann, url)
    await control.clear_faults(fault)
    assert "can't get stories right now" in reply["text"]
    assert await control.billed_for(f"down.{status}") == before


async def test_a_story_taken_down_is_gone(bell: Bell, control: Control) -> None:
    ann = await control.person()
    url, story = await fresh(control, "link.eight")
    await control.take_down("link.eight", story["pk"])
    (reply,) = await bell.ask(ann, url)
    assert "This story is gone" in reply["text"]


async def test_dead_links_are_one_message_with_what_to_do_instead(
    bell: Bell, control: Control
) -> None:
    ann = await control.person()
    urls = [
        f"https://www.instagram.com/stories/dead.link/{int(OLD_PK) + number}/"
        for number in range(3)
    ]
    url, story = await fresh(control, "dead.live")
    shown = await bell.ask(ann, " ".join([*urls, url]), count=2)
    (gone,) = [one for one in shown if "text" in one]
    first, *lines = gone["text"].splitlines()
    assert first.startswith("These stories have disappeared")
    assert len(lines) == 3
    assert all(line.startswith("• dead.link …") for line in lines)
    assert buttons(gone) == {
        "All stories from dead.link": "run:stories:dead.link",
        "🔔 Subscribe": "run:subscribe:dead.link",
    }
    assert any(one.get("_story_pk") == story["pk"] for one in shown)
    (gone,) = await bell.ask(ann, urls[0])
    assert len(gone["text"].splitlines()) == 1


async def test_a_reels_link_leads_to_the_card_of_its_profile(bell: Bell, control: Control) -> None:
    ann = await control.person()
    (card,) = await bell.ask(ann, "https://www.instagram.com/natgeo/reel/C0ffee12345/")
    assert "run:stories:natgeo" in buttons(card).values()
    (told,) = await bell.ask(ann, "https://www.instagram.com/reel/C0ffee12345/")
    assert "a different kind of Instagram link" in told["text"]
    assert buttons(told) == {"Choose a profile": "run:stories"}


async def test_an_unexpected_failure_has_a_number_that_is_in_the_log(
    bell: Bell, control: Control
) -> None:
    ann = await control.person()
    await control.fault("telegram", refused("odd"), match="sendMessage")
    with capture_logs() as logs:
        (reply,) = await bell.ask(ann, "/help")
    assert "send this code to the bot's owner" in reply["text"]
    assert [e["incident"] for e in logs if e["event"] == "incident"] == [reply["text"][-8:]]


async def test_a_pop_up_in_a_channel_has_no_code(bell: Bell, control: Control) -> None:
    ann = await control.person()
    channel = await control.chat(
        "channel", members={ann: "administrator"}, bot_status="administrator"
    )
    post = await bell.old_post(channel, "subs:0")
    odd = {"status": 200, "body": {"ok": True, "result": {"status": "administrator"}}}
    await control.fault("telegram", odd, match="getChatMember")
    said = await bell.press(channel, post, "subs:0", user=ann)
    assert said["text"] == "Something went wrong on my side. Please try again in a moment."


async def test_a_link_edited_into_a_message_is_served_once(bell: Bell, control: Control) -> None:
    ann = await control.person()
    url, story = await fresh(control, "edited.in")
    message = await control.say(ann, "wait for it")
    (line,) = await control.wait_replies(ann, 1, after=message)
    path = f"/chats/{ann}/messages/{message}"
    await control.call("PATCH", path, {"text": f"here: {url}"})
    (photo,) = await control.wait_replies(ann, 1, after=line["message_id"])
    assert photo["_story_pk"] == story["pk"]
    await control.call("PATCH", path, {"text": f"here it is: {url}"})
    (reply,) = await bell.ask(ann, "/help")
    assert "all stories from a profile" in reply["text"]
    assert len(await control.replies(ann)) == 3


@contextmanager
def asked_for_updates() -> Iterator[tuple[list[tuple[str, str]], list[str]]]:
    """Collect what updates ask of the database, and their commits, each with its update."""
    statements: list[tuple[str, str]] = []
    commits: list[str] = []

    def asked(_: object, __: object, statement: str, *___: object) -> None:
        if current_trace().startswith("u"):
            statements.append((current_trace(), statement))

    def committed(_: sa.Connection) -> None:
        if current_trace().startswith("u"):
            commits.append(current_trace())

    sa.event.listen(sa.Engine, "before_cursor_execute", asked)
    sa.event.listen(sa.Engine, "commit", committed)
    try:
        yield statements, commits
    finally:
        sa.event.remove(sa.Engine, "before_cursor_execute", asked)
        sa.event.remove(sa.Engine, "commit", committed)


async def test_a_link_asks_little_of_the_database(bell: Bell, control: Control) -> None:
    ann, bob = await control.person(), await control.person("Bob")
    with asked_for_updates() as (statements, _):
        for person in (ann, bob):
            await bell.ask(person, "/help")
        await wait_for(lambda: sum("DELETE FROM deliveries" in one for _, one in statements) >= 2)
    url, _ = await fresh(control, "link.counted")
    # And a statement and a commit that store it, with all that came beside it.
    for person, most, most_commits, last in (
        (ann, 21, 5, {"INSERT INTO usage_days", "UPDATE ledger_entries"}),
        (bob, 9, 2, {"INSERT INTO usage_days"}),
    ):
        with asked_for_updates() as (statements, commits):
            await bell.ask(person, url)
            await wait_for(
                lambda: all(any(one in other for _, other in statements) for one in last)  # noqa: B023 - awaited here
            )
            await control.state()  # whatever was written last is committed by now
        ours = max(name for name, _ in statements)  # something of an earlier one may still come
        assert len([one for name, one in statements if name == ours]) <= most, statements
        assert commits.count(ours) <= most_commits


async def test_a_command_asks_little_of_the_database(bell: Bell, control: Control) -> None:
    ann = await control.person()
    await bell.ask(ann, "/help")
    with asked_for_updates() as (statements, commits):
        await bell.ask(ann, "/help")
        await wait_for(lambda: any("DELETE FROM deliveries" in one for _, one in statements))
        await control.state()  # whatever was written last is committed by now
    ours = max(name for name, _ in statements)  # something of an earlier one may still come
    # And a statement and a commit that store it.
    assert len([one for name, one in statements if name == ours]) <= 6, statements
    assert commits.count(ours) <= 2
