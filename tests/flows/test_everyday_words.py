"""Everyday words around names cost nothing before a button confirms what was understood."""

import pytest

from tests.support.control import Control, stories_of
from tests.support.storybell import Bell, buttons

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.jumps]


async def lookups(control: Control) -> int:
    return len(await control.requests("stories", path="/v1/user/by/username"))


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "every day now please"),
        ("en", "but only at the weekend"),
        ("de", "und jeden Tag bitte"),
        ("ru", "каждый день, пожалуйста"),
        ("en", "@everyday.channel tonight"),
    ],
)
async def test_words_after_subscribe_are_confirmed_at_no_cost(
    bell: Bell, control: Control, language: str, text: str
) -> None:
    ann = await control.person(language_code=language)
    name = f"everyday.{language}{len(text)}"
    await control.profile(name, posts_per_day=0)
    before = await lookups(control)
    (asked,) = await bell.ask(ann, f"/subscribe {name} {text}")
    channel = " @everyday.channel" if "@" in text else ""
    assert asked["text"].splitlines()[1:] == [f"/subscribe {name}{channel}"]
    assert list(buttons(asked).values()) == ["many:subscribe"]
    assert await lookups(control) == before
    if channel:
        return
    await bell.press(ann, asked, "many:subscribe")
    (done,) = await control.wait_replies(ann, 1, after=asked["message_id"])
    assert f"{name}" in done["text"]
    assert await lookups(control) == before + 1


@pytest.mark.parametrize(
    ("language", "word"), [("en", "please"), ("de", "bitte"), ("es", "ahora"), ("en", "300")]
)
async def test_an_everyday_word_alone_is_confirmed_at_no_cost(
    bell: Bell, control: Control, language: str, word: str
) -> None:
    ann = await control.person(language_code=language)
    before = await lookups(control)
    for command in ("stories", "subscribe", "highlights"):
        (asked,) = await bell.ask(ann, f"/{command} {word}")
        assert asked["text"].splitlines()[1:] == [f"/{command} @{word}"]
        assert list(buttons(asked).values()) == [f"many:{command}"]
    (question,) = await bell.ask(ann, "/stories")
    await bell.ask(ann, word, reply_to=question["message_id"])
    assert await lookups(control) == before


async def test_the_confirmed_everyday_word_is_the_name(bell: Bell, control: Control) -> None:
    ann = await control.person()
    await control.profile("tomorrow", posts_per_day=0)
    (asked,) = await bell.ask(ann, "/subscribe tomorrow")
    await bell.press(ann, asked, "many:subscribe")
    (listed,) = await bell.ask(ann, "/subscriptions")
    assert "🔔 tomorrow" in buttons(listed)
    (which,) = await bell.ask(ann, "/unsubscribe please")
    assert which["text"] == "Which alerts should I stop?"


async def test_an_answer_that_takes_the_question_back_costs_nothing(
    bell: Bell, control: Control
) -> None:
    ann = await control.person()
    before = await lookups(control)
    (question,) = await bell.ask(ann, "/subscribe")
    for text in ("hm, never mind", "cancel", "No thanks!", "nah"):
        (kept,) = await bell.ask(ann, text, reply_to=question["message_id"])
        assert kept["text"] == "Nothing has changed.", text
    for command in ("subscribe", "stories", "unsubscribe", "highlights"):
        (kept,) = await bell.ask(ann, f"/{command} never mind")
        assert kept["text"] == "Nothing has changed.", command
    assert await lookups(control) == before


@pytest.mark.parametrize(
    ("language", "texts"), [("en", ("sure", "all")), ("de", ("ja", "Klar!", "alle bitte"))]
)
async def test_an_answer_that_only_agrees_costs_nothing(
    bell: Bell, control: Control, language: str, texts: tuple[str, ...]
) -> None:
    ann = await control.person(language_code=language)
    before = await lookups(control)
    (question,) = await bell.ask(ann, "/subscribe")
    for text in texts:
        (again,) = await bell.ask(ann, text, reply_to=question["message_id"])
        assert again["text"].endswith(question["text"].splitlines()[-1]), text
    assert await lookups(control) == before


async def test_an_answer_without_a_decision_keeps_the_question_open(
    bell: Bell, control: Control
) -> None:
    await control.profile("decided.later", posts_per_day=0)
    for language, texts in (
        ("en", ("whatever", "surprise me", "idk", "not sure, like what?", "what do you mean?")),
        ("es", ("no sé, ¿qué me recomiendas?", "¿cómo?")),
        ("de", ("keine Ahnung, gib mir ein Beispiel",)),
        ("tr", ("bilmiyorum, örnek ver",)),
        ("hi", ("matlab?", "पता नहीं, जैसे?")),
    ):
        ann = await control.person(language_code=language)
        before = await lookups(control)
        (question,) = await bell.ask(ann, "/subscribe")
        for text in texts:
            (question,) = await bell.ask(ann, text, reply_to=question["message_id"])
            assert "instagram.com/" in question["text"], text
            assert "natgeo" in question["text"], text
        assert await lookups(control) == before
        (done,) = await bell.ask(ann, "decided.later", reply_to=question["message_id"])
        assert "decided.later" in done["text"]


@pytest.mark.parametrize(
    ("language", "texts"),
    [
        ("en", ("huh", "wdym?", "nah", "ugh", "lmao", "surprise")),
        ("es", ("espere", "ahorita", "jajaja")),
        ("pt-br", ("peraí", "calma", "uai")),
        ("de", ("tja", "egalwer", "Sekunde")),
        ("fr", ("bof", "attendez", "jsp")),
        ("it", ("chiunque", "dipende")),
        ("tr", ("farketmez", "birazdan")),
        ("id", ("terserah", "bentar", "entar")),
        ("hi", ("ruko", "konsa", "shayad")),
    ],
)
async def test_an_answer_that_only_remarks_costs_nothing(
    bell: Bell, control: Control, language: str, texts: tuple[str, ...]
) -> None:
    ann = await control.person(language_code=language)
    before = await lookups(control)
    for command in ("stories", "subscribe"):
        (question,) = await bell.ask(ann, f"/{command}")
        for text in texts:
            await bell.ask(ann, text, reply_to=question["message_id"])
    assert await lookups(control) == before


async def test_an_answer_shows_the_names_that_were_understood(
    bell: Bell, control: Control
) -> None:
    ann = await control.person()
    before = await lookups(control)
    (question,) = await bell.ask(ann, "/subscribe")
    (asked,) = await bell.ask(
        ann, "answer.one, answer.two and quiet", reply_to=question["message_id"]
    )
    assert asked["text"].splitlines()[1] == "/subscribe answer.one answer.two"
    assert buttons(asked) == {"Subscribe to all": "many:subscribe"}
    (question,) = await bell.ask(ann, "/stories")
    (asked,) = await bell.ask(ann, "please show me answer.one", reply_to=question["message_id"])
    assert asked["text"].splitlines()[1] == "/stories answer.one"
    assert buttons(asked) == {"Show stories": "many:stories"}
    assert await lookups(control) == before


async def test_several_names_for_highlights_get_a_button_each(
    bell: Bell, control: Control
) -> None:
    ann = await control.person()
    before = await lookups(control)
    (question,) = await bell.ask(ann, "/highlights")
    asked = [
        *await bell.ask(ann, "answer.one and answer.two please", reply_to=question["message_id"]),
        *await bell.ask(ann, "answer.one, answer.two", reply_to=question["message_id"]),
        *await bell.ask(ann, "/highlights answer.one answer.two"),
    ]
    for page in asked:
        assert list(buttons(page).values()) == [
            "run:highlights:answer.one",
            "run:highlights:answer.two",
        ]
    assert await lookups(control) == before


async def test_each_word_of_a_sentence_gets_its_own_button(bell: Bell, control: Control) -> None:
    ann = await control.person()
    before = await lookups(control)
    (asked,) = await bell.ask(ann, "/subscribe that cooking guy sentence please")
    assert "many:subscribe" not in buttons(asked).values()
    assert "run:subscribe:sentence" in buttons(asked).values()
    (question,) = await bell.ask(ann, "/subscribe")
    (asked,) = await bell.ask(
        ann, "the one called prose hubble, prosehubble I think", reply_to=question["message_id"]
    )
    assert list(buttons(asked).values()) == [
        "run:subscribe:prose",
        "run:subscribe:hubble",
        "run:subscribe:prosehubble",
    ]
    (asked,) = await bell.ask(ann, "/subscribe to sentence, prose and hubble please")
    assert list(buttons(asked).values()) == ["many:subscribe"]
    for command, rest in (
        ("subscribe", "guy sentence @prose_elsewhere"),
        ("subscribe", "guy sentence fast"),
        ("stories", "guy sentence 3"),
    ):
        (asked,) = await bell.ask(ann, f"/{command} that {rest}")
        assert asked["text"].splitlines()[1:] == [f"/{command} {rest}"]
        assert list(buttons(asked).values()) == [f"many:{command}"]
    assert await lookups(control) == before


async def test_a_question_is_answered_by_a_sentence(bell: Bell, control: Control) -> None:
    ann = await control.person()
    before = await lookups(control)
    for command, text, line in (
        ("stories", "can I see answer.one?", "/stories answer.one"),
        ("subscribe", "please subscribe me to answer.one", "/subscribe answer.one"),
        ("subscribe", "answer.one and @answer.two", "/subscribe answer.one answer.two"),
        ("subscribe", "answer.one, @answer.two please", "/subscribe answer.one answer.two"),
    ):
        (question,) = await bell.ask(ann, f"/{command}")
        (asked,) = await bell.ask(ann, text, reply_to=question["message_id"])
        assert asked["text"].splitlines()[1] == line
    assert await lookups(control) == before


async def test_marked_names_are_unsubscribed_together(bell: Bell, control: Control) -> None:
    ann = await control.person()
    group = await control.chat("supergroup", members={ann: "creator"})
    for name in ("marked.one", "marked.two"):
        await control.profile(name, posts_per_day=0)
    for chat in (ann, group):
        await bell.ask(chat, "/subscribe marked.one marked.two", user=ann)
        (ended,) = await bell.ask(chat, "/unsubscribe @marked.one @marked.two", user=ann)
        assert ended["text"] == "Unsubscribed from 2 profiles."
    (unknown,) = await bell.ask(ann, "/unsubscribe marked.one @marked_elsewhere")
    assert "I don't know @marked_elsewhere" in unknown["text"]


@pytest.mark.parametrize("command", ["subscribe", "unsubscribe"])
async def test_a_marked_name_after_a_comma_is_a_profile_before_everyday_words(
    bell: Bell, control: Control, command: str
) -> None:
    ann = await control.person()
    for joined in ("comma.one, @comma.two", "comma.one and @comma.two:"):
        (asked,) = await bell.ask(ann, f"/{command} {joined} please")
        assert asked["text"].splitlines()[1] == f"/{command} comma.one comma.two"
    (listed,) = await bell.ask(ann, f"/{command} @comma.one @comma.two and comma.three please")
    assert listed["text"].splitlines()[1] == f"/{command} comma.one comma.two comma.three"
    (channel,) = await bell.ask(ann, f"/{command} comma.one @comma_elsewhere, please")
    assert "@comma_elsewhere" in channel["text"]


async def test_nothing_ends_by_everyday_words_before_a_button(
    bell: Bell, control: Control
) -> None:
    ann = await control.person()
    for name in ("ended.one", "ended.two"):
        await control.profile(name, posts_per_day=0)
    await bell.ask(ann, "/subscribe ended.one ended.two")
    (asked,) = await bell.ask(ann, "/unsubscribe ended.one and ended.two")
    assert buttons(asked) == {"Unsubscribe": "many:unsubscribe"}
    (listed,) = await bell.ask(ann, "/subscriptions")
    assert {"🔔 ended.one", "🔔 ended.two"} <= set(buttons(listed))
    await bell.press(ann, asked, "many:unsubscribe")
    (ended,) = await control.wait_replies(ann, 1, after=listed["message_id"])
    assert ended["text"] == "Unsubscribed from 2 profiles."


async def test_a_channel_gets_the_command_to_copy(bell: Bell, control: Control) -> None:
    boss = await control.person("Boss")
    channel = await control.chat("channel", members={boss: "creator"}, bot_status="administrator")
    (line,) = await bell.ask(channel, "/subscribe copied.one now", user=boss)
    assert line["text"] == "Did you mean this?\n/subscribe copied.one"
    assert not buttons(line)


async def test_marks_around_a_copied_name_and_native_digits_are_read(
    bell: Bell, control: Control
) -> None:
    ann = await control.person()
    await control.profile("iso.one", posts_per_day=0)
    now = (await control.state())["now"]
    for number in range(3):
        await control.publish("iso.one", taken_at=now - 60 + number)
    pks = [story["pk"] for story in await control.stories("iso.one")]
    shown = await bell.ask(ann, "/stories \u2068iso.one\u2069 ۲", count=2)
    assert stories_of(shown) == pks[1:]
    for text in ("\u2068iso.one\u2069", "\u2068@iso.one\u2069", "\u200finstagram.com/iso.one"):
        (card,) = await bell.ask(ann, text)
        assert "run:stories:iso.one" in buttons(card).values(), text
