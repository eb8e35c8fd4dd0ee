"""The sandbox's Instagram: profiles, stories, and automatic posts over time."""

import base64
import random
from dataclasses import dataclass, field

from sandbox.clock import Clock
from sandbox.posting import DAY, next_post

EPOCH_MS = 1_314_220_021_721  # Instagram's ids count milliseconds from this time
# Maximum number of stories of a profile; the oldest further stories are removed.
MOST_STORIES = 100
_KEPT_S = 6 * DAY  # the CDN keeps the media of a story for this time
_SWEEP_EVERY = 1_000  # number of published stories between two removals of expired stories


@dataclass
class Story:
    """A story. The lists hold names or complete API objects (see `stories_api.shapes`)."""

    pk: str
    profile: "Profile"
    taken_at: float
    media_type: int
    variant: int = 0
    size: int | None = None  # approximate minimum size of the media in bytes, reached by padding
    mentions: list[object] = field(default_factory=list)
    links: list[object] = field(default_factory=list)
    hashtags: list[object] = field(default_factory=list)
    locations: list[object] = field(default_factory=list)
    sponsor_tags: list[object] = field(default_factory=list)
    webp: bool = False  # whether the photo is a WebP file with a .jpg name
    silent: bool = False  # whether the video has no audio track
    content_type: str | None = None  # Content-Type of the CDN, if it differs from the real type
    # Fields that replace fields of the API object.
    overrides: dict[str, object] = field(default_factory=dict)
    removed: bool = False

    @property
    def id(self) -> str:
        """Return the long id `{pk}_{profile pk}`."""
        return f"{self.pk}_{self.profile.pk}"

    @property
    def code(self) -> str:
        """Return the pk in URL-safe base64, as used in post links."""
        number = int(self.pk)
        raw = number.to_bytes((number.bit_length() + 7) // 8, "big")
        digits = -(-number.bit_length() // 6)
        padded = raw.rjust(-(-len(raw) // 3) * 3, b"\0")
        return base64.urlsafe_b64encode(padded).decode()[-digits:]


@dataclass
class Profile:
    """An account. The own `rng` makes the posting times independent of other profiles."""

    pk: str
    username: str
    full_name: str
    rng: random.Random
    is_private: bool = False
    is_verified: bool = False
    deleted: bool = False
    posts_per_day: float = 0.0
    next_post_at: float = 0.0
    failures: int = 0  # number of further requests that are answered with 404
    trouble: str = ""  # the response to every request, as a key of `stories_api.answers.TROUBLES`
    # Number of further requests that get the trouble; None means no limit.
    trouble_times: int | None = None
    stories: list[Story] = field(default_factory=list)


@dataclass
class Highlight:
    """A collection of stories in a profile. The stories stay visible after 24 hours."""

    pk: str
    profile: Profile
    title: str
    created_at: float
    stories: list[Story] = field(default_factory=list)
    removed: bool = False


class NameTaken(ValueError):  # noqa: N818  the name reads better without "Error"
    """Raised if another profile has the username."""


class Instagram:
    """All profiles, stories and highlights.

    The methods `stories_of`, `publish` and `set_rhythm` first add the automatic posts due.
    """

    def __init__(self, clock: Clock, seed: int = 0) -> None:
        """Start without profiles. `seed` determines all random values."""
        self.clock = clock
        self._seed = seed
        self._profiles: dict[str, Profile] = {}
        self._names: dict[str, str] = {}
        self._stories: dict[str, Story] = {}
        self._highlights: dict[str, Highlight] = {}
        self._published = 0

    def by_username(self, username: str) -> Profile | None:
        """Return the profile with a username (case-insensitive), or None."""
        return self._profiles.get(self._names.get(username.lower(), ""))

    def by_pk(self, pk: str) -> Profile | None:
        """Return the profile with a numeric id, or None."""
        return self._profiles.get(pk)

    def add_profile(
        self,
        username: str,
        *,
        pk: str | None = None,
        full_name: str = "",
        is_private: bool = False,
        is_verified: bool = False,
        posts_per_day: float = 0.0,
    ) -> Profile:
        """Create a profile, which posts automatically if `posts_per_day` is above zero.

        Raises:
            NameTaken: The username is in use.
        """
        name = username.lower()
        if name in self._names:
            raise NameTaken(f"{name} exists already")
        rng = random.Random(f"{self._seed}/{name}")
        number = pk or str(rng.randrange(10**9, 6 * 10**10))
        while pk is None and number in self._profiles:
            number = str(rng.randrange(10**9, 6 * 10**10))
        profile = Profile(number, name, full_name or name.title(), rng, is_private, is_verified)
        self._profiles[number] = profile
        self._names[name] = number
        self.set_rhythm(profile, posts_per_day)
        return profile

    def set_rhythm(self, profile: Profile, posts_per_day: float) -> None:
        """Set the number of automatic posts per day; 0 stops the posts."""
        self._add_due_posts(profile)
        profile.posts_per_day = posts_per_day
        if posts_per_day > 0:
            profile.next_post_at = next_post(profile.rng, self.clock.now(), posts_per_day)

    def rename(self, profile: Profile, username: str) -> None:
        """Rename a profile. After the change, no profile has the old name.

        Raises:
            NameTaken: The username is in use.
        """
        name = username.lower()
        if self._names.get(name, profile.pk) != profile.pk:
            raise NameTaken(f"{name} exists already")
        del self._names[profile.username]
        profile.username = name
        self._names[name] = profile.pk

    def publish(
        self, profile: Profile, media_type: int, taken_at: float | None = None, **details: object
    ) -> Story:
        """Publish a story at the time `taken_at`, by default now. Return the story.

        `details` are further fields of `Story`. The automatic posts that are due are added first.
        """
        self._add_due_posts(profile)
        return self.add_story(profile, media_type, taken_at, **details)

    def stories_of(self, profile: Profile) -> list[Story]:
        """Return the visible stories of a profile, oldest first.

        The automatic posts that are due are added first. Stories that are not visible are removed
        from the profile.
        """
        self._add_due_posts(profile)
        now = self.clock.now()
        profile.stories = [s for s in profile.stories if is_alive(s, now)]
        return list(profile.stories)

    def add_highlight(self, profile: Profile, title: str, stories: list[Story]) -> Highlight:
        """Create a highlight of a profile from stories, which may have expired."""
        rng = random.Random(f"{self._seed}/highlights/{len(self._highlights)}")
        pk = str(rng.randrange(17_800_000_000_000_000, 18_400_000_000_000_000))
        highlight = Highlight(pk, profile, title, self.clock.now(), stories)
        self._highlights[pk] = highlight
        return highlight

    def add_past_story(
        self, profile: Profile, media_type: int, taken_at: float, **details: object
    ) -> Story:
        """Create an old story for a highlight, which is not among the profile's visible stories.

        The profile's automatic posts do not change.
        """
        rng = random.Random(f"{self._seed}/past/{profile.username}/{taken_at}")
        pk = self._new_pk(rng, taken_at)
        details.setdefault("variant", rng.randrange(60))
        story = Story(pk, profile, taken_at, media_type, **details)  # type: ignore[arg-type]  # `details` are fields of Story
        self._stories[pk] = story
        return story

    def highlights_of(self, profile: Profile) -> list[Highlight] | None:
        """Return the highlights of a profile, newest first. Return None if none ever existed."""
        ours = [one for one in self._highlights.values() if one.profile is profile]
        return [one for one in reversed(ours) if not one.removed] if ours else None

    def highlight(self, pk: str) -> Highlight | None:
        """Return the highlight with an id, or None if no highlight has the id."""
        found = self._highlights.get(pk)
        return None if found is None or found.removed else found

    def story(self, pk: str) -> Story | None:
        """Return the story with a pk, or None if the media of the story are no longer stored.

        The story may have expired (`is_alive`).
        """
        return self._stories.get(pk)

    def _add_due_posts(self, profile: Profile) -> None:
        now = self.clock.now()
        while profile.posts_per_day > 0 and profile.next_post_at <= now:
            at = profile.next_post_at
            if at + DAY > now:
                media_type = 2 if profile.rng.random() < 0.4 else 1
                self.add_story(profile, media_type, at, variant=profile.rng.randrange(60))
            profile.next_post_at = next_post(profile.rng, at, profile.posts_per_day)

    def add_story(
        self, profile: Profile, media_type: int, taken_at: float | None, **details: object
    ) -> Story:
        """Add a story of a person or an automatic post. Return the story.

        The oldest stories of a profile with more than 100 stories are removed.
        """
        at = self.clock.now() if taken_at is None else taken_at
        pk = self._new_pk(profile.rng, at)
        details.setdefault("variant", profile.rng.randrange(60))
        story = Story(pk, profile, at, media_type, **details)  # type: ignore[arg-type]  # `details` are fields of Story
        self._stories[pk] = story
        if "pk" in story.overrides:  # the story can also be found by the id that replaces its pk
            self._stories[str(story.overrides["pk"])] = story
        profile.stories.append(story)
        profile.stories.sort(key=lambda s: (s.taken_at, s.pk))
        for old in profile.stories[:-MOST_STORIES]:
            old.removed = True
        self._published += 1
        if self._published % _SWEEP_EVERY == 0:
            self._sweep()
        return story

    def _new_pk(self, rng: random.Random, at: float) -> str:
        while True:
            pk = str((int(at * 1000) - EPOCH_MS) << 23 | rng.getrandbits(23))
            if pk not in self._stories:
                return pk

    def _sweep(self) -> None:
        oldest = self.clock.now() - _KEPT_S
        kept = {s.pk for one in self._highlights.values() for s in one.stories}
        self._stories = {
            pk: s for pk, s in self._stories.items() if s.taken_at > oldest or s.pk in kept
        }


def is_alive(story: Story, now: float) -> bool:
    """Return whether a story is visible: for 24 h after `taken_at`, unless it was removed."""
    return not story.removed and story.taken_at <= now < story.taken_at + DAY
