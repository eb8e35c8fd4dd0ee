"""What is meant by what is neither a command of ours nor a link."""

import pytest

from bot.domain.talk import (
    ALIASES,
    command_meant,
    is_small_talk,
    is_thanks,
    is_thanks_alone,
    joined_name_in,
    name_in,
    names_listed_in,
    split_command,
    words_that_may_be_names,
)

KNOWN = ("stories", "subscribe", "unsubscribe", "settings", "help")


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("natgeo", "natgeo"),
        (" «NatGeo»! ", "natgeo"),
        ("@natgeo", "natgeo"),
        ("Hello", None),
        ("thanks!", None),
        ("look at that", None),
        ("what does @natgeo post?", "natgeo"),
        ("by @natgeo.", "natgeo"),
        ("@nike or @prada", "nike"),
        ("mail ann@example.com", None),
        ("see t.me/@natgeo", None),
        ("one/two", None),
        ("", None),
    ],
)
def test_a_name_alone_or_mentioned(text: str, name: str | None) -> None:
    assert name_in(text) == name


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("natgeo, nike; prada", ("natgeo", "nike", "prada")),
        ("natgeo\nnike\n\n", ("natgeo", "nike")),
        ("- natgeo\n2. nike\n• prada", ("natgeo", "nike", "prada")),
        ("@natgeo @nike", ("natgeo", "nike")),
        ("@natgeo @nike please", ("natgeo", "nike")),
        ("@natgeo @please", ("natgeo", "please")),
        ("@natgeo please", ()),
        ("natgeo, natgeo", ()),
        ("natgeo nike", ()),
        ("natgeo and @nike", ("natgeo", "nike")),
        ("natgeo and nike", ("natgeo", "nike")),
        ("yes and no", ()),
        ("@natgeo nike", ()),
        ("natgeo", ()),
        ("hello, thanks", ()),
        ("natgeo, thanks", ()),
        ("natgeo, nike, thanks", ("natgeo", "nike")),
        ("natgeo, @thanks", ("natgeo", "thanks")),
        ("@natgeo, @thanks", ("natgeo", "thanks")),
        ("natgeo, what a day", ()),
    ],
)
def test_a_list_of_names_and_nothing_else(text: str, names: tuple[str, ...]) -> None:
    assert names_listed_in(text) == names


@pytest.mark.parametrize(
    ("text", "command"),
    [
        ("/Stories", ("stories", "")),
        (" /stories@storybell_bot  natgeo 3 ", ("stories", "natgeo 3")),
        ("/stories, natgeo", ("stories", "natgeo")),
        ("/stories?", ("stories", "")),
        ("/stories natgeo\nnike", ("stories", "natgeo\nnike")),
        ("stories natgeo", None),
        ("/ stories", None),
    ],
)
def test_a_command_and_what_stands_after_it(text: str, command: tuple[str, str] | None) -> None:
    assert split_command(text) == command


@pytest.mark.parametrize(
    ("word", "meant"),
    [
        ("stoires", "stories"),
        ("hepl", "help"),
        ("setings", "settings"),
        ("sub", "subscribe"),
        ("folow", "subscribe"),  # nearest to a word that people write in its place
        ("qqqqqq", None),
    ],
)
def test_which_command_may_be_meant(word: str, meant: str | None) -> None:
    assert command_meant(word, KNOWN) == meant


def test_what_people_write_in_place_of_our_commands_is_near_to_itself() -> None:
    commands = set(ALIASES.values())
    assert {command_meant(word, commands) for word in ALIASES} == commands


@pytest.mark.parametrize(
    ("text", "names", "joined"),
    [
        ("nat geo", ("nat", "geo"), "natgeo"),
        ("send me natgeo", ("natgeo",), None),
        ("natgeo and nike", ("natgeo", "nike"), None),
        ("some words that ask for nothing", (), None),
        ("who\u2019s natgeo", ("natgeo",), None),
        ("що нового від natgeo", ("natgeo",), None),
        ("gute nacht", (), None),
        ("boa noite", (), None),
        ("natgeo", (), None),
    ],
)
def test_words_of_a_short_text_may_be_names(
    text: str, names: tuple[str, ...], joined: str | None
) -> None:
    assert words_that_may_be_names(text, "en") == names
    assert joined_name_in(text, "en") == joined


@pytest.mark.parametrize(
    ("text", "is_small"),
    [
        ("oii tudo bem?", True),
        ("hey how are you", True),
        ("hola, qué tal?", True),
        ("привет, как ты?", True),
        ("selam naber", True),
        ("bis später!", True),
        ("see you later natgeo", False),
        ("how are you natgeo", False),
        ("hello?❓", False),
        ("🔥🔥", True),
        ("🤬", False),
        ("...", False),
        ("jajaja", True),
        ("wkwkwk", True),
        ("mama", False),
    ],
)
def test_greetings_and_farewells_are_small_talk(text: str, is_small: bool) -> None:
    assert is_small_talk(text) == is_small


def test_praise_of_a_profile_is_no_thanks() -> None:
    assert not is_thanks("me encanta natgeo")


@pytest.mark.parametrize(
    ("text", "is_alone"),
    [
        ("Thank you so much!", True),
        ("much appreciated", True),
        ("muchas gracias", True),
        ("te lo agradezco", True),
        ("muito obrigado", True),
        ("vlw", True),
        ("vielen lieben Dank 🙏", True),
        ("mille mercis", True),
        ("je vous remercie", True),
        ("grazie mille", True),
        ("ti ringrazio", True),
        ("çok teşekkür ederim", True),
        ("sağ ol", True),
        ("большое спасибо", True),
        ("спасибочки", True),
        ("شكرا جزيلا", True),
        ("يعطيك العافية", True),
        ("terima kasih banyak", True),
        ("matur nuwun", True),
        ("щиро дякую", True),
        ("خیلی ممنونم", True),
        ("دستت درد نکنه", True),
        ("बहुत बहुत धन्यवाद", True),
        ("थैंक्यू", True),
        ("Gott vergelt's", True),
        ("بارك الله فيك", False),
        ("great job!", True),
        ("du bist super", True),
        ("thank you so much for your help", False),
        ("natgeo, thanks", False),
        ("thanks natgeo", False),
    ],
)
def test_thanks_in_each_language(text: str, is_alone: bool) -> None:
    assert is_thanks(text)
    assert is_thanks_alone(text) == is_alone
