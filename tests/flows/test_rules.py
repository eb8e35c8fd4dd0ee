"""Rules of a subscription: which stories bring an alert, and what is said of the others."""

import asyncio

import pytest

from tests.support.control import Control, wait_for
from tests.support.storybell import Bell, buttons

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.jumps]


async def test_only_what_fits_brings_an_alert_and_why_names_the_rule(
    bell: Bell, control: Control
) -> None:
    ann = await control.person()
    await control.profile("rules.one", posts_per_day=0)
    await bell.ask(ann, "/subscribe rules.one")
    (reply,) = await bell.ask(ann, "/rules rules.one only: #Sale link not: @nike")
    assert "🎯 Only stories with one of these: #sale link" in reply["text"]
    assert "🚫 No stories with any of these: @nike" in reply["text"]
    plain = await control.publish("rules.one")
    both = await control.publish("rules.one", hashtags=["sale"], mentions=["nike"])
    wanted = await control.publish("rules.one", hashtags=["SALE"])

    await control.wait_shown(ann, [wanted["pk"]])

    async def explained() -> bool:
        (told,) = await bell.ask(ann, "/why rules.one")
        return "not @nike" in told["text"] and "only #sale link" in told["text"]

    await wait_for(explained)
    (why,) = await bell.ask(ann, "/why rules.one")
    assert "this chat's options: 1 of 3" in why["text"]
    assert not {plain["pk"], both["pk"]} & set(await control.shown(ann))
    (reply,) = await bell.ask(ann, "/rules rules.one off")
    assert "alerts for all stories" in reply["text"]
    assert "/rules rules.one only: #sale" in reply["text"]  # no page leaves one without the way on


async def test_a_button_ends_the_rules_and_the_way_back_shows_the_options(
    bell: Bell, control: Control
) -> None:
    ann = await control.person()
    await control.profile("rules.two", posts_per_day=0)
    await bell.ask(ann, "/subscribe rules.two")
    (reply,) = await bell.ask(ann, "/rules rules.two not: #ad")
    await bell.press(ann, reply, buttons(reply)["« Back"])

    async def says(words: str) -> bool:
        return words in (await bell.message(ann, reply["message_id"]))["text"]

    await wait_for(lambda: says("for this chat.\n\n🚫 No stories with any of these: #ad"))
    await bell.press(ann, reply, buttons(reply)["Remove all rules"])
    await wait_for(lambda: says("🔔 rules.two\nTap an option"))
    (reply,) = await bell.ask(ann, "/rules rules.two not: #ad")
    forged = buttons(reply)["Remove all rules"].replace("rules:off", "without:photo")
    await bell.press(ann, await bell.old_post(ann, forged), forged)  # a text can only go
    (reply,) = await bell.ask(ann, "/rules rules.two")
    assert "You get alerts for all stories." in reply["text"]


async def test_concurrent_changes_of_rules_both_apply(bell: Bell, control: Control) -> None:
    ann, bob = await control.person(), await control.person("Bob")
    group = await control.chat("supergroup", members={ann: "creator", bob: "administrator"})
    await control.name_chat(group, "rules_group")
    await bell.ask(group, "/subscribe @quiet", user=ann)
    (menu,) = await bell.ask(group, "/subscriptions", user=ann)
    page = buttons(menu)["🔔 quiet"]
    await asyncio.gather(  # neither waits for the other
        bell.ask(bob, "/rules quiet @rules_group only: #sale"),
        bell.press(group, menu, page.replace("sub:", "opt:") + ":silent:on", user=ann),
    )
    await bell.press(group, menu, page, user=ann)
    shown = await bell.message(group, menu["message_id"])
    assert "#sale" in shown["text"]
    assert "Delivery: Silent" in buttons(shown)


async def test_a_button_ends_what_its_command_wrote(bell: Bell, control: Control) -> None:
    boss = await control.person()
    forum = await control.chat("supergroup", members={boss: "creator"}, is_forum=True)
    for thread in (7, 8):
        await control.thread(forum, thread, "News")
        await bell.ask(forum, "/subscribe @quiet", user=boss, thread_id=thread)
    (of_both,) = await bell.ask(forum, "/rules quiet only: #sale", user=boss)
    (of_one,) = await bell.ask(forum, "/rules quiet not: #ad", user=boss, thread_id=7)
    await bell.ask(forum, "/subscribe @quiet", user=boss)  # here, too, now
    for page, without in ((of_one, [7]), (of_both, [7, 8])):
        await bell.press(forum, page, buttons(page)["Remove all rules"], user=boss)
        for thread in (7, 8):
            (reply,) = await bell.ask(forum, "/rules quiet", user=boss, thread_id=thread)
            assert ("alerts for all stories." in reply["text"]) is (thread in without)


@pytest.mark.parametrize("text", ["only:", "not:", "only: not:", ",;"])
async def test_a_head_without_terms_takes_no_rules_away(
    bell: Bell, control: Control, text: str
) -> None:
    ann = await control.person()
    await bell.ask(ann, "/subscribe @quiet")
    await bell.ask(ann, "/rules quiet only: #sale")
    (reply,) = await bell.ask(ann, f"/rules quiet {text}")
    assert "Write it like this: /rules" in reply["text"]
    (reply,) = await bell.ask(ann, "/rules quiet")
    assert "#sale" in reply["text"]


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("/rules ?", "Write it like this: /rules natgeo only: #sale"),
        ("/rules nobody.follows.it only: #sale", "isn't subscribed to nobody.follows.it"),
        ("/rules natgeo only: cats", "I don't understand cats."),
        (f"/rules natgeo #{'a' * 100} #{'b' * 100}", "too much for one rule. Please leave out #b"),
        ("/rules natgeo only:", "Write it like this: /rules natgeo"),
    ],
)
async def test_bad_input_has_one_sentence(
    bell: Bell, control: Control, text: str, answer: str
) -> None:
    (reply,) = await bell.ask(await control.person(), text)
    assert answer in reply["text"]


async def test_a_bare_word_gets_the_nearest_terms_and_the_page_names_its_profile(
    bell: Bell, control: Control
) -> None:
    ann = await control.person()
    await control.profile("ruled.one", posts_per_day=0)
    (done,) = await bell.ask(ann, "/subscribe ruled.one")
    number = buttons(done)["Options"].removeprefix("sub:")
    await bell.press(ann, done, f"opt:{number}:media:photo")
    (page,) = await bell.ask(ann, "/rules ruled.one")
    assert "Photos only" in page["text"]
    assert "You get alerts for all stories" not in page["text"]
    assert "/rules ruled.one only: #sale" in page["text"]
    assert "natgeo" not in page["text"]
    (asked,) = await bell.ask(ann, "/rules ruled.one only: #sale dogs not: video")
    assert buttons(asked) == {
        "#dogs": "many:rules:0",
        "@dogs": "many:rules:1",
        "place:dogs": "many:rules:2",
    }
    await bell.press(ann, asked, "many:rules:1")
    (page,) = await control.wait_replies(ann, 1, after=asked["message_id"])
    assert "Only stories with one of these: #sale @dogs" in page["text"]
    assert "No stories with any of these: video" in page["text"]


async def test_the_punctuation_of_other_scripts_separates_names_and_terms(
    bell: Bell, control: Control
) -> None:
    ann = await control.person()
    await control.profile("rules.script", posts_per_day=0)
    await control.profile("rules.other", posts_per_day=0)
    await bell.ask(ann, "/subscribe،rules.script، rules.other؟")
    (reply,) = await bell.ask(ann, "/rules rules.script، only: #خصم، #تخفيض")
    assert "Only stories with one of these: #خصم #تخفيض" in reply["text"]
    (reply,) = await bell.ask(ann, "/rules rules.other।")
    assert "Rules for rules.other" in reply["text"]
