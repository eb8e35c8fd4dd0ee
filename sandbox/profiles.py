"""The initial profiles of the sandbox."""

from sandbox.instagram import Instagram

BIG = 52_500_000  # bytes; more than the 50 MB that a bot may upload
BUSY_EVERY_S = 40
HOUR = 3_600.0
DAY, YEAR = 24 * HOUR, 365 * 24 * HOUR


def add_initial_profiles(world: Instagram) -> None:
    """Add the initial profiles to an empty world. All times are relative to the world's clock."""
    now = world.clock.now()
    prada = world.add_profile("prada", pk="304662892", full_name="Prada", is_verified=True)
    _natgeo(world, now)
    world.publish(
        prada,
        1,
        now - 3 * HOUR,
        variant=2,
        mentions=["natgeo"],
        links=["https://www.prada.com/ww/en/pradasphere.html"],
        hashtags=["prada"],
        locations=["Milan, Italy"],
    )
    thirty = world.add_profile("thirty", pk="30303030303", full_name="Thirty Stories")
    for k in range(30):
        world.publish(thirty, 2 if k % 5 == 4 else 1, now - (30 - k) * 0.5 * HOUR, variant=k)
    world.add_profile("quiet", pk="20202020202", full_name="Quiet Corner")
    locked = world.add_profile("locked", pk="40404040404", full_name="Locked", is_private=True)
    world.publish(locked, 1, now - HOUR, variant=3)
    numeric = world.add_profile("12345", pk="50505050505", full_name="One to Five")
    world.publish(numeric, 1, now - HOUR, variant=1)
    world.publish(numeric, 2, now - 0.5 * HOUR, variant=3)
    busy = world.add_profile(
        "busy",
        pk="60606060606",
        full_name="Busy Bee",
        is_verified=True,
        posts_per_day=86_400 / BUSY_EVERY_S,
    )
    world.publish(busy, 1, now - 300, variant=4)
    renamed = world.add_profile("renamed_old", pk="70707070707", full_name="New Name Soon")
    world.publish(renamed, 1, now - 2 * HOUR, variant=5)
    bigvideo = world.add_profile("bigvideo", pk="80808080808", full_name="Big Video")
    world.publish(bigvideo, 2, now - HOUR, variant=0, size=BIG)
    flaky = world.add_profile("flaky", pk="90909090909", full_name="Flaky")
    world.publish(flaky, 1, now - HOUR, variant=0)
    flaky.failures = 1


def _natgeo(world: Instagram, now: float) -> None:
    natgeo = world.add_profile(
        "natgeo", pk="787132", full_name="National Geographic", is_verified=True
    )
    tagged: dict[str, object] = {"mentions": ["prada"], "sponsor_tags": ["prada"]}
    first = now - 2 * HOUR
    world.publish(natgeo, 2, first, variant=0, **tagged)
    world.publish(natgeo, 2, first + 29, variant=1, **tagged)
    world.publish(natgeo, 1, first + 61, variant=3, **tagged)
    for title, count, years in (("Lions 🦁", 4, 2), ("Oceans", 23, 1)):
        start = now - years * YEAR
        kept = [
            world.add_past_story(natgeo, 2 if k % 6 == 5 else 1, start + k * DAY, variant=k)
            for k in range(count)
        ]
        world.add_highlight(natgeo, title, kept)
