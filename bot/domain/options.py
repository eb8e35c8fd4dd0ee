"""The options of a subscription, which set the form of its alerts and select its stories."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import MAXYEAR, MINYEAR, datetime, timedelta
from typing import Any, Literal, Self, TypeAlias, get_args, get_type_hints

from bot.domain.model import Endless, Story
from bot.domain.sentences import N_
from bot.domain.story_terms import story_fits_term, valid_terms

ChatDefaults: TypeAlias = None
"""In the type of preferences, the defaults of the chat apply."""

TEXTS: Mapping[str, Callable[[str], str]] = {"only": valid_terms, "without": valid_terms}
"""The options with free text, each with the function that normalizes the text."""

RULES = {
    "only": N_("🎯 Only stories with one of these: {terms}"),
    "without": N_("🚫 No stories with any of these: {terms}"),
}
"""The text options that filter stories, each with a message that shows the terms of the option."""

_HEADS = {"only": "only", "without": "not"}
_DOUBLE_PRESS = timedelta(minutes=1)
CHAT_RULE = "chat: "
"""The beginning of a reason, which means that a rule of the whole chat excludes the story."""


@dataclass(frozen=True, slots=True)
class Options:
    """The alert options of one subscription."""

    silent: bool = False
    media: Literal["all", "photo", "video"] = "all"
    spoiler: bool = False
    protect: bool = False
    caption: Literal["full", "short"] = "short"
    digest: bool = False
    """Whether the stories wait for the daily summary of the chat."""
    fast: bool = False
    """Whether the profile is checked more often."""
    keep: bool = False
    """Whether sent stories can be sent again for 90 days after their posting."""
    files: bool = False
    """Whether the stories are sent as uncompressed files."""
    only: str = ""
    """The stories that are sent, as terms of ``bot.domain.story_terms``."""
    without: str = ""
    """The stories that are not sent, as terms of ``bot.domain.story_terms``."""

    @classmethod
    def from_json(cls, values: Mapping[str, object]) -> Self:
        """Return the options from a result of ``to_json``.

        Invalid names, and invalid terms of a text option, are ignored. Options with missing or
        invalid values get their defaults.
        """
        switches = cls.__dataclass_fields__.keys() - CHOICES.keys() - TEXTS.keys()
        known: dict[str, Any] = {}
        for name, value in values.items():
            if name in TEXTS and isinstance(value, str):
                known[name] = TEXTS[name](value)
            elif value in CHOICES.get(name, ()) or (name in switches and isinstance(value, bool)):
                known[name] = value
        return cls(**known)

    def with_values(self, values: Mapping[str, object]) -> Self:
        """Return a copy of the options with the JSON values ``values``.

        An option with an invalid value gets its default.
        """
        return self.from_json({**self.to_json(), **values})

    @property
    def rules(self) -> dict[str, str]:
        """Return the texts of the non-empty filter rules, by the name of the option."""
        texts = {name: getattr(self, name) for name in RULES}
        return {name: text for name, text in texts.items() if text}

    @property
    def rules_text(self) -> str:
        """Return the filter rules as people write them, for example ``only: #sale not: video``.

        If the options have no filter rules, return ``off``.
        """
        lists = (f"{_HEADS[name]}: {terms}" for name, terms in self.rules.items())
        return " ".join(lists) or "off"

    def to_json(self) -> dict[str, object]:
        """Return the options that differ from the defaults, as JSON values."""
        known = ((field, getattr(self, field.name)) for field in fields(self))
        return {field.name: value for field, value in known if value != field.default}


CHOICES: Mapping[str, tuple[str, ...]] = {
    name: get_args(kind) for name, kind in get_type_hints(Options).items() if get_args(kind)
}
"""The options whose value is one of several words, each with these words.

All other options, except the options in ``TEXTS``, are switches.
"""


@dataclass(frozen=True, slots=True)
class Preferences:
    """All preferences of a subscription: the options and the pause.

    ``paused_until`` is None for a pause without an end, and without a pause. A pause with an end
    is called a mute.
    """

    options: Options = field(default_factory=Options)
    paused: bool = False
    paused_until: datetime | None = None

    @classmethod
    def from_json(cls, values: Mapping[str, object]) -> Self:
        """Return the preferences from a result of ``to_json``. Invalid values become defaults."""
        options = values.get("options")
        return cls(
            Options.from_json(options) if isinstance(options, dict) else Options(),
            paused=values.get("paused") is True,
            paused_until=_parse_valid_time(values.get("paused_until")),
        )

    def to_json(self) -> dict[str, object]:
        """Return the preferences as JSON values."""
        until = self.paused_until.isoformat() if self.paused_until else None
        return {"options": self.options.to_json(), "paused": self.paused, "paused_until": until}

    def with_pause_at_least_until(self, until: datetime | Endless) -> Self:
        """Return the preferences with a pause until ``until``. None means a pause without an end.

        An existing pause is not shortened, and not extended by a minute or less, because the
        person has probably pressed a button twice.
        """
        if self.paused and self.paused_until is None:
            return self
        if self.paused_until is None or until is None:
            return replace(self, paused=True, paused_until=until)
        if until <= self.paused_until + _DOUBLE_PRESS:
            return self
        return replace(self, paused=True, paused_until=until)

    def without_pause(self) -> Self:
        """Return the preferences without a pause."""
        return replace(self, paused=False, paused_until=None)

    def without_ended_pause(self, now: datetime) -> Self:
        """Return the preferences at the time ``now``, without a pause that has ended."""
        is_over = self.paused_until is not None and self.paused_until <= now
        return self.without_pause() if is_over else self


def _parse_valid_time(value: object) -> datetime | None:
    """Return the time in an ISO 8601 text with a time zone, or None for any other value.

    Also return None for a time in the first or last year that Python supports.
    """
    if not isinstance(value, str):
        return None
    try:
        found = datetime.fromisoformat(value)
    except ValueError:
        return None
    # Times in the first and the last possible year are invalid, because their conversion to
    # another time zone can overflow.
    is_safe = MINYEAR < found.year < MAXYEAR
    return found if found.tzinfo and is_safe else None


def exclusion_reason(story: Story, options: Options, chat_rules: Options) -> str | None:
    """Return the reason why a subscription does not get a story, or None if it gets the story.

    The reason is the value of the option ``media``, or a rule such as ``only #sale``.
    ``chat_rules`` apply only if the subscription has no rules.
    """
    if options.media not in {"all", story.kind}:
        return options.media
    if options.rules:
        return _excluding_rule(story, options)
    reason = _excluding_rule(story, chat_rules)
    return f"{CHAT_RULE}{reason}" if reason else None


def _excluding_rule(story: Story, options: Options) -> str | None:
    """Return the rule of ``options`` that excludes a story, or None if no rule excludes the story.

    Examples are ``only #sale`` with all terms of the rule, and ``not #ad`` with the matching term.
    """
    if options.only and not any(story_fits_term(story, term) for term in options.only.split()):
        return f"only {options.only}"
    return next(
        (f"not {term}" for term in options.without.split() if story_fits_term(story, term)), None
    )
