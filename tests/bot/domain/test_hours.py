"""Times of day as people type them."""

import re
from datetime import UTC, datetime

import pytest

from bot.domain.everyday_words import is_number_or_time_word
from bot.domain.foreign_text import normalize_typed
from bot.domain.hours import _NUMBERS, parse_minute_of_day, parse_start_and_end_minute
from bot.presentation.html import plain
from bot.presentation.translation import LANGUAGES, translator_for
from handlers.settings import DIGEST, NIGHTS, QUIET


@pytest.mark.parametrize(
    ("text", "hours"),
    [
        ("23-7", (23 * 60, 7 * 60)),
        ("23:30 \u2013 07:15", (23 * 60 + 30, 7 * 60 + 15)),
        ("from 11pm to 7 a.m.", (23 * 60, 7 * 60)),
        ("12am-12pm", (0, 12 * 60)),
        ("8:30am-5:45pm", (8 * 60 + 30, 17 * 60 + 45)),
        ("9-5pm", (9 * 60, 17 * 60)),
        ("24-8", (0, 8 * 60)),
        ("\u0441 23 до 7", (23 * 60, 7 * 60)),
        ("von 23 bis 7 Uhr", (23 * 60, 7 * 60)),
        ("22h30 à 7h", (22 * 60 + 30, 7 * 60)),
        ("\u06f2\u06f3 تا \u06f7", (23 * 60, 7 * 60)),
        ("23 ile 7", (23 * 60, 7 * 60)),
        ("gece 11'den sabah 7'ye", (23 * 60, 7 * 60)),
        ("aksam 10 ile sabahi 7 arasi", (22 * 60, 7 * 60)),  # without the dotless i
        ("\u06f2\u06f3 الی \u06f7", (23 * 60, 7 * 60)),
        ("من 11 مساءً إلى 7 صباحًا", (23 * 60, 7 * 60)),
        ("रात 11 से सुबह 7 बजे", (23 * 60, 7 * 60)),
        ("pukul 23.00 sampai 7.00", (23 * 60, 7 * 60)),
        ("jam 10 malam s/d 6 pagi", (22 * 60, 6 * 60)),
        ("das 22h às 7h", (22 * 60, 7 * 60)),
        ("de 22 h jusqu'à 7 h", (22 * 60, 7 * 60)),
        ("de 11 de la noche a 7 de la mañana", (23 * 60, 7 * 60)),
        ("\u0441 11 вечера до 7 утра", (23 * 60, 7 * 60)),
        ("з 23 до 7 години", (23 * 60, 7 * 60)),
        ("midnight to 8", (0, 8 * 60)),
        ("25-7", None),
        ("23 7", None),
        ("23 at 7", None),
        ("23-24:01", None),
        ("22:60-7", None),
        ("13pm-7", None),
        ("0pm-7", None),
        ("at night", None),
    ],
)
def test_from_when_to_when(text: str, hours: tuple[int, int] | None) -> None:
    assert parse_start_and_end_minute(text) == hours


@pytest.mark.parametrize(
    ("text", "minute"),
    [
        ("9:30 pm", 21 * 60 + 30),
        ("at 8", 8 * 60),
        ("23:59", 23 * 60 + 59),
        ("24", 0),
        ("1pm", 13 * 60),
        ("9ص", 9 * 60),
        ("9م", 21 * 60),
        ("um 9 Uhr", 9 * 60),
        ("\u043e 9:30", 9 * 60 + 30),
        ("pukul 9.30", 9 * 60 + 30),
        ("9 बजे।", 9 * 60),
        ("सुबह 9:30", 9 * 60 + 30),
        ("الساعة 9", 9 * 60),
        ("الساعة \u0669\u066b\u0663\u0660 مساءً؟", 21 * 60 + 30),
        ("9 صبح", 9 * 60),
        ("5 بعدازظهر", 17 * 60),
        ("14h", 14 * 60),
        ("9h30 du matin", 9 * 60 + 30),
        ("9 Uhr 30", 9 * 60 + 30),
        ("22 Uhr abends", 22 * 60),
        ("8 вечера", 20 * 60),
        ("2 ночи", 2 * 60),
        ("12 ночи", 0),
        ("3 дня", 15 * 60),
        ("saat 9'da", 9 * 60),
        ("akşam 8", 20 * 60),
        ("jam 11 siang", 11 * 60),
        ("8 de la tarde", 20 * 60),
        ("às 9 da manhã", 9 * 60),
        ("alle 8 di sera", 20 * 60),
        ("noon", 12 * 60),
        ("полночь", 0),
        ("8:61", None),
        ("9 30", None),
        ("h9", None),
        ("22 утра", None),
        ("9 natgeo", None),
        ("soon", None),
        ("lá pelas 8", 8 * 60),
        ("so gegen 8", 8 * 60),
        ("sobre las 8 de la noche", 20 * 60),
        ("verso le 8", 8 * 60),
        ("aux alentours de 8h", 8 * 60),
        ("где-то в 8", 8 * 60),
        ("десь \u043e 8", 8 * 60),
        ("akşam 8 gibi", 20 * 60),
        ("raat 9 baje ke karib", 21 * 60),
        ("طرفای \u06f9 شب", 21 * 60),
        ("jam 8an", 8 * 60),
        ("maybe 8ish", 8 * 60),
        ("every evening at half 8", 20 * 60 + 30),
        ("every day at 8", 8 * 60),
        ("todos los días a las 9", 9 * 60),
        ("8 or 9", None),
    ],
)
def test_one_hour(text: str, minute: int | None) -> None:
    assert parse_minute_of_day(text) == minute


@pytest.mark.parametrize(
    ("text", "minute"),
    [
        ("half past eight in the evening", 20 * 60 + 30),
        ("seven", 7 * 60),
        ("a las nueve y media de la noche", 21 * 60 + 30),
        ("a las once", 11 * 60),
        ("às nove e meia da noite", 21 * 60 + 30),
        ("halb neun abends", 20 * 60 + 30),
        ("um halb eins", 12 * 60 + 30),
        ("à huit heures et demie du soir", 20 * 60 + 30),
        ("alle otto e mezza di sera", 20 * 60 + 30),
        ("akşam dokuz buçukta", 21 * 60 + 30),
        ("saat on bir", 11 * 60),
        ("eight thirty", 8 * 60 + 30),
        ("acht Uhr dreißig", 8 * 60 + 30),
        ("в восемь тридцать", 8 * 60 + 30),
        ("around ten at night", 22 * 60),
        ("в половине девятого вечера", 20 * 60 + 30),
        ("полвосьмого утра", 7 * 60 + 30),
        ("\u043e пів на дев'яту вечора", 20 * 60 + 30),
        ("الساعة الثامنة مساء", 20 * 60),
        ("jam setengah sembilan malam", 20 * 60 + 30),
        ("نه و نیم شب", 21 * 60 + 30),
        ("सुबह सात बजे", 7 * 60),
        ("रात साढ़े नौ बजे", 21 * 60 + 30),
        ("quarter past seven in the morning", 7 * 60 + 15),
        ("quarter to eight", 7 * 60 + 45),
        ("seven forty-five pm", 19 * 60 + 45),
        ("a las siete menos cuarto", 6 * 60 + 45),
        ("veinte treinta", 20 * 60 + 30),
        ("sete e quinze", 7 * 60 + 15),
        ("quinze para as oito", 7 * 60 + 45),
        ("viertel nach sieben", 7 * 60 + 15),
        ("dreiviertel acht", 7 * 60 + 45),
        ("dix-huit heures", 18 * 60),
        ("sept heures moins le quart", 6 * 60 + 45),
        ("le diciotto e un quarto", 18 * 60 + 15),
        ("yediyi çeyrek geçe", 7 * 60 + 15),
        ("в четверть восьмого", 7 * 60 + 15),
        ("без четверти восемь", 7 * 60 + 45),
        ("السابعة والربع صباحا", 7 * 60 + 15),
        ("jam delapan kurang seperempat", 7 * 60 + 45),
        ("чверть на восьму", 7 * 60 + 15),
        ("هفت و ربع صبح", 7 * 60 + 15),
        ("सवा सात बजे", 7 * 60 + 15),
        ("on", None),
        ("once a day", None),
        ("no one", None),
        ("نه", None),
        ("seven natgeo", None),
    ],
)
def test_an_hour_in_words(text: str, minute: int | None) -> None:
    assert parse_minute_of_day(text) == minute


@pytest.mark.parametrize(
    ("text", "hours"),
    [
        ("von halb elf bis um sieben", (22 * 60 + 30, 7 * 60)),
        ("from eleven to seven", (23 * 60, 7 * 60)),
        ("from eleven to seven in the morning", (23 * 60, 7 * 60)),
        ("von elf bis sieben Uhr morgens", (23 * 60, 7 * 60)),
        ("from ten to midnight", (22 * 60, 0)),
        ("nine to five", (9 * 60, 17 * 60)),
        ("neun bis fünf", (9 * 60, 17 * 60)),
        ("de dix-huit à huit heures", (18 * 60, 8 * 60)),
        ("entre diez y quince", (10 * 60, 15 * 60)),
        ("\u0441 двадцати двух до семи", (22 * 60, 7 * 60)),
        ("from twelve to six", (0, 6 * 60)),
        ("from ten to ten", (22 * 60, 10 * 60)),
        ("from ten to eight in the evening", (10 * 60, 20 * 60)),
        ("from ten in the morning to nine", (10 * 60, 9 * 60)),
        ("from one to six", (60, 6 * 60)),
        ("de once de la noche a siete de la mañana", (23 * 60, 7 * 60)),
        ("de onze heures du soir à sept heures du matin", (23 * 60, 7 * 60)),
        ("akşam ondan sabah yediye", (22 * 60, 7 * 60)),
        ("\u0441 одиннадцати вечера до восьми утра", (23 * 60, 8 * 60)),
        ("з одинадцятої вечора до восьмої ранку", (23 * 60, 8 * 60)),
        ("از یازده شب تا هفت صبح", (23 * 60, 7 * 60)),
        ("रात ग्यारह से सुबह सात बजे", (23 * 60, 7 * 60)),
        ("jam sepuluh malam sampai jam enam pagi", (22 * 60, 6 * 60)),
    ],
)
def test_a_span_in_words(text: str, hours: tuple[int, int]) -> None:
    assert parse_start_and_end_minute(text) == hours


def test_a_long_text_with_times_is_no_span() -> None:
    assert parse_start_and_end_minute("at " * 20 + "9 to 5") == (9 * 60, 5 * 60)
    assert parse_start_and_end_minute("at, " * 1_000 + "9 to 5") is None


@pytest.mark.parametrize(
    ("hour", "word"),
    [
        (hour, word)
        for hour, words in enumerate(_NUMBERS, 1)
        for word in words.split("|")
        if "(" not in word and ")" not in word
    ],
)
def test_each_hour_in_words_equals_its_digits(hour: int, word: str) -> None:
    for around in ("{}", "{} pm", "half {}", "halb {}", "{} et demie", "from {} am to 13:00"):
        in_words, in_digits = around.format(word), around.format(hour)
        assert parse_minute_of_day(in_words) == parse_minute_of_day(in_digits), word
        assert parse_start_and_end_minute(in_words) == parse_start_and_end_minute(in_digits), word
    assert parse_minute_of_day(word) == hour * 60


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_the_bot_writes_it_can_read(language: str) -> None:
    t = translator_for(language)

    def clock(minute: int) -> str:
        return t.time(datetime(2000, 1, 1, minute // 60, minute % 60, tzinfo=UTC), UTC)

    for minute in range(0, 24 * 60, 7):
        assert parse_minute_of_day(clock(minute)) == minute, clock(minute)
    for start, end in (*NIGHTS, (12, 0), (0, 12)):
        written = t.value_range(clock(start * 60), clock(end * 60))
        assert parse_start_and_end_minute(written) == (start * 60, end * 60), written


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_examples_of_the_questions_can_be_read(language: str) -> None:
    t = translator_for(language)
    examples = re.findall(r"\((.*\d.*)\)", plain(t(QUIET)))
    assert [parse_start_and_end_minute(one) for one in examples] == [(23 * 60, 7 * 60)]
    assert re.findall(r"\d\d?[:.]\d\d", normalize_typed(t(DIGEST)))
    for one in re.findall(r"\d\d?[:.]\d\d", normalize_typed(t(DIGEST))):
        assert parse_minute_of_day(one) == 9 * 60 + 30


@pytest.mark.parametrize("word", ["9", "9pm", "30min", "बजे", "9बजे।", "الساعة", "вечера", "صبح"])
def test_the_words_of_times_are_no_names(word: str) -> None:
    assert is_number_or_time_word(word)


@pytest.mark.parametrize(
    "word", ["de", "natgeo", "sera", "नासा", "9gag", "9999", "٩٩٩٩", "९९९९बजे"]
)
def test_other_words_are_no_times(word: str) -> None:
    assert not is_number_or_time_word(word)
