"""Which stories a subscription wants: by its options, and by the terms of its rules."""

import itertools
import random
import unicodedata
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain import story_terms
from bot.domain.options import RULES, TEXTS, Options, exclusion_reason
from bot.domain.story_terms import Rules
from sandbox.instagram import Profile
from sandbox.instagram import Story as SandboxStory
from tests.soak import contents
from tests.support.followed import NOON, story
from tests.support.preferences import unlike_defaults

NO_RULES = Options()
PLAIN = story("1")
RICH = story(
    "2",
    kind="video",
    hashtags=("Sale", "#New"),
    mentions=("nike",),
    sponsors=("Prada",),
    links=("https://[bad", "https://www.shop.nike.com/x?y=1"),
    locations=("New York, USA",),
)


@pytest.mark.parametrize(
    "term",
    [
        "video", "link", "mention", "hashtag", "place", "sponsor", "#sale", "#new", "@nike",
        "@prada", "nike.com", "shop.nike.com", "place:new-york", "place:usa",
    ],
)  # fmt: skip
def test_a_term_fits_what_has_it(term: str) -> None:
    assert story_terms.story_fits_term(RICH, term)
    assert not story_terms.story_fits_term(PLAIN, term)
    assert exclusion_reason(PLAIN, Options(only=term), NO_RULES) == f"only {term}"
    assert exclusion_reason(RICH, Options(only=term), NO_RULES) is None
    assert exclusion_reason(RICH, Options(without=f"#other {term}"), NO_RULES) == f"not {term}"
    assert exclusion_reason(PLAIN, Options(without=term), NO_RULES) is None


def test_the_rules_of_the_chat_hold_for_subscriptions_without_own_rules() -> None:
    chat = Options(only="@nike", without="photo")
    assert exclusion_reason(RICH, Options(), chat) is None
    assert exclusion_reason(PLAIN, Options(), chat) == "chat: only @nike"
    assert exclusion_reason(PLAIN, Options(), Options(without="photo")) == "chat: not photo"
    assert exclusion_reason(PLAIN, Options(media="video"), chat) == "video"
    assert exclusion_reason(PLAIN, Options(only="everything"), chat) is None
    assert exclusion_reason(PLAIN, Options(without="#sale"), chat) is None
    assert exclusion_reason(RICH, Options(without="#sale"), chat) == "not #sale"


def test_a_term_of_letters_with_marks_fits() -> None:
    tags, places = ("हिन्दी", "İstanbul", "cafe\u0301"), ("नई दिल्ली, India", "Sa\u0303o Paulo")
    marked = story("3", hashtags=tags, locations=places)
    for written in ("#हिन्दी", "#İstanbul", "place:दिल्ली", "#Café", "place:são-paulo"):
        for form in ("NFC", "NFD"):
            typed = story_terms.valid_terms(unicodedata.normalize(form, written))
            assert story_terms.story_fits_term(marked, typed), written


def test_a_hashtag_with_digits_of_another_script_fits() -> None:
    tagged = story("4", hashtags=("تخفیف۱۴۰۵",))
    assert story_terms.story_fits_term(tagged, story_terms.valid_terms("#تخفیف۱۴۰۵"))


@pytest.mark.parametrize("own", [{}, {"only": "everything"}, {"without": "video"}])
@pytest.mark.parametrize("of_chat", [{}, {"only": "#sale"}, {"without": "photo"}])
def test_the_soak_judges_the_rules_of_the_chat_alike(
    own: dict[str, object], of_chat: dict[str, object]
) -> None:
    profile = Profile("787132", "natgeo", "", random.Random(1))  # noqa: S311 - repeatable
    for kind, tags in itertools.product(("photo", "video"), ((), ("sale",))):
        ours = story("1", kind=kind, hashtags=tags)
        theirs = SandboxStory(
            "1", profile, NOON.timestamp(), 2 if kind == "video" else 1, hashtags=[*tags]
        )
        reason = exclusion_reason(ours, Options.from_json(own), Options.from_json(of_chat))
        assert contents.passes(theirs, {**own, "chat": of_chat}) == (reason is None)


@pytest.mark.parametrize("option", Options.__dataclass_fields__)
def test_the_soak_sets_each_option_and_lets_pass_what_it_lets_pass(option: str) -> None:
    chance = random.Random(1)  # noqa: S311 - to be repeated is the aim
    is_written = option not in RULES or option in contents.wishes(chance)
    assert is_written, "say in `wishes` of tests/soak/contents.py how people write it"
    unlike = getattr(unlike_defaults().options, option)
    options = replace(Options(), **{option: unlike})
    profile = Profile("787132", "natgeo", "", chance)
    for kind, tags, later in (("photo", (), 0), ("video", ("sale",), 12)):
        ours = story("1", NOON + timedelta(hours=later), kind=kind, hashtags=tags)
        theirs = SandboxStory(
            "1", profile, ours.taken_at.timestamp(), 2 if kind == "video" else 1, hashtags=[*tags]
        )
        is_held = exclusion_reason(ours, options, NO_RULES) is not None
        assert option in RULES or option not in TEXTS or not is_held, "its sentence: in RULES"
        passes = contents.passes(theirs, options.to_json())
        assert passes != is_held, "judge it in `passes` of tests/soak/contents.py, too"


@pytest.mark.parametrize(
    "term", ["photo", "reshare", "#sal", "@nik", "ike.com", "nike.co", "place:york-new"]
)
def test_a_term_does_not_fit_what_is_like_it(term: str) -> None:
    assert not story_terms.story_fits_term(RICH, term)


@pytest.mark.parametrize(
    ("text", "rules"),
    [
        ("only: #Sale @Nike, nike.com not: video", Rules("#sale @nike nike.com", "video")),
        ("#sale", Rules("#sale")),
        ("only: #خصم، #تخفيض؛ not: video؟", Rules("#خصم #تخفيض", "video")),
        ("#सेल। #छूट।", Rules("#सेल #छूट")),
        ("only\uff1a#割引、#sale。", Rules("#割引 #sale")),
        ("NOT: sponsor not: sponsor #ad only: link", Rules("link", "sponsor #ad")),
        ("only: cats not: dogs video", Rules("", "video", ("cats", "dogs"))),
        ("only:#sale", Rules("#sale")),
        ("Only #sale not video", Rules("#sale", "video")),
        ("#हिन्दी not: #İstanbul place:दिल्ली", Rules("#हिन्दी", "#i\u0307stanbul place:दिल्ली")),
        ("@nike. @.nike #sale.", Rules("@nike #sale", "", ("@.nike",))),
        ("www.nike.com www.www.com", Rules("nike.com www.com")),
        ("notable only", Rules("", "", ("notable",))),
        ("", Rules()),
    ],
)
def test_rules_are_read_as_people_write_them(text: str, rules: Rules) -> None:
    assert story_terms.parse_rules(text) == rules


@given(st.text(max_size=400))
def test_what_is_stored_is_read_again_as_it_is(text: str) -> None:
    terms = story_terms.valid_terms(text)
    assert story_terms.valid_terms(terms) == terms
    assert len(terms) <= story_terms.LONGEST
    options = Options.from_json(dict.fromkeys(TEXTS, text))
    assert Options.from_json(options.to_json()) == options
    assert story_terms.parse_rules(f"only: {terms}") == Rules(terms)


def test_a_list_has_at_most_200_characters_and_what_is_more_is_told() -> None:
    fitting = [f"#{'a' * 98}", f"#{'b' * 99}"]  # of 99 and 100, with a space between
    assert story_terms.valid_terms(" ".join(fitting)) == " ".join(fitting)
    assert story_terms.valid_terms(" ".join([fitting[1], f"#{'a' * 99}"])) == fitting[1]
    # What is too long is left out, and what comes behind it is not.
    assert story_terms.valid_terms(" ".join([*fitting[:1], f"#{'b' * 100}", "#c"])) == (
        f"{fitting[0]} #c"
    )
    many = [f"#{n}" for n in range(100, 141)]  # 40 of them fit
    assert story_terms.parse_rules(" ".join(many)) == Rules(" ".join(many[:40]), "", (many[40],))
