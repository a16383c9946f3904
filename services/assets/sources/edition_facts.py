"""Edition facts in a public register's file: its date, its publisher, the licence areas that it covers."""

import re
from datetime import date

from models.sources import SourceKind
from services.assets.sources.reading import SourceReading
from services.core.errors import Finding, Invalid
from services.grid.distributors import distributor_by_dno

REPD_PUBLISHER = "Department for Energy Security and Net Zero"
LICENCES = {"UK Power Networks": "CC BY 4.0", REPD_PUBLISHER: "Open Government Licence v3.0"}
"""Under which licence a publisher gives its register, where that is known; others are entered when loading."""
_DATES = (
    re.compile(r"(?P<year>20\d\d)[-_. ]?(?P<month>0[1-9]|1[0-2])[-_. ]?(?P<day>0[1-9]|[12]\d|3[01])(?!\d)"),
    re.compile(r"(?P<year>20\d\d)[-_. ]?(?P<month>0[1-9]|1[0-2])(?!\d)"),
    re.compile(
        r"(?P<name>jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*[-_. ]?(?P<year>20\d\d)", re.IGNORECASE
    ),
)
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")


def edition_date_of(filename: str) -> date | None:
    """The date that a file's name tells: ``ecr-ukpn-2025-08.csv`` is 1 August 2025; None when it tells none."""
    for pattern in _DATES:
        if match := pattern.search(filename):
            parts = match.groupdict()
            month = int(parts["month"]) if "month" in parts else _MONTHS.index(parts["name"].lower()) + 1
            try:
                return date(int(parts["year"]), month, int(parts.get("day") or 1))
            except ValueError:
                continue
    return None


def areas_of(reading: SourceReading) -> list[str]:
    """The licence areas that its rows speak of, as DNO codes."""
    return sorted(reading.rows["dno_code"].drop_nulls().unique().to_list())


def publisher_of(reading: SourceReading) -> str:
    """The publisher of a register: the operator of most of its licence areas."""
    if reading.kind == SourceKind.REPD:
        return REPD_PUBLISHER
    areas = reading.rows["dno_code"].drop_nulls().value_counts(sort=True, name="rows")
    distributor = distributor_by_dno(areas["dno_code"][0]) if areas.height else None
    if distributor is None:
        expected = "The name of the distributor that publishes the register."
        message = "No row tells a licence area, so the publisher has to be named."
        raise Invalid([Finding("SOURCE-03", "publisher", None, expected, message)])
    return distributor.operator
