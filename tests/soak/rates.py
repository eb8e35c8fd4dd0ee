"""Frequencies of events: an ordinary week, or a few hours with many failures for plants."""

from dataclasses import dataclass

HOUR = 3600.0


@dataclass(frozen=True)
class Rates:
    """Counts are per day and for all persons together. Times are in seconds."""

    deeds: int = 270
    faults: float = 16
    crashes: float = 2.5
    credits: int = 320
    """The bot's daily budget, for checks of 1 or 2 credits and for requests of persons."""
    posts: float = 1.0
    """Factor of the posts of all profiles."""
    probes: int = 14
    """The weight of commands with a unique answer, of a total of about 100."""
    settled_s: float = 120.0
    """Pause between two commands at the start."""
    drain_s: float = 27 * HOUR
    """Time without failures at the end, for all pending deliveries. A summary may take a day."""
    leaves: int = 5
    """The weight of temporary removals of the bot, of a total of about 100."""
    lasting: float = 1.0
    """Factor of the duration of failures."""
    away: float = 1.0
    """Factor of the duration of persons' long actions."""
    fans: int = 1
    """Factor of the weights of the users of all features; 0: none."""
    lists: int = 1
    """Factor of the weights of the users of lists; 0: none."""
    has_summaries: bool = False
    """Each chat keeps its stories, and every second chat has daily summaries, from the start."""
    backup_hours: int = 6
    quiet: bool = False
    """Every third chat has quiet hours from the first hour."""
    steps: float = 1.0
    """Steps of the machine's clock, which is wrong for some minutes."""
    terms_s: float = 300.0
    """Interval between two reads of the chats' settings."""
    profiles: int = 40
    places: tuple[int, int, int, int, int] = (12, 5, 4, 4, 5)
    """Numbers of private chats, groups, supergroups, forums and channels."""
    meetings: bool = False
    """Features are combined while stories are pending. Few other events and failures occur."""
    refusals: float = 0.0
    """Random refusals of sends, instead of all other failures."""


ORDINARY = Rates()
ROUGH = Rates(
    deeds=900, faults=600, crashes=90, credits=1000, posts=8, probes=60, leaves=20,
    settled_s=5, lasting=0.4, away=0.1, drain_s=2.5 * HOUR, quiet=True,
    backup_hours=1, steps=8,
)  # fmt: skip
REFUSED = Rates(refusals=250, steps=0, crashes=0.001, posts=8, deeds=600, probes=40, credits=1000)
MET = Rates(
    deeds=12, faults=5, crashes=1.5, credits=400, posts=0.5, probes=2, leaves=1,
    settled_s=5, lasting=0.1, away=0.3, steps=0.001, fans=0, lists=0, terms_s=60, profiles=10,
    places=(3, 2, 4, 3, 0), meetings=True, drain_s=9 * HOUR,
)  # fmt: skip
ASKED = Rates(
    deeds=1000, faults=6, crashes=2, credits=4000, posts=12, probes=6, leaves=1, lists=8,
    settled_s=5, lasting=0.2, away=0.1, drain_s=2.5 * HOUR, backup_hours=1, steps=0.001,
    terms_s=60, profiles=20, places=(8, 3, 3, 1, 1), has_summaries=True,
)  # fmt: skip
"""Persons ask for lists and summaries all the time, and little fails."""
ASKED_DAYS = 0.35
MET_DAYS = 2.0
ROUGH_DAYS = 0.25
