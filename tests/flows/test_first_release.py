"""Today's code on a database of the first release, with its buttons still in the chats.

``tests/fixtures/first_release`` holds both, as that release made them. Tables are read here by the
names that never change.
"""

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from tests.support.control import wait_for
from tests.support.first_release import LEFT, Heir, data_of, heir

STALE = "doesn't work any more"
# What it ends, when it is pressed; the others are pressed before.
ENDS = re.compile(r"unsub:(?!no)|erase:yes")


@pytest.fixture
async def bell(tmp_path: Path) -> AsyncIterator[Heir]:
    """Run today's bot for those whom it serves already: nobody new was let in."""
    async with heir(tmp_path, access="invited", daily_budget=100_000) as running:
        yield running


def test_there_are_rows_of_every_table() -> None:
    dump = (LEFT / "database.sql").read_text(encoding="utf-8")
    tables = set(re.findall(r"CREATE TABLE (\w+)", dump))
    assert len(tables) == 20
    assert tables == set(re.findall(r'^INSERT INTO "(\w+)"', dump, re.MULTILINE))


async def test_what_was_kept_is_kept(bell: Heir) -> None:
    await bell.all_answered()
    (listed,) = await bell.ask(bell.ann, "/subscriptions")
    assert "2 subscriptions" in listed["text"]
    options = dict(bell.rows("SELECT id, options FROM subscriptions"))
    assert options == {
        1: '{"silent": true}', 2: '{"fast": true}', 3: "{}", 4: "{}", 5: "{}"
    }  # fmt: skip
    (settings,) = await bell.ask(bell.ann, "/settings")
    assert "Tokyo" in settings["text"]
    assert "9:00" in settings["text"]  # the digest
    (quiet,) = await bell.ask(bell.group, "/settings", user=bell.ann)
    assert re.search(r"10:00.PM.*1:00.AM", quiet["text"])
    (used,) = await bell.ask(bell.ann, "/usage")
    assert "stories today" in used["text"]
    counted = "SELECT kind, items FROM usage_days WHERE chat_id > 0 AND kind IN ('alert', 'link')"
    assert sorted(bell.rows(counted)) == [("alert", 1), ("alert", 1), ("link", 1)]
    facts = (
        "SELECT DISTINCT s.profile_id, s.chat_id FROM subscriptions s"
        " JOIN chats c ON c.id = s.chat_id WHERE NOT s.paused AND c.state = 'active'"
    )
    waiting = sorted(bell.rows("SELECT profile_id, chat_id FROM waiting_chats"))
    assert waiting == sorted(bell.rows(facts)) != []
    sums = "SELECT sum(chats), sum(weight) FROM audiences"
    assert bell.rows(sums) == bell.rows("SELECT count(*), sum(weight) FROM waiting_chats")
    assert bell.rows("SELECT sum(credits) FROM ledger_days") == [(3,)]
    assert bell.rows("SELECT stopped FROM purse") == [(0,)]


async def test_an_update_that_was_stored_is_answered(bell: Heir) -> None:
    await bell.all_answered()
    shown = await bell.control.replies(bell.ann, after=bell.posts[-1][1]["message_id"])
    stories = {one.get("_story_pk") for one in shown} - {None}
    assert len(stories) == 2  # /preview first.one


async def test_what_was_owed_arrives_when_the_quiet_hours_end(bell: Heir) -> None:
    assert bell.rows("SELECT held FROM deliveries WHERE id = 4") == [("quiet",)]
    before = bell.posts[-1][1]["message_id"]
    await bell.push("set:quiet", bell.group, bell.ann)
    _, post = bell.post_with("set:quiet", bell.group)
    await bell.press(bell.group, post, "set:quiet:off", user=bell.ann)
    (alert,) = await bell.control.wait_replies(bell.group, 1, after=before)
    assert "first.three" in alert["caption"]
    await becomes(bell, "SELECT state FROM deliveries WHERE id = 4", "sent")


async def test_who_followed_then_is_told_of_what_is_posted_now(bell: Heir) -> None:
    before = max(post["message_id"] for chat, post in bell.posts if chat == bell.bob)
    story = await bell.control.publish("first.one")
    await bell.ask(bell.ann, "/stories first.one")  # a check, whoever pays
    alerts = await bell.control.wait_replies(bell.bob, 1, after=before)
    assert alerts[-1]["_story_pk"] == story["pk"]


OF_ANN = "FROM chats WHERE title = 'Ann'"
OF_HERS = "FROM subscriptions WHERE id = 1"
CHANGES = [
    ("opt:1:silent", f"SELECT options {OF_HERS}", "{}"),
    ("opt:1:digest", f"SELECT options {OF_HERS}", '{"digest": true}'),
    ("opt:1:pause", f"SELECT paused {OF_HERS}", 1),
    ("defaults:spoiler", f"SELECT defaults {OF_ANN}", "{}"),
    ("set:zone:Europe/Berlin", f"SELECT zone {OF_ANN}", "Europe/Berlin"),
    ("set:quiet:1:7", f"SELECT quiet_to {OF_ANN}", 420),
    ("set:digest:7", f"SELECT digest_at {OF_ANN}", 420),
    ("unsub:no", "SELECT count(*) FROM subscriptions", 5),
    ("erase:no", "SELECT count(*) FROM subscriptions", 5),
    ("language:es", f"SELECT language {OF_ANN}", "es"),
    ("unsub:name:first.two", "SELECT count(*) FROM subscriptions WHERE id = 3", 0),
    ("unsub:id:1", f"SELECT count(*) {OF_HERS}", 0),
]


async def test_the_buttons_of_then_change_what_they_say(bell: Heir) -> None:
    for data, statement, then in CHANGES:
        await bell.push(data, bell.ann)
        await becomes(bell, statement, then)


@pytest.mark.parametrize(
    ("data", "statement", "then"),
    [
        ("unsub:all", "SELECT count(*) FROM subscriptions", 3),
        ("erase:yes", f"SELECT count(*) {OF_ANN}", 0),
    ],
)
async def test_the_buttons_of_then_end_what_they_say(
    bell: Heir, data: str, statement: str, then: int
) -> None:
    await bell.all_answered()  # an update of hers that is answered later makes her known again
    await bell.push(data, bell.ann)
    await becomes(bell, statement, then)


async def becomes(bell: Heir, statement: str, then: object) -> None:
    """Wait until the database has this."""
    await wait_for(lambda: bell.rows(statement) == [(then,)], what=f"{then} from {statement}")


async def test_the_buttons_of_then_show_their_pages(bell: Heir) -> None:
    pages = {
        "set:zone": "UTC",
        "sub:3": "first.two",
        "subs:0": "2 subscriptions",
        "defaults": "new subscriptions",
        "erase": "for good",
    }
    for data, shown in pages.items():
        message = await bell.push(data, bell.ann)
        assert shown in message["text"] + str(message["reply_markup"])


@pytest.mark.parametrize(("data", "count"), [("live:first.three", 2), ("stories:first.three", 2)])
async def test_a_button_of_then_shows_stories(bell: Heir, data: str, count: int) -> None:
    where, post = bell.post_with("live:first.three")
    await bell.press(where, post, data, user=bell.ann)

    async def are_there() -> bool:
        replies = await bell.control.replies(where)
        return sum("_story_pk" in one for one in replies) == count

    await wait_for(are_there)


async def test_no_button_of_then_is_unknown(bell: Heir) -> None:
    pressed: set[tuple[int, str]] = set()
    every = [(chat, post, data) for chat, post in bell.posts for data in data_of(post)]
    with capture_logs() as lines:
        for chat, post, data in sorted(every, key=lambda one: bool(ENDS.match(one[2]))):
            shape = re.sub(r"(?<=:)\d+|(?<=zone:).+", "0", data)
            if (chat, shape) in pressed:
                continue
            pressed.add((chat, shape))
            answer = await bell.press(chat, post, data, user=bell.ann if chat < 0 else chat)
            assert STALE not in answer.get("text", ""), data
    assert not [line for line in lines if line["log_level"] in {"error", "critical"}]
    assert len(pressed) > 40
