"""How much happens in a run: an ordinary week, or a few rough hours, where plants are sought."""

from dataclasses import dataclass

HOUR = 3600.0


@dataclass(frozen=True)
class Rates:
    """Counts are of a day and of all people together, times are seconds."""

    deeds: int = 270
    faults: float = 16
    crashes: float = 2.5
    credits: int = 320
    """The bot's budget: looks of 1 credit, and what people ask."""
    posts: float = 1.0
    """By what the posts of all profiles are multiplied."""
    probes: int = 14
    """The weight of commands whose answer can be told from all others, of some 100."""
    settled_s: float = 120.0
    """Between two commands of the beginning."""
    drain_s: float = 27 * HOUR
    """At the end nothing fails any more, and what is owed comes: a digest may take a day."""
    leaves: int = 5
    """The weight of throwing the bot out for a while, of some 100."""
    lasting: float = 1.0
    """By what all that fails for minutes or hours is multiplied."""
    away: float = 1.0
    """By what all that people do for hours is multiplied."""
    fans: int = 1
    """By what the weights of those who use all of it are multiplied; 0: there are none."""
    backup_hours: int = 6
    quiet: bool = False
    """Every third chat wants to be left alone from the first hour on."""
    steps: float = 1.0
    """Of the machine's clock, which is wrong for minutes and then right again."""
    terms_s: float = 300.0
    """Between two looks at what chats have set."""
    profiles: int = 40
    places: tuple[int, int, int, int, int] = (12, 5, 4, 4, 5)
    """How many private chats, groups, supergroups, forums and channels there are."""
    meetings: bool = False
    """Two deeds meet while a story waits, again and again; little else happens or fails."""
    refusals: float = 0.0
    """Of sends, at random, in place of all else that fails."""


ORDINARY = Rates()
ROUGH = Rates(
    deeds=900, faults=600, crashes=90, credits=1000, posts=8, probes=60, leaves=20,
    settled_s=5, lasting=0.4, away=0.1, drain_s=2.5 * HOUR, quiet=True,
    backup_hours=1, steps=8,
)  # fmt: skip
REFUSED = Rates(refusals=250, steps=0, crashes=0.001, posts=8, deeds=600, probes=40, credits=1000)
MET = Rates(
    deeds=12, faults=5, crashes=1.5, credits=400, posts=0.5, probes=2, leaves=1,
    settled_s=5, lasting=0.1, away=0.3, steps=0.001, fans=0, terms_s=60, profiles=10,
    places=(3, 2, 4, 3, 0), meetings=True, drain_s=9 * HOUR,
)  # fmt: skip
MET_DAYS = 2.0
ROUGH_DAYS = 0.25
