"""The register's clock: UTC inside, Europe/London shown, working days by the England and Wales bank holidays."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from services.core.settings import settings

if TYPE_CHECKING:
    import holidays

LONDON = ZoneInfo("Europe/London")
_made_up: ContextVar[datetime | None] = ContextVar("fmar_made_up_moment", default=None)


def now() -> datetime:
    """This moment, aware, in UTC."""
    return _made_up.get() or datetime.now(UTC)


def today() -> date:
    """Today's date in Great Britain."""
    return now().astimezone(LONDON).date()


@contextmanager
def made_up_moment(moment: datetime) -> Iterator[None]:
    """Let the register take `moment` for now, in this thread only: how demo data come by a past of their own.

    Refused outside demo mode, so that no record of a live register ever bears another time than that of its writing.
    """
    if not settings().demo:
        raise RuntimeError("Only a demo can have a made-up past.")
    token = _made_up.set(moment.astimezone(UTC))
    try:
        yield
    finally:
        _made_up.reset(token)


def in_london(moment: datetime) -> datetime:
    """The same moment on a clock in London."""
    return moment.astimezone(LONDON)


def show_moment(moment: datetime | None) -> str:
    """A moment as people read it: ``24 Nov 2026, 14:05``; a dash when there is none."""
    return "–" if moment is None else f"{in_london(moment):%-d %b %Y}, {show_time(moment)}"


def show_time(moment: datetime) -> str:
    """The time of day in London: ``14:05``; with its offset in the hour that comes twice when the clocks go back."""
    local = in_london(moment)
    if not is_doubled(moment):
        return f"{local:%H:%M}"
    return f"{local:%H:%M %Z} ({local.isoformat()[-len('+00:00') :]})"


def is_doubled(moment: datetime) -> bool:
    """Tell whether a moment lies in the hour that comes twice when the clocks go back, in London."""
    local = in_london(moment)
    first, second = local.replace(fold=0).utcoffset(), local.replace(fold=1).utcoffset()
    return first is not None and second is not None and first > second


def show_period(begin: datetime, end: datetime) -> str:
    """From a moment to another, as people read it: ``7 Dec 2026, 16:00 to 20:00``; both with their day where these differ."""
    same = in_london(begin).date() == in_london(end).date()
    return f"{show_moment(begin)} to {show_time(end) if same else show_moment(end)}"


def show_date(day: date | None) -> str:
    """A date as people read it: ``24 Nov 2026``; a dash when there is none."""
    return "–" if day is None else f"{day:%-d %b %Y}"


@lru_cache(maxsize=1)
def _bank_holidays() -> "holidays.HolidayBase":
    # Here, because it loads the calendars of the whole world: as much time as a tenth of the program's start.
    import holidays

    return holidays.country_holidays("GB", subdiv="ENG")


def add_working_days(start: date, count: int) -> date:
    """The date `count` working days after `start` (before, when negative).

    Saturdays, Sundays and bank holidays don't count. Source: every time limit of the use cases.
    """
    return _bank_holidays().get_nth_working_day(start, count) if count else start


@lru_cache(maxsize=10_000)
def working_days_between(start: date, end: date) -> int:
    """The number of working days that lie after `start` up to and including `end`; 0 when `end` is not later."""
    days = (start + timedelta(days=offset) for offset in range(1, (end - start).days + 1))
    return sum(1 for day in days if _bank_holidays().is_working_day(day))


def working_days_ago(count: int) -> datetime:
    """The start, in UTC, of the day `count` working days before today: what is older has waited longer than that."""
    return start_of(add_working_days(today(), -count))


def start_of(day: date) -> datetime:
    """The first moment of a day in London, in UTC."""
    return datetime(day.year, day.month, day.day, tzinfo=LONDON).astimezone(UTC)
