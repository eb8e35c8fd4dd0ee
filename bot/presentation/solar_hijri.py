"""Dates of the Solar Hijri calendar, which is used in Iran and Afghanistan."""

from datetime import date

MONTHS = (
    "فروردین", "اردیبهشت", "خرداد", "تیر", "مرداد", "شهریور",
    "مهر", "آبان", "آذر", "دی", "بهمن", "اسفند",
)  # fmt: skip
"""The Persian names of the months."""

# The number of days in 33 years of the Solar Hijri calendar. The pattern of leap years repeats
# after 33 years. This rule is correct for the Gregorian years 1799 to 2256.
_CYCLE = 33 * 365 + 8
_FOUR_YEARS = 4 * 365 + 1
_LEAP_YEAR = 366
_FIRST_YEAR = -1595  # a year of the Solar Hijri calendar with which a cycle of 33 years begins
# The number to add to an ordinal (``date.toordinal``), so that the sum is the number of days since
# the start of ``_FIRST_YEAR``.
_BEFORE_ORDINALS = 356_032
_LONG_MONTHS = 6 * 31


def solar_hijri(day: date) -> tuple[int, int, int]:
    """Return the year, the month (1 to 12) and the day of a date in the Solar Hijri calendar."""
    cycles, left = divmod(day.toordinal() + _BEFORE_ORDINALS, _CYCLE)
    fours, left = divmod(left, _FOUR_YEARS)
    year = _FIRST_YEAR + 33 * cycles + 4 * fours
    if left >= _LEAP_YEAR:  # the first year of each group of four years is a leap year
        years, left = divmod(left - 1, 365)
        year += years
    if left < _LONG_MONTHS:
        return year, 1 + left // 31, 1 + left % 31
    left -= _LONG_MONTHS
    return year, 7 + left // 30, 1 + left % 30
