"""Dates as people and spreadsheets write them, read to YYYY-MM-DD: day first as in Britain, where that is sure."""

import re
from calendar import month_abbr, month_name, monthrange
from datetime import date

from services.core.errors import Finding, Invalid

FIRST_YEAR, LAST_YEAR = 1800, 2199
DAY_FIRST, MONTH_FIRST, MIXED = "day", "month", "mixed"
"""First part of the dates of a column; `MIXED` where its cells contradict each other."""
_MIDNIGHT = r"(?:[T ]+00:00(?::00(?:\.0+)?)?(?:\s*(?:Z|UTC|\+00:00))?)?"
_YEAR_FIRST = re.compile(rf"([0-9]{{4}})([-/.])([0-9]{{1,2}})\2([0-9]{{1,2}}){_MIDNIGHT}")
_DIGITS = re.compile(r"((?:18|19|20|21)[0-9]{2})([0-9]{2})([0-9]{2})")
_YEAR_LAST = re.compile(rf"([0-9]{{1,2}})([-/. ])([0-9]{{1,2}})\2([0-9]{{4}}){_MIDNIGHT}")
_NAMED = re.compile(rf"([0-9]{{1,2}})(?:st|nd|rd|th)?[\s\-/.]*([A-Za-z]{{3,9}})[\s\-/.,]*([0-9]{{4}}){_MIDNIGHT}")
_MONTH_NAMED = re.compile(rf"([A-Za-z]{{3,9}})[\s\-/.]*([0-9]{{1,2}})(?:st|nd|rd|th)?[\s\-/.,]+([0-9]{{4}}){_MIDNIGHT}")
_MONTHS = {
    name.lower(): number
    for names in (month_abbr, month_name)
    for number, name in enumerate(names)
    if name
} | {"sept": 9}  # fmt: skip
LONGEST_DATE = 60
_LAST_MONTH = 12


def plain_date(text: str, first: str | None = None) -> str | None:
    """A date as YYYY-MM-DD; None for what is none, isn't in the calendar, or could be two.

    `first` says what stands first in the column's dates where that is known.
    """
    text = text.strip()
    if len(text) > LONGEST_DATE:
        return None
    if match := _YEAR_FIRST.fullmatch(text):
        return _written(match[1], match[3], match[4])
    if match := _DIGITS.fullmatch(text):
        return _written(*match.groups())
    if match := _NAMED.fullmatch(text):
        return _written(match[3], str(_MONTHS.get(match[2].lower(), 0)), match[1])
    if match := _MONTH_NAMED.fullmatch(text):
        return _written(match[3], str(_MONTHS.get(match[1].lower(), 0)), match[2])
    match = _YEAR_LAST.fullmatch(text)
    if match is None:
        return None
    order = first_part(text) or (first if match[1] != match[3] else DAY_FIRST)
    if order == DAY_FIRST:
        return _written(match[4], match[3], match[1])
    return _written(match[4], match[1], match[3]) if order == MONTH_FIRST else None


def read_day(text: str, field: str) -> date | None:
    """Read a date typed into a form of the portal, which says that the day comes first; None where it is empty.

    Raises Invalid for what is no day: 31/02/2026 is refused, and never taken for another day.
    """
    if not text.strip():
        return None
    plain = plain_date(text, DAY_FIRST)
    if plain is not None:
        return date.fromisoformat(plain)
    message = f"{text.strip()[:LONGEST_DATE]} isn't a date. {_why_no_day(text.strip())}"
    raise Invalid([Finding("DAY-01", field, text, "A day such as 24/11/2026", message)])


def _why_no_day(text: str) -> str:
    """What is wrong with a text that is no day, and what to write."""
    match = _YEAR_LAST.fullmatch(text)
    parts = (match[4], match[3], match[1]) if match else None
    if parts is None and (match := _YEAR_FIRST.fullmatch(text)):
        parts = (match[1], match[3], match[4])
    if parts is not None:
        year, month, day = map(int, parts)
        if not FIRST_YEAR <= year <= LAST_YEAR:
            return f"The year must be between {FIRST_YEAR} and {LAST_YEAR}."
        if 1 <= month <= _LAST_MONTH and day > 0:
            return f"{month_name[month]} {year} has {monthrange(year, month)[1]} days."
    return "Write the day, the month and the year, such as 24/11/2026."


def first_part(text: str) -> str | None:
    """First part, day or month, of a date such as 31/01/2025 of which one part can be no month; None for any other."""
    match = _YEAR_LAST.fullmatch(text.strip()) if len(text) <= LONGEST_DATE else None
    if match is None:
        return None
    left, right = int(match[1]), int(match[3])
    if left > _LAST_MONTH >= right:
        return DAY_FIRST
    return MONTH_FIRST if right > _LAST_MONTH >= left else None


def could_be_two(text: str) -> bool:
    """Tell whether a text is a date such as 05/06/2025, which is another day with the month first."""
    match = _YEAR_LAST.fullmatch(text.strip()) if len(text) <= LONGEST_DATE else None
    if match is None:
        return False
    left, right = int(match[1]), int(match[3])
    return left != right and 1 <= left <= _LAST_MONTH and 1 <= right <= _LAST_MONTH


def _written(year: str, month: str, day: str) -> str | None:
    if not FIRST_YEAR <= int(year) <= LAST_YEAR:
        return None
    try:
        return date(int(year), int(month), int(day)).isoformat()
    except ValueError:
        return None
