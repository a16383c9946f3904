"""Cells of lists: text as people read it, its exact value on hover, and for states a colour and a sign."""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from pages.components.common.power import exact_power, show_power
from services.core.clock import in_london, show_date, show_moment


@dataclass(frozen=True, slots=True)
class TableCell:
    """One value of a list: `text` as it is read, `exact` on hover, `raw` for files and for sorting."""

    text: str
    exact: str = ""
    colour: str = ""
    sign: str = ""
    raw: Any = None

    def as_json(self) -> Any:
        """The cell as the browser draws it: its text alone, where there is nothing else to it."""
        marks = {"x": self.exact, "c": self.colour, "s": self.sign}
        filled = {name: mark for name, mark in marks.items() if mark}
        return {"t": self.text, **filled} if filled else self.text


def text_cell(value: object) -> TableCell:
    """Any value in words; a dash for none."""
    return TableCell("–" if value in (None, "") else str(value), raw="" if value is None else str(value))


def count_cell(value: int | None) -> TableCell:
    """A number of something, thousands apart."""
    return TableCell("–" if value is None else f"{value:,}", raw=value)


def power_cell(kilowatts: Decimal | None) -> TableCell:
    """Power in kW by its size, with the exact kW on hover; files hold it in kW."""
    text, exact = show_power(kilowatts), exact_power(kilowatts)
    return TableCell(text, exact if exact != text else "", raw=kilowatts)


def date_cell(day: date | None) -> TableCell:
    """A date: ``1 Dec 2026``."""
    return TableCell(show_date(day), raw=day)


def moment_cell(moment: datetime | None) -> TableCell:
    """A moment in London: ``1 Dec 2026, 14:05``."""
    return TableCell(show_moment(moment), raw=in_london(moment) if moment else None)


def state_cell(label: str, style: tuple[str, str]) -> TableCell:
    """A state by its words, colour and sign."""
    colour, sign = style
    return TableCell(label, colour=colour, sign=sign, raw=label)
