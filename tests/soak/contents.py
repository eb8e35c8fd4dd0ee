"""The contents of stories besides their media, and a check of subscription rules.

The bot evaluates the API's response, and this module evaluates the sandbox's data. Both
implementations are independent.
"""

import random
from typing import Any
from urllib.parse import urlsplit

from sandbox.instagram import Story

HASHTAGS = ("sale", "Dawn", "ad")
LINKS = (
    "https://www.nike.com/shoes?utm=1",
    "https://shop.nike.com/",
    "https://odd.example.com:8443/sale",
)
LOCATIONS = ("Milan, Italy", "Paris, France")
TERMS = (
    "#sale", "#dawn", "@star07", "nike.com", "example.com", "link", "mention", "hashtag",
    "photo", "video", "place", "place:paris", "sponsor", "reshare",
)  # fmt: skip
"""Terms in the rules that persons write."""


def wishes(chance: random.Random) -> dict[str, str]:
    """Return commands for each text option, and for both together. `{name}` is the profile."""
    only, without = (" ".join(chance.sample(TERMS, n)) for n in (2, 1))
    return {
        "only": f"/rules {{name}} only: {only}",
        "without": f"/rules {{name}} not: {without}",
        "both": f"/rules {{name}} only: {only} not: {without}",
    }


RESHARED = {"media_pk": 77, "media_code": "DW38ZhqiKax", "product_type": "feed", "user_id": "787"}
MUSIC = {"music_asset_info": {"title": "Hello", "display_artist": "Adele & Co"}}


def held(name: str, at: float) -> dict[str, Any]:
    """Return fields of ``Story``, always equal for a profile and a posting time."""
    chance = random.Random(f"{name}/{at:.3f}/contents")  # noqa: S311 - must be repeatable

    def some(what: tuple[str, ...], share: float) -> list[object]:
        return [chance.choice(what)] if chance.random() < share else []

    overrides: dict[str, object] = {}
    if chance.random() < 0.15:
        overrides["medias"] = [RESHARED]
    if chance.random() < 0.15:
        overrides["story_music_stickers"] = [MUSIC]
    return {
        "hashtags": some(HASHTAGS, 0.4),
        "links": some(LINKS, 0.3),
        "mentions": some(("star07", "star11", "stranger"), 0.3),
        "locations": some(LOCATIONS, 0.25),
        "sponsor_tags": some(("star07", "shop"), 0.1),
        "silent": chance.random() < 0.25,
        "overrides": overrides,
    }


def passes(story: Story, options: dict[str, Any]) -> bool:
    """Return whether a subscription with these options wants a story.

    The options are those of the subscription's row, the zone of the chat, and the rules of the
    whole chat (``chat``), which apply to a subscription without own rules.
    """
    kind = "video" if story.media_type == 2 else "photo"
    if options.get("media", kind) not in {"all", kind}:
        return False
    has_own = options.get("only") or options.get("without")
    rules = options if has_own else options.get("chat", {})
    only, without = (str(rules.get(name, "")).split() for name in ("only", "without"))
    if only and not any(fits(story, term) for term in only):
        return False
    return not any(fits(story, term) for term in without)


def fits(story: Story, term: str) -> bool:
    """Return whether a story matches a term of a rule or of a search."""
    tags = [str(tag).lower() for tag in story.hashtags]
    people = [str(name) for name in (*story.mentions, *story.sponsor_tags)]
    hosts = [str(urlsplit(str(url)).hostname) for url in story.links]
    places = [str(place).lower() for place in story.locations]
    holds = {
        "link": bool(hosts),
        "mention": bool(story.mentions),
        "hashtag": bool(tags),
        "photo": story.media_type == 1,
        "video": story.media_type == 2,
        "place": bool(places),
        "sponsor": bool(story.sponsor_tags),
        "reshare": "medias" in story.overrides,
        "everything": True,
    }
    if term in holds:
        return holds[term]
    match term[0], term.partition(":"):
        case "#", _:
            return term[1:] in tags
        case "@", _:
            return term[1:] in people
        case _, ("place", ":", name):
            return any(name in place for place in places)
    return any(f".{host}".endswith(f".{term}") for host in hosts)
