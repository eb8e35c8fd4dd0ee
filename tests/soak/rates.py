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
    refusals: float = 0.0
    """Of sends, at random, in place of all else that fails."""


ORDINARY = Rates()
ROUGH = Rates(
    deeds=900, faults=600, crashes=90, credits=1000, posts=8, probes=60, leaves=20,
    settled_s=5, lasting=0.4, away=0.1, drain_s=2.5 * HOUR, quiet=True,
    backup_hours=1, steps=8,
)  # fmt: skip
REFUSED = Rates(refusals=250, steps=0, crashes=0.001, posts=8, deeds=600, probes=40, credits=1000)
ROUGH_DAYS = 0.25
