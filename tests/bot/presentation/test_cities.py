"""A zone is found by what its city is called in each of our languages."""

import pytest

from bot.domain.zones import is_zone
from bot.presentation.cities import (
    city_of,
    suggested_zones,
    zone_named,
    zones_in_statement,
    zones_of_country,
)
from bot.presentation.translation import LANGUAGES


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
        ("New York City", "America/New_York"),
        ("in Berlin", "Europe/Berlin"),
        ("Paris, France", "Europe/Paris"),
        ("à Paris, Frankreich", "Europe/Paris"),
        ("London, England", "Europe/London"),
        ("I live in Berlin", "Europe/Berlin"),
        ("berlin please", "Europe/Berlin"),
        ("Mexico City, thanks!", "America/Mexico_City"),
        ("vivo en Madrid", "Europe/Madrid"),
        ("moro em São Paulo", "America/Sao_Paulo"),
        ("Ich wohne in München", "Europe/Berlin"),
        ("j'habite à Lyon", "Europe/Paris"),
        ("vivo a Milano", "Europe/Rome"),
        ("İstanbul'da", "Europe/Istanbul"),
        ("живу в Берлине", "Europe/Berlin"),
        ("я в Москве", "Europe/Moscow"),
        ("я в Києві", "Europe/Kyiv"),
        ("أنا في القاهرة", "Africa/Cairo"),
        ("saya di Jakarta", "Asia/Jakarta"),
        ("تهران هستم", "Asia/Tehran"),
        ("मैं दिल्ली में हूँ", "Asia/Kolkata"),
        ("test", None),
        ("i don't know", None),
        ("London, Canada", None),
        ("Portland, Maine", None),
        ("nowhere at all", None),
    ],
)
def test_a_city_is_found_by_its_name_in_our_languages(city: str, zone: str | None) -> None:
    assert zone_named(city) == zone


def test_a_city_is_shown_by_its_name_in_the_language_of_the_chat() -> None:
    shown = [city_of("Europe/Moscow", language) for language in ("de", "fr", "it", "tr")]
    assert shown == ["Moskau", "Moscou", "Mosca", "Moskova"]


@pytest.mark.parametrize(
    ("text", "zone"),
    [
        ("+2", "Etc/GMT-2"),
        ("UTC-3", "Etc/GMT+3"),
        ("gmt -5", "Etc/GMT+5"),
        ("+02:00", "Etc/GMT-2"),
        ("+5:30", "Asia/Kolkata"),
        ("UTC -3:30", "America/St_Johns"),
        ("+12:45", "Pacific/Chatham"),
        ("+10:30", None),
        ("+5:31", None),
        ("Germany", "Europe/Berlin"),
        ("Deutschland", "Europe/Berlin"),
        ("ألمانيا", "Europe/Berlin"),
        ("Россия", None),
        ("USA", None),
    ],
)
def test_offsets_and_countries_are_time_zones(text: str, zone: str | None) -> None:
    assert zone_named(text) == zone


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_page_offers_nine_zones_that_exist(language: str) -> None:
    zones = suggested_zones(language)
    assert len(zones) == 9
    assert all(map(is_zone, zones))


def test_a_country_with_several_times_has_a_zone_for_each() -> None:
    zones = zones_of_country("Brazil")
    assert "America/Sao_Paulo" in zones
    assert 1 < len(zones) < 6
    assert "America/New_York" in zones_of_country("United States")
    assert not zones_of_country("Atlantis")


@pytest.mark.parametrize(
    ("text", "zone"),
    [
        ("vivo en Buenos Aires y me llegan tarde", "America/Argentina/Buenos_Aires"),
        ("ankarada yaşıyorum", "Europe/Istanbul"),  # noqa: RUF001 - Turkish
        ("I'm in Lisbon now, the clocks are off", "Europe/Lisbon"),
        ("vivo en Madrid", "Europe/Madrid"),
        ("moro em São Paulo", "America/Sao_Paulo"),
        ("ich bin gerade in Bangkok", "Asia/Bangkok"),
        ("j'habite à Paris", "Europe/Paris"),
        ("sono a Roma", "Europe/Rome"),
        ("İstanbul'da yaşıyorum", "Europe/Istanbul"),  # noqa: RUF001 - Turkish
        ("я живу в Берлине", "Europe/Berlin"),
        ("أنا في الرياض", "Asia/Riyadh"),
        ("aku di Jakarta", "Asia/Jakarta"),
        ("я з Києва", "Europe/Kyiv"),
        ("من تهران زندگی میکنم", "Asia/Tehran"),
        ("main delhi me rehta hu", "Asia/Kolkata"),
    ],
)
def test_a_statement_names_the_place_of_the_person(text: str, zone: str) -> None:
    assert zones_in_statement(text) == [zone]


def test_a_country_with_several_times_has_several_zones() -> None:
    assert len(zones_in_statement("я из России")) > 1


@pytest.mark.parametrize("text", ["I'm in love", "estoy en casa", "Berlin", "show me berlin", ""])
def test_other_texts_state_no_place(text: str) -> None:
    assert zones_in_statement(text) == []
