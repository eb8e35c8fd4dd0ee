"""A zone is found by what its city is called in each of our languages."""

import pytest

from bot.presentation.cities import city_of, zone_named


@pytest.mark.parametrize(
    ("city", "zone"),
    [
        ("Kairo", "Africa/Cairo"),
        ("le caire", "Africa/Cairo"),
        ("Il Cairo", "Africa/Cairo"),
        ("Kahire", "Africa/Cairo"),
        ("Каир", "Africa/Cairo"),
        ("İSTANBUL", "Europe/Istanbul"),
        ("Izmir", "Europe/Istanbul"),
        ("Mailand", "Europe/Rome"),
        ("Nizza", "Europe/Paris"),
        ("Köln", "Europe/Berlin"),
        ("Koln", "Europe/Berlin"),
        ("Genf", "Europe/Zurich"),
        ("Genova", "Europe/Rome"),
        ("nowhere at all", None),
    ],
)
def test_a_city_is_found_by_its_name_in_our_languages(city: str, zone: str | None) -> None:
    assert zone_named(city) == zone


def test_a_city_is_shown_by_its_name_in_the_language_of_the_chat() -> None:
    shown = [city_of("Europe/Moscow", language) for language in ("de", "fr", "it", "tr")]
    assert shown == ["Moskau", "Moscou", "Mosca", "Moskova"]
