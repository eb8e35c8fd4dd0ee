"""A time zone is a name of a list, not whatever file a machine has."""

from zoneinfo import ZoneInfo

import pytest

from bot.domain.zones import is_zone, zone_or_utc


@pytest.mark.parametrize("name", ["UTC", "Europe/Madrid", "America/Argentina/Buenos_Aires"])
def test_names_of_the_list(name: str) -> None:
    assert is_zone(name)


@pytest.mark.parametrize(
    "name",
    ["localtime", "posix/Europe/Madrid", "right/UTC", "Factory", "europe/madrid", "../UTC", ""],
)
def test_what_is_no_name_of_the_list(name: str) -> None:
    assert not is_zone(name)


@pytest.mark.parametrize(
    ("name", "zone"),
    [
        ("Europe/Madrid", "Europe/Madrid"),
        ("Europe/Nowhere", "UTC"),
        ("../UTC", "UTC"),
        ("x" * 300, "UTC"),  # longer than a file's name may be
    ],
)
def test_what_this_machine_does_not_know_is_utc(name: str, zone: str) -> None:
    assert zone_or_utc(name) == ZoneInfo(zone)
