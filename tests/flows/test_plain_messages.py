"""Plain messages in thirteen languages: each brings what its command does, and costs nothing."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from bot.presentation.html import plain
from bot.presentation.translation import translator_for
from handlers.plain_requests import CONTENT, DAYS, PRICE, SEVERAL, VIEWERS
from handlers.press_answers import UNCHANGED
from handlers.questions import HOW_TO_ANSWER
from handlers.subscriptions import EMPTY
from handlers.talk import TAP
from handlers.why import STATES
from tests.support.control import Control, Json, wait_for
from tests.support.storybell import NO_CHECKS, Bell, buttons, unhurried

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.jumps]
TIMING = unhurried()
SETTINGS = NO_CHECKS
FILE = Path(__file__).parents[1] / "data" / "plain_messages.jsonl"
MESSAGES = [json.loads(line) for line in FILE.read_text().splitlines()]
FOLLOWED = ("natgeo", "plain.other")
WANTED = {
    "help": "help:see",
    "settings": "set:zone",
    "language": "language:de",
    "privacy": "erase",
    "stop": "unsub:0",
    "subscribe": "run:subscribe:",
    "stories": "run:highlights:",  # the example has only the button of the stories
    "card": "run:highlights:",
    "meant": "run:stories:",
    "unsubscribe": "many:unsubscribe",
    "subscriptions": "sub:",
    "all": "all:",
    "pause": "all:pause:on",
    "mute": "mute:",
    "options": "unsub:",
    "why": "run:why:",
    "offer": "many:subscribe",
    "zone": "set:back",
    "place": "set:zone:",
    "places": "https://t.me/",
}
"""The beginning of the data of a button that each outcome has."""
MARKS = {"heart": "❤", "thumb": "👍"}
SENTENCES = {
    "price": PRICE,
    "viewers": VIEWERS,
    "none_to_stop": EMPTY,
    "kept": UNCHANGED,
    "tap": TAP,
    "content": CONTENT,
    "several": SEVERAL,
    "days": DAYS,
}
BEGINNINGS = {"asked": HOW_TO_ANSWER}
"""The sentence with which the text of an outcome begins."""


async def outcome(bell: Bell, message: Json) -> str:
    """Send a message as a new person; return an empty text, or a description of a wrong answer.

    ``after`` is a command before the message. ``answers`` is a command to whose answer the message
    replies.
    """
    control = bell.control
    person = await control.person(language_code=message["lang"])
    if message.get("subscribed"):
        await bell.ask(person, f"/subscribe {' '.join(FOLLOWED)}")
    more: Json = {}
    if command := message.get("after") or message.get("answers"):
        (question,) = await bell.ask(person, command)
        more = {"reply_to": question["message_id"]} if "answers" in message else {}
    before = await control.say(person, message["text"], **more)
    expected, t = message["expect"], translator_for(message["lang"])

    async def answer() -> Json | str | None:
        if replies := await control.replies(person, after=before):
            return replies[0]
        shown = await control.call("GET", f"/chats/{person}/messages?from_bot=false")
        marks = [one.get("_reactions") for one in shown if one["message_id"] == before]
        return str(marks) if marks and marks[0] else None

    got: Any = await wait_for(answer, what=f"an answer to {message['text']}")
    name = message.get("name", "")
    if expected in MARKS:
        is_good = isinstance(got, str) and MARKS[expected] in got
    elif isinstance(got, str):
        is_good = False
    elif expected in SENTENCES:
        is_good = got["text"] == plain(t(SENTENCES[expected]))
    elif expected == "status":
        is_good = plain(t(STATES["active"])) in got["text"]
    elif expected in BEGINNINGS:
        is_good = got["text"].startswith(plain(t(BEGINNINGS[expected])))
    else:
        has_button = any(one.startswith(WANTED[expected]) for one in buttons(got).values())
        is_good = has_button and name in str(got)
    return "" if is_good else f"{message}: {got}"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def followed(bell: Bell) -> None:
    """Create the profiles of ``FOLLOWED`` that do not exist."""
    for name in FOLLOWED[1:]:
        await bell.control.profile(name, posts_per_day=0)


@pytest.mark.slow
@pytest.mark.usefixtures("followed")
@pytest.mark.parametrize("language", sorted({message["lang"] for message in MESSAGES}))
async def test_each_message_brings_what_it_asks_for_at_no_cost(
    bell: Bell, control: Control, language: str
) -> None:
    messages = [message for message in MESSAGES if message["lang"] == language]
    lookups = len(await control.requests("stories", path="/v1/user/by/username"))
    wrong = [
        one
        for one in await asyncio.gather(*(outcome(bell, message) for message in messages))
        if one
    ]
    assert not wrong, "\n".join(wrong)
    looked_up = len(await control.requests("stories", path="/v1/user/by/username")) - lookups
    assert looked_up <= len(FOLLOWED)  # for the subscriptions that were there before


async def test_stop_all_ends_what_there_is_only_by_its_button(
    bell: Bell, control: Control
) -> None:
    ann = await control.person()
    for name in ("ended.a", "ended.b"):
        await control.profile(name, posts_per_day=0)
    await bell.ask(ann, "/subscribe ended.a ended.b")
    (asked,) = await bell.ask(ann, "stop")
    assert asked["text"] == "Which alerts should I stop?"
    assert list(buttons(asked)) == ["ended.a", "ended.b", "Stop all"]
    (listed,) = await bell.ask(ann, "/subscriptions")
    assert "2 subscriptions" in listed["text"]
    await bell.press(ann, asked, "unsub:0")
    ended = await bell.message(ann, asked["message_id"])
    assert ended["text"] == "Unsubscribed from 2 profiles."
    assert "↩️ Undo" in buttons(ended)


async def test_a_reply_to_a_story_means_the_profile_of_the_story(
    bell: Bell, control: Control
) -> None:
    ann = await control.person()
    for name in ("replied.a", "replied.b"):
        await control.profile(name, posts_per_day=0)
        await control.publish(name)
    await bell.ask(ann, "/subscribe replied.a replied.b")
    (story,) = await bell.ask(ann, "/stories replied.b")
    reply = {"reply_to": story["message_id"]}
    for text in ("stop this", "not interested", "delete this"):
        (asked,) = await bell.ask(ann, text, **reply)
        assert asked["text"].splitlines()[1] == "/unsubscribe replied.b", text
        assert list(buttons(asked).values()) == ["many:unsubscribe"], text
    (asked,) = await bell.ask(ann, "stop everything", **reply)
    assert "unsub:0" in buttons(asked).values()
    (page,) = await bell.ask(ann, "why this?", **reply)
    assert "Last check" in page["text"]


async def test_stories_in_plain_words_cost_nothing_in_a_reply(
    bell: Bell, control: Control
) -> None:
    ann, star = await control.person(), "replied.free"
    await control.profile(star, posts_per_day=0)
    await control.publish(star)
    (story,) = await bell.ask(ann, f"/stories {star}")
    (help_,) = await bell.ask(ann, "/help")
    billed = await control.billed()
    for text in ("stories", "show stories", "show me more stories please"):
        (card,) = await bell.ask(ann, text, reply_to=story["message_id"])
        assert f"run:stories:{star}" in buttons(card).values(), text
    (question,) = await bell.ask(ann, "show stories", reply_to=help_["message_id"])
    assert "name" in question["text"]
    assert await control.billed() == billed


async def test_in_a_group_only_replies_to_the_bot_are_answered(
    bell: Bell, control: Control
) -> None:
    ann = await control.person()
    group = await control.chat("supergroup", members={ann: "creator"})
    (help_,) = await bell.ask(group, "/help", user=ann)
    await control.say(group, "settings", user=ann)
    (page,) = await bell.ask(group, "settings", user=ann, reply_to=help_["message_id"])
    assert "set:zone" in buttons(page).values()
    await control.say(group, "what a nice bot", user=ann, reply_to=help_["message_id"])
    (again,) = await bell.ask(group, "/help", user=ann)
    assert await control.replies(group) == [help_, page, again]


async def mark_on(control: Control, chat: int, message: int) -> str:
    """Wait for a reaction to a message; return the reaction."""

    async def marked() -> str | None:
        shown = await control.call("GET", f"/chats/{chat}/messages?from_bot=false")
        marks = [one.get("_reactions") for one in shown if one["message_id"] == message]
        return str(marks[0]) if marks and marks[0] else None

    return await wait_for(marked, what="a reaction")


async def test_a_request_with_thanks_is_a_request(bell: Bell, control: Control) -> None:
    ann = await control.person()
    for text in ("send me natgeo, thanks", "natgeo, thanks", "thanks, show me @natgeo"):
        (card,) = await bell.ask(ann, text)
        assert "run:stories:natgeo" in buttons(card).values(), text
    for text in (
        "nice story, thanks",
        "perfect, thanks",
        "thanks for the natgeo stories",
        "thanks natgeo",
    ):
        said = await control.say(ann, text)
        assert "❤" in await mark_on(control, ann, said), text


async def test_names_between_connectives_are_offered_together(
    bell: Bell, control: Control
) -> None:
    ann = await control.person()
    for text in ("natgeo and @nike", "natgeo and nike", "follow natgeo and @nike"):
        (offer,) = await bell.ask(ann, text)
        words = {word.strip("\u2068\u2069,.?") for word in offer["text"].split()}
        assert {"natgeo", "nike"} <= words, text
        assert "many:subscribe" in buttons(offer).values(), text


async def test_unknown_names_keep_the_requested_command(bell: Bell, control: Control) -> None:
    ann = await control.person()
    before = len(await control.requests("stories"))
    (offer,) = await bell.ask(ann, "please subscribe me to unseen.one; unseen, thanks")
    assert offer["text"] == "unseen.one and unseen"
    assert buttons(offer) == {"Subscribe to all": "many:subscribe"}
    (offer,) = await bell.ask(ann, "subscribe to unseen from greenland")
    assert offer["text"] == "Did you mean this?"
    assert list(buttons(offer).values()) == ["run:subscribe:unseen", "run:subscribe:greenland"]
    assert len(await control.requests("stories")) == before


async def test_a_request_about_missing_alerts_explains_the_named_profile(
    bell: Bell, control: Control
) -> None:
    ann = await control.person()
    await control.profile("missed.alerts", posts_per_day=0)
    await bell.ask(ann, "/subscribe missed.alerts")
    for text in (
        "why didnt i get anything from missed.alerts today",
        "got zero messages from missed.alerts",
        "i added missed.alerts 2 days ago and got zero messages so is it dead or what?",
    ):
        (page,) = await bell.ask(ann, text)
        assert "Last check" in page["text"], text


async def test_a_text_about_the_bot_gets_the_help_and_no_card(
    bell: Bell, control: Control
) -> None:
    for language, text in (
        ("en", "you are useless"),
        ("de", "Moin, was kann der Bot?"),
        ("it", "sei proprio inutile"),
        ("ru", "тупой бот"),
    ):
        ann = await control.person(language_code=language)
        (page,) = await bell.ask(ann, text)
        assert "help:see" in buttons(page).values(), text


async def test_a_kept_profile_is_not_among_the_profiles_to_stop(
    bell: Bell, control: Control
) -> None:
    for name in ("kept.a", "kept.b"):
        await control.profile(name, posts_per_day=0)
    for language, text in (
        ("en", "remove kept.b but keep kept.a"),
        ("es", "quítame a kept.b y déjame kept.a"),
        ("ru", "отпиши от kept.b кроме kept.a"),
    ):
        ann = await control.person(language_code=language)
        await bell.ask(ann, "/subscribe kept.a kept.b")
        (asked,) = await bell.ask(ann, text)
        assert asked["text"].splitlines()[1] == "/unsubscribe kept.b", text
        (asked,) = await bell.ask(ann, "stop everything except kept.a")
        assert "unsub:0" in buttons(asked).values()


async def test_a_remark_about_a_story_gets_the_card_of_its_profile(
    bell: Bell, control: Control
) -> None:
    ann = await control.person()
    await control.profile("remarked", posts_per_day=0)
    await control.publish("remarked")
    (story,) = await bell.ask(ann, "/stories remarked")
    for text in ("more like this", "how do i download it"):
        (card,) = await bell.ask(ann, text, reply_to=story["message_id"])
        assert "run:stories:remarked" in buttons(card).values(), text
        assert "As files" in buttons(card), text


async def test_a_mistyped_command_keeps_several_names(bell: Bell, control: Control) -> None:
    ann = await control.person()
    for command, meant in (("follow", "subscribe"), ("storis", "stories")):
        (asked,) = await bell.ask(ann, f"/{command} natgeo nike")
        assert asked["text"].splitlines()[1] == f"/{meant} natgeo nike"
        assert list(buttons(asked).values()) == [f"many:{meant}"]


async def test_a_question_without_a_request_gets_the_help(bell: Bell, control: Control) -> None:
    for language, text in (
        ("en", "where's the button to add people"),
        ("de", "Ist das legal?"),
        ("pt-br", "como eu sigo alguém aqui"),
    ):
        ann = await control.person(language_code=language)
        (page,) = await bell.ask(ann, text)
        assert "help:see" in buttons(page).values(), text


async def test_unsubscribe_from_everything_without_subscriptions_says_so(
    bell: Bell, control: Control
) -> None:
    ann = await control.person()
    (none,) = await bell.ask(ann, "/unsubscribe everything please")
    assert none["text"] == plain(translator_for("en")(EMPTY))


async def test_a_stored_name_in_a_long_sentence_gets_its_card(
    bell: Bell, control: Control
) -> None:
    ann = await control.person()
    await control.profile("sentenced", posts_per_day=0)
    await bell.ask(ann, "/subscribe sentenced")
    await bell.ask(ann, "/unsubscribe sentenced")
    for text in (
        "i changed my mind about sentenced, she is fun",
        "why is there nothing from sentenced",
    ):
        (card,) = await bell.ask(ann, text)
        assert "run:stories:sentenced" in buttons(card).values(), text


async def test_a_profile_is_taken_off_the_list_and_not_the_account(
    bell: Bell, control: Control
) -> None:
    ann = await control.person()
    await control.profile("named.account", posts_per_day=0)
    await bell.ask(ann, "/subscribe named.account")
    for text in ("delete profile named.account", "delete account named.account"):
        (asked,) = await bell.ask(ann, text)
        assert list(buttons(asked).values()) == ["many:unsubscribe"], text
    (page,) = await bell.ask(ann, "delete my account forever please")
    assert any(one.startswith("erase") for one in buttons(page).values())


async def test_in_a_group_a_comment_on_a_story_gets_no_cards(bell: Bell, control: Control) -> None:
    ann = await control.person()
    await control.profile("group.commented", posts_per_day=0)
    group = await control.chat("supergroup", members={ann: "creator"})
    (help_,) = await bell.ask(group, "/help", user=ann)
    number = help_["message_id"]
    for text in ("nice story!", "lovely story!", "what a story", "great help", "look at that dog"):
        await control.say(group, text, user=ann, reply_to=number)
    thanked = await control.say(group, "nice story, thanks!", user=ann, reply_to=number)
    assert "❤" in await mark_on(control, group, thanked)
    assert await control.replies(group) == [help_]
    await bell.ask(ann, "/subscribe group.commented")
    (card,) = await bell.ask(group, "yes show natgeo", user=ann, reply_to=number)
    assert "run:stories:natgeo" in buttons(card).values()
    (card,) = await bell.ask(group, "show group.commented", user=ann, reply_to=number)
    assert "run:stories:group.commented" in buttons(card).values()


async def test_a_shrug_comes_once_and_then_words_again(bell: Bell, control: Control) -> None:
    ann = await control.person()
    (first,) = await bell.ask(ann, "some words that ask for nothing")
    await bell.noticed(ann, "other words that ask for nothing", user=ann)
    assert await control.replies(ann) == [first]
    (second,) = await bell.ask(ann, "and yet other words about nothing")
    assert second["text"] == first["text"]


async def test_a_pending_question_is_taken_back(bell: Bell, control: Control) -> None:
    ann = await control.person()
    (page,) = await bell.ask(ann, "/settings")
    await bell.press(ann, page, "set:zone")
    (kept,) = await bell.ask(ann, "never mind")
    assert kept["text"] == "Nothing has changed."
    (card,) = await bell.ask(ann, "natgeo")
    assert "run:stories:natgeo" in buttons(card).values()
