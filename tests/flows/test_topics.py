"""A topic per profile: made, found again, lost, made again once; and where there can be none."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from bot.store.engine.database import Database
from tests.flows.test_undo import hour_now
from tests.support.control import Control, Json, flood, refused, wait_for
from tests.support.database import empty
from tests.support.storybell import Bell, buttons, storybell

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.jumps]
MAKES = {"can_manage_topics": True}


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=["sqlite", "postgresql"])
async def bell(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Bell]:
    """Run the bot on each database in turn."""
    plenty = {"daily_budget": 1_000_000, "person_daily_allowance": 10_000}
    if request.param == "postgresql":
        url = request.getfixturevalue("postgres_url")
        async with Database(url) as database:
            await database.migrate()
            await empty(database)
        plenty["database_url"] = url
    async with storybell(tmp_path_factory.mktemp("topics"), **plenty) as running:
        await running.control.privacy_mode(on=False)
        yield running


async def forum_of(control: Control, *, rights: Json | None = MAKES) -> tuple[int, int]:
    """Return a forum where the bot may make topics, and its owner."""
    boss = await control.person()
    status = "member" if rights is None else "administrator"
    forum = await control.chat(
        "supergroup",
        members={boss: "creator"},
        is_forum=True,
        bot_status=status,
        bot_rights=rights,
    )
    return forum, boss


async def star(control: Control, name: str) -> None:
    await control.profile(name, posts_per_day=0)


async def post(control: Control, name: str, count: int) -> list[str]:
    """Publish stories, one after the other."""
    now = (await control.state())["now"]
    return [
        (await control.publish(name, taken_at=now - count + number))["pk"]
        for number in range(count)
    ]


async def brought(control: Control, chat: int, *pks: str) -> list[int | None]:
    """Wait until stories are in a chat, once each and in order; return in which topics."""

    async def shown() -> list[Json] | None:
        here = [m for m in await control.replies(chat) if m.get("_story_pk") in pks]
        return here if len(here) >= len(pks) else None

    messages = await wait_for(shown, what="the alerts")
    assert [one["_story_pk"] for one in messages] == list(pks)
    return [one.get("message_thread_id") for one in messages]


async def told(control: Control, chat: int) -> list[str]:
    """Wait until a chat is told that a topic was deleted; return what it was told."""

    async def said() -> list[str]:
        shown = await control.replies(chat)
        return [m["text"] for m in shown if "was deleted" in m.get("text", "")]

    return await wait_for(said)


async def made(control: Control, chat: int) -> int:
    """Return how many topics Telegram was asked for in a chat."""
    asked = await control.requests("telegram", path="createForumTopic")
    return sum(str(one["params"]["chat_id"]) == str(chat) for one in asked)


@pytest.mark.slow
async def test_a_profile_has_a_topic_of_its_own(bell: Bell, control: Control) -> None:
    forum, boss = await forum_of(control)
    await star(control, "topic.one")
    (reply,) = await bell.ask(forum, "/subscribe topic.one topic", user=boss)
    assert "every new story from topic.one to its own topic." in reply["text"]
    assert "message_thread_id" not in reply  # the answer stands where it was asked for
    ((thread, name),) = (await control.topics(forum)).items()
    assert name == "topic.one"
    first = (await control.publish("topic.one"))["pk"]
    assert await brought(control, forum, first) == [thread]
    (again,) = await bell.ask(forum, "/subscribe topic.one topic", user=boss)
    assert again["text"].startswith("Already subscribed to topic.one.")
    (listed,) = await bell.ask(forum, "/subscriptions", user=boss)
    assert "🔔 topic.one (own topic)" in buttons(listed)
    await bell.ask(forum, "/unsubscribe topic.one", user=boss)
    await bell.ask(forum, "/subscribe topic.one topic fast", user=boss)
    second = (await control.publish("topic.one"))["pk"]
    assert await brought(control, forum, second) == [thread]
    assert await made(control, forum) == 1


async def test_stories_of_a_deleted_topic_go_to_the_chat_until_a_new_topic_is_requested(
    bell: Bell, control: Control
) -> None:
    forum, boss = await forum_of(control)
    await star(control, "topic.lost")
    await bell.ask(forum, "/subscribe topic.lost topic", user=boss)
    ((thread, _),) = (await control.topics(forum)).items()
    await control.thread(forum, thread, "topic.lost", state="deleted")
    pks = await post(control, "topic.lost", 3)
    assert await brought(control, forum, *pks) == [None] * 3
    assert await told(control, forum) == ["The topic was deleted, so its alerts now come here."]
    (reply,) = await bell.ask(forum, "/subscribe topic.lost topic", user=boss)
    assert "to its own topic" in reply["text"]
    last = (await control.publish("topic.lost"))["pk"]
    assert await brought(control, forum, last) == list(await control.topics(forum))
    assert await made(control, forum) == 2


async def test_topics_in_a_private_chat(bell: Bell, control: Control) -> None:
    ann = await control.person()
    await star(control, "topic.private")
    (refused,) = await bell.ask(ann, "/subscribe topic.private topic")
    assert refused["text"].startswith("Topics are turned off in private chats")
    assert await control.billed_for("topic.private") == 0
    await control.private_topics(on=True)
    try:
        (reply,) = await bell.ask(ann, "/subscribe topic.private topic")
        assert "to its own topic" in reply["text"]
        ((thread, _),) = (await control.topics(ann)).items()
        pk = (await control.publish("topic.private"))["pk"]
        assert await brought(control, ann, pk) == [thread]
        await control.thread(ann, thread, "topic.private", state="deleted")
        pk = (await control.publish("topic.private"))["pk"]
        assert await brought(control, ann, pk) == [None]
        shown = [m.get("text", "") for m in await control.replies(ann)]
        assert not [text for text in shown if text.startswith("Sorry")]
    finally:
        await control.private_topics(on=False)


@pytest.mark.parametrize(
    ("kind", "rights", "words"),
    [
        ("group", None, "This group has no topics."),
        ("supergroup", MAKES, "This group has no topics."),
        ("forum", None, "To make a topic, I need to be an admin who can manage topics."),
        ("forum", {}, "To make a topic, I need to be an admin who can manage topics."),
        ("channel", {}, "Channels don't have topics."),
    ],
)
async def test_own_topic_that_cannot_be_made_makes_no_subscription(
    bell: Bell, control: Control, kind: str, rights: Json | None, words: str
) -> None:
    name = f"no.{kind}.{'member' if rights is None else len(rights)}"
    await star(control, name)
    if kind == "forum":
        chat, boss = await forum_of(control, rights=rights)
    else:
        boss = await control.person()
        status = "member" if rights is None else "administrator"
        chat = await control.chat(
            kind, members={boss: "creator"}, bot_status=status, bot_rights=rights
        )
    (refused,) = await bell.ask(chat, f"/subscribe {name} topic", user=boss)
    assert refused["text"].startswith(words)
    assert await control.billed_for(name) == 0
    (listed,) = await bell.ask(chat, "/subscriptions", user=boss)
    assert "no subscriptions yet" in listed["text"].lower()
    assert await made(control, chat) == 0


@pytest.mark.slow
async def test_several_have_a_topic_each_and_what_was_here_moves(
    bell: Bell, control: Control
) -> None:
    forum, boss = await forum_of(control)
    for name in ("topic.a", "topic.b", "topic.c"):
        await star(control, name)
    await bell.ask(forum, "/subscribe topic.b", user=boss)
    (reply,) = await bell.ask(forum, "/subscribe topic.a topic.b topic.c topic", user=boss)
    assert reply["text"].startswith(
        "🔔 I'll send every new story from topic.a, topic.b, and topic.c, "
        "each profile in its own topic."
    )
    topics = {name: thread for thread, name in (await control.topics(forum)).items()}
    assert sorted(topics) == ["topic.a", "topic.b", "topic.c"]
    for name, thread in topics.items():
        pk = (await control.publish(name))["pk"]
        assert await brought(control, forum, pk) == [thread]


async def test_moved_subscription_gets_no_undo_button(bell: Bell, control: Control) -> None:
    forum, boss = await forum_of(control)
    await star(control, "topic.undo")
    (new,) = await bell.ask(forum, "/subscribe topic.undo", user=boss)
    (moved,) = await bell.ask(forum, "/subscribe topic.undo topic", user=boss)
    assert "to its own topic." in moved["text"]
    assert ["↩️ Undo" in buttons(page) for page in (new, moved)] == [True, False]


async def test_undo_sends_no_story_again_that_came_before_the_subscription_moved(
    bell: Bell, control: Control
) -> None:
    forum, boss = await forum_of(control)
    await star(control, "topic.again")
    await bell.ask(forum, "/subscribe topic.again", user=boss)
    first = (await control.publish("topic.again"))["pk"]
    assert await brought(control, forum, first) == [None]
    await bell.ask(forum, "/subscribe topic.again topic", user=boss)
    (ended,) = await bell.ask(forum, "/unsubscribe topic.again", user=boss)
    await bell.press(forum, ended, buttons(ended)["↩️ Undo"], user=boss)
    later = (await control.publish("topic.again"))["pk"]
    await brought(control, forum, later)
    assert await control.shown(forum) == [first, later]


@pytest.mark.parametrize("way", ["mute", "rules"])
async def test_undo_sends_a_story_to_the_topic_into_which_the_subscription_moved_meanwhile(
    bell: Bell, control: Control, way: str
) -> None:
    forum, boss = await forum_of(control)
    name = f"topic.{way}"
    await star(control, name)
    (reply,) = await bell.ask(forum, f"/subscribe {name}", user=boss)
    number = buttons(reply)["Options"][4:]
    mute, topic, unmute = f"mute:{number}", f"topic:{number}:on", f"opt:{number}:pause:undone"
    page = await bell.old_post(forum, mute, topic, unmute)
    hour = hour_now()
    quiet = f"set:quiet:{(hour - 1) % 24}-{(hour + 2) % 24}"
    settings = await bell.old_post(forum, quiet)
    (asked,) = await bell.ask(forum, "/rules all only: @mybakery", user=boss)
    if way == "mute":
        await bell.press(forum, settings, quiet, user=boss)
    else:
        await bell.press(forum, asked, "rules:save", user=boss)
    reasons = {"mute": "waiting for the end of quiet hours", "rules": "whole chat)”: 1"}
    pk = (await control.publish(name))["pk"]
    await bell.ask(boss, f"/stories {name}")  # no check is planned in quiet hours

    async def is_explained() -> bool:
        (told,) = await bell.ask(boss, f"/why {name} {forum}")
        return reasons[way] in told["text"]

    await wait_for(is_explained)
    if way == "mute":
        await bell.press(forum, page, mute, user=boss)
    await bell.press(forum, page, topic, user=boss)
    if way == "mute":
        await bell.press(forum, page, unmute, user=boss)
        await bell.press(forum, settings, "set:quiet:0-0", user=boss)
    else:
        await bell.press(forum, asked, "rules:undo", user=boss)
    assert await brought(control, forum, pk) == list(await control.topics(forum))


async def test_a_paused_subscription_of_the_chat_continues_with_the_alerts_of_a_deleted_topic(
    bell: Bell, control: Control
) -> None:
    forum, boss = await forum_of(control)
    await star(control, "topic.paused")
    (reply,) = await bell.ask(forum, "/subscribe topic.paused", user=boss)
    pause = f"opt:{buttons(reply)['Options'][4:]}:pause:on"
    await bell.press(forum, await bell.old_post(forum, pause), pause, user=boss)
    await control.thread(forum, 7, "News")
    await bell.ask(forum, "/subscribe topic.paused", user=boss, thread_id=7)
    pk = (await control.publish("topic.paused"))["pk"]
    assert await brought(control, forum, pk) == [7]
    await control.thread(forum, 7, "News", state="deleted")
    pk = (await control.publish("topic.paused"))["pk"]
    assert await brought(control, forum, pk) == [None]
    assert await told(control, forum) == ["The topic was deleted, so its alerts now come here."]
    pk = (await control.publish("topic.paused"))["pk"]
    assert await brought(control, forum, pk) == [None]


@pytest.mark.slow
async def test_a_button_of_the_options_does_it_too(bell: Bell, control: Control) -> None:
    forum, boss = await forum_of(control)
    await star(control, "topic.button")
    await bell.ask(forum, "/subscribe topic.button", user=boss)
    (listed,) = await bell.ask(forum, "/subscriptions", user=boss)
    how = buttons(listed)["🔔 topic.button"] + ":how"
    await bell.press(forum, listed, how, user=boss)

    async def button(text: str) -> str | None:
        return buttons(await bell.message(forum, listed["message_id"])).get(text)

    on = await wait_for(lambda: button("▫️ In its own topic"))
    await bell.press(forum, listed, on, user=boss)
    off = await wait_for(lambda: button("✅ In its own topic"))
    pk = (await control.publish("topic.button"))["pk"]
    assert await brought(control, forum, pk) == list(await control.topics(forum))
    await bell.press(forum, listed, off, user=boss)
    await wait_for(lambda: button("▫️ In its own topic"))
    pk = (await control.publish("topic.button"))["pk"]
    assert await brought(control, forum, pk) == [None]
    await bell.press(forum, listed, on, user=boss)
    await wait_for(lambda: button("✅ In its own topic"))
    assert await made(control, forum) == 1


async def test_an_answer_lost_after_the_effect_leaves_one_topic(
    bell: Bell, control: Control
) -> None:
    forum, boss = await forum_of(control)
    await star(control, "topic.twice")
    lost = {"status": 502, "effect": True}
    await control.fault("telegram", lost, match="createForumTopic", times=1)
    (reply,) = await bell.ask(forum, "/subscribe topic.twice topic", user=boss)
    assert "own topic" not in reply["text"]
    (reply,) = await bell.ask(forum, "/subscribe topic.twice topic", user=boss)
    assert "to its own topic" in reply["text"]
    assert await made(control, forum) == 1
    pk = (await control.publish("topic.twice"))["pk"]
    assert await brought(control, forum, pk) == list(await control.topics(forum))


@pytest.mark.slow
async def test_stories_of_a_lost_topic_arrive_although_the_chat_follows_the_profile(
    bell: Bell, control: Control
) -> None:
    forum, boss = await forum_of(control)
    await star(control, "topic.heir")
    await control.thread(forum, 7, "News")
    await bell.ask(forum, "/subscribe topic.heir", user=boss, thread_id=7)
    await control.fault("telegram", flood(4), match="sendPhoto")
    pk = (await control.publish("topic.heir"))["pk"]
    await control.wait_flood()
    await control.thread(forum, 7, "News", state="deleted")
    await control.say(forum, "/subscribe topic.heir", user=boss)  # later than that story
    assert await brought(control, forum, pk) == [None]
    assert len(await told(control, forum)) == 1
    (listed,) = await bell.ask(forum, "/subscriptions", user=boss)
    assert [text for text in buttons(listed) if "topic.heir" in text] == ["🔔 topic.heir"]


async def test_a_group_that_turns_topics_off_and_on(bell: Bell, control: Control) -> None:
    """Without topics all comes to the chat itself; its topics are there again with them."""
    forum, boss = await forum_of(control)
    for name in ("topic.off", "topic.not"):
        await star(control, name)
    await bell.ask(forum, "/subscribe topic.off topic", user=boss)
    ((thread, _),) = (await control.topics(forum)).items()
    await control.call("PATCH", f"/chats/{forum}", {"is_forum": False})
    pk = (await control.publish("topic.off"))["pk"]
    assert await brought(control, forum, pk) == [None]
    (reply,) = await bell.ask(forum, "/subscribe topic.not topic", user=boss)
    assert reply["text"].startswith("This group has no topics.")
    await control.call("PATCH", f"/chats/{forum}", {"is_forum": True})
    pk = (await control.publish("topic.off"))["pk"]
    assert await brought(control, forum, pk) == [thread]
    assert await made(control, forum) == 1


async def test_a_topic_that_people_close_goes_on_and_one_more_right_less_makes_none(
    bell: Bell, control: Control
) -> None:
    forum, boss = await forum_of(control)
    for name in ("topic.closed", "topic.later"):
        await star(control, name)
    await bell.ask(forum, "/subscribe topic.closed topic", user=boss)
    ((thread, name),) = (await control.topics(forum)).items()
    await control.thread(forum, thread, name, state="closed")
    pk = (await control.publish("topic.closed"))["pk"]
    assert await brought(control, forum, pk) == [thread]
    await control.member(forum, bot_id(bell), "member")  # who made it may write there still
    pk = (await control.publish("topic.closed"))["pk"]
    assert await brought(control, forum, pk) == [thread]
    (reply,) = await bell.ask(forum, "/subscribe topic.closed topic.later topic", user=boss)
    assert "I need to be an admin who can manage topics" in reply["text"]
    assert await made(control, forum) == 1


def bot_id(bell: Bell) -> int:
    return int(bell.settings.telegram_token.get_secret_value().partition(":")[0])


async def test_the_bots_own_topic_is_no_stranger(tmp_path: Path) -> None:
    """Telegram tells the bot of the topic as of a message that the bot wrote."""
    async with storybell(tmp_path, access="invited", admin_ids="100000001") as bell:
        control = bell.control
        ann = await control.person()
        await star(control, "topic.invited")
        await control.private_topics(on=True)
        await bell.ask(ann, "/subscribe topic.invited topic")
        await bell.ask(ann, "/subscriptions")  # after the update that tells of the topic
        shown = [m.get("text", "") for m in await control.replies(ann)]
        assert not [text for text in shown if text.startswith("Sorry")]


async def test_threads_that_are_switched_off_delete_no_topic(bell: Bell, control: Control) -> None:
    await control.private_topics(on=True)
    try:
        ann = await control.person()
        await star(control, "threads.off")
        await bell.ask(ann, "/subscribe threads.off topic")
        ((thread, _),) = (await control.topics(ann)).items()
        (first,) = await post(control, "threads.off", 1)
        assert await brought(control, ann, first) == [thread]
        await control.private_topics(on=False)
        (second,) = await post(control, "threads.off", 1)
        assert await brought(control, ann, second) == [None]
        await control.private_topics(on=True)
        (third,) = await post(control, "threads.off", 1)
        assert await brought(control, ann, third) == [thread]
        assert await made(control, ann) == 1
        assert "was deleted" not in str([m.get("text") for m in await control.replies(ann)])
    finally:
        await control.private_topics(on=False)


@pytest.mark.slow
@pytest.mark.parametrize("own", [True, pytest.param(False, marks=pytest.mark.slow)])
async def test_a_topic_that_telegram_can_not_find_for_a_while_is_not_taken_for_deleted(
    bell: Bell, control: Control, own: bool
) -> None:
    forum, boss = await forum_of(control)
    name = f"topic.sought.{own}".lower()
    await star(control, name)
    if own:
        await bell.ask(forum, f"/subscribe {name} topic", user=boss)
        ((thread, _),) = (await control.topics(forum)).items()
    else:
        body = {"name": "News"}
        thread = (await control.call("POST", f"/chats/{forum}/threads", body))["message_thread_id"]
        await bell.ask(forum, f"/subscribe {name}", user=boss, thread_id=thread)
    lost = refused("message thread not found")
    fault = await control.fault("telegram", lost, match="send", times=2, chat_id=forum)
    pks = await post(control, name, 2)
    assert await brought(control, forum, *pks) == [thread] * 2
    await control.clear_faults(fault)
    assert await made(control, forum) == int(own)
    assert "was deleted" not in str([m.get("text") for m in await control.replies(forum)])


async def test_all_albums_of_an_answer_stand_in_the_comments_thread(
    bell: Bell, control: Control
) -> None:
    boss = await control.person()
    group = await control.chat("supergroup", members={boss: "creator"})
    await star(control, "topic.comments")
    stories = await post(control, "topic.comments", 12)
    (said,) = await bell.ask(group, "/help", user=boss)
    root = said.get("message_thread_id", said["message_id"])
    asked = {"count": 12, "reply_to": said["message_id"]}
    await bell.ask(group, "/stories topic.comments", user=boss, **asked)
    assert await brought(control, group, *stories) == [root] * 12
    assert not [m for m in await control.replies(group) if m.get("is_topic_message")]
