"""Spellings of the columns of a file: decimal marks, units and the order of dates, found in headings and in all cells.

What is read otherwise than it stands is told of the file as a whole before it is confirmed: column, count, an example.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import polars as pl

from services.assets.bulk.pipeline.cell_spelling import stands_for_nothing
from services.assets.bulk.upload.column_mapping import ASSET_ID, VERSION
from services.assets.files.formats import FileNotice, TextTable
from services.assets.rules import dates, numbers
from services.assets.rules.numbers import convert, decimal_mark, find_unit, heading_unit
from services.assets.rules.prepare import AssetReference
from services.assets.rules.schemas import ATTRIBUTES_TERM, CORE
from services.assets.rules.spelling import ColumnSpelling, number_kind, spell_column, unit_of
from services.core.text import normal_column, plain_column

MOST_LOOKED_AT = 20_000
"""Different cells of a column that are looked at for what they show."""
LONGEST_EXAMPLE, EXAMPLES = 40, 3
_DATES = r"^\s*[0-9]{1,2}[-/. ][0-9]{1,2}[-/. ][0-9]{4}"


@dataclass(frozen=True, slots=True)
class DateOrder:
    """First part, day or month, of dates that could be two: as said of this file, and of the organisation's last one."""

    stated: str | None = None
    remembered: str | None = None


UNSTATED = DateOrder()


@dataclass(frozen=True, slots=True)
class DateQuestion:
    """Question which part of a file's dates is the day: how many cells could be two dates, an example, the last answer."""

    cells: int
    example: str
    remembered: str | None

    def read_as(self, order: str) -> date | None:
        """The example as it is read with the day or the month first."""
        plain = dates.plain_date(self.example, order)
        return date.fromisoformat(plain) if plain else None


def find_date_question(
    table: TextTable, columns: Mapping[int, str], reference: AssetReference, remembered: str | None
) -> DateQuestion | None:
    """The question that the dates of a file raise, where its cells don't settle it; None where they do."""
    cells = {term: table.frame[f"c{place}"] for place, term in columns.items() if _is_date(term, reference)}
    firsts = _shown_by_columns(cells, list(cells), _DATES, dates.first_part)
    count, example = 0, ""
    for term, column in cells.items():
        if _settle_first(firsts[term], firsts, UNSTATED) in (None, dates.MIXED):
            texts = plain_column(normal_column(column)).str.strip_chars()
            doubtful = texts.filter(texts.str.contains(_DATES).fill_null(False))
            doubtful = doubtful.filter(pl.Series([dates.could_be_two(text) for text in doubtful], dtype=pl.Boolean))
            count += len(doubtful)
            example = example or (doubtful[0] if len(doubtful) else "")
    return DateQuestion(count, example, remembered) if count else None


def find_spellings(
    table: TextTable, columns: Mapping[int, str], reference: AssetReference, order: DateOrder = UNSTATED
) -> dict[str, ColumnSpelling]:
    """The spelling of each column that is read by term, where it says anything that a cell alone doesn't."""
    cells = {term: table.frame[f"c{place}"] for place, term in columns.items()}
    of_numbers = [term for term in cells if number_kind(term, reference)]
    of_dates = [term for term in cells if _is_date(term, reference)]
    marks = _shown_by_columns(cells, of_numbers, r"[.,']", decimal_mark) if _any(cells, of_numbers, ",") else {}
    firsts = _shown_by_columns(cells, of_dates, _DATES, dates.first_part)
    spellings: dict[str, ColumnSpelling] = {}
    for place, term in columns.items():
        unit = heading_unit(table.headings[place])[1] if term in of_numbers else ""
        target = unit_of(term, reference)
        differs = unit.lower() != target.lower() and find_unit(target) is not None
        spelling = ColumnSpelling(
            _settle_mark(marks[term], marks) if term in marks else None,
            unit if unit and differs else "",
            _settle_first(firsts[term], firsts, order) if term in firsts else None,
        )
        if spelling != ColumnSpelling():
            spellings[term] = spelling
    return spellings


def _is_date(term: str, reference: AssetReference) -> bool:
    if term in CORE:
        return CORE[term].kind == "date"
    return reference.properties.get(term, {}).get("format") == "date"


def _any(cells: Mapping[str, pl.Series], terms: Iterable[str], text: str) -> bool:
    return any(plain_column(cells[term]).str.contains(text, literal=True).any() for term in terms)


def _shown_by_columns(
    cells: Mapping[str, pl.Series], terms: Sequence[str], pattern: str, show: Callable[[str], str | None]
) -> dict[str, set[str]]:
    """Signs that the cells of each column show without doubt."""
    shown: dict[str, set[str]] = {}
    for term in terms:
        column = plain_column(normal_column(cells[term]))
        texts = column.filter(column.str.contains(pattern).fill_null(False)).unique().head(MOST_LOOKED_AT)
        shown[term] = {sign for text in texts if (sign := show(text)) is not None}
    return shown


def _settle_mark(own: set[str], shown: Mapping[str, set[str]]) -> str | None:
    """The decimal mark of a column: its own. Where it shows none beside others with commas, nobody knows."""
    if len(own) > 1 or (not own and any(numbers.COMMA in others for others in shown.values())):
        return numbers.MIXED
    return next(iter(own), None)


def _settle_first(own: set[str], shown: Mapping[str, set[str]], order: DateOrder) -> str | None:
    """The first part of a column's dates: its own, else as said of the file, else the one that all its columns agree on."""
    if len(own) == 1:
        return next(iter(own))
    if order.stated:
        return order.stated
    parts = own or {part for others in shown.values() for part in others}
    if len(parts) == 1:
        return next(iter(parts))
    return order.remembered or (dates.MIXED if parts else None)


def date_notice(question: DateQuestion) -> FileNotice:
    """Notice of dates that nobody can read for sure, and how to say which part is the day."""
    subject = "1 date could be two" if question.cells == 1 else f"{question.cells:,} dates could be two"
    return FileNotice(
        "CELL-07",
        f"{subject} days, such as {question.example[:LONGEST_EXAMPLE]}. Say what stands first, day or month; until then their "
        "rows are refused.",
    )


def spelling_notices(
    table: TextTable,
    columns: Mapping[int, str],
    spellings: Mapping[str, ColumnSpelling],
    reference: AssetReference,
) -> Iterator[FileNotice]:
    """Notices of what is read otherwise than it stands, column by column."""
    for place, term in columns.items():
        if term in (ASSET_ID, VERSION, ATTRIBUTES_TERM, "Aliases"):
            continue
        heading = f"“{table.headings[place][:LONGEST_EXAMPLE]}”"
        column = normal_column(table.frame[f"c{place}"])
        nothing = stands_for_nothing(term, column, reference)
        if nothing.any():
            texts = column.filter(nothing)
            words = f"{heading}: {_cells(len(texts))} for no value ({_examples(texts)}) and {_are(len(texts))} read as empty."
            yield FileNotice("CELL-01", words)
        spelling = spellings.get(term, ColumnSpelling())
        if number_kind(term, reference) is not None:
            yield from _number_notices(heading, term, column.filter(~nothing), spelling, reference)
        elif _is_date(term, reference):
            yield from _date_notices(heading, term, column.filter(~nothing), spelling, reference)


def _cells(count: int) -> str:
    return "1 cell stands" if count == 1 else f"{count:,} cells stand"


def _are(count: int) -> str:
    return "is" if count == 1 else "are"


def _examples(texts: pl.Series) -> str:
    return ", ".join(text[:LONGEST_EXAMPLE] for text in texts.unique(maintain_order=True).head(EXAMPLES))


def _number_notices(
    heading: str, term: str, column: pl.Series, spelling: ColumnSpelling, reference: AssetReference
) -> Iterator[FileNotice]:
    target = unit_of(term, reference)
    column = column.filter(column.str.contains(r"\S").fill_null(False)).str.strip_chars()
    spelled = spell_column(term, column, reference, spelling)
    if spelling.unit:
        unit = find_unit(spelling.unit)
        name = unit.name if unit else spelling.unit
        if convert("1", spelling.unit, target) is None:
            yield FileNotice("CELL-03", f"{heading} is in {name}, which can't be converted to {target}.")
            return
        words = f"{heading} is in {name}: its values are converted to {target}"
        yield FileNotice("CELL-02", f"{words}{_change(column, spelled)}.")
        return
    changed = (column != spelled).fill_null(False)
    if not changed.any():
        return
    column, spelled = column.filter(changed), spelled.filter(changed)
    value, spelled_value = column.cast(pl.Float64, strict=False), spelled.cast(pl.Float64, strict=False)
    rounded = (value.is_not_null() & (value != spelled_value)).fill_null(False)
    if rounded.any():
        count = int(rounded.sum())
        words = f"{heading}: {count:,} {'value is' if count == 1 else 'values are'} rounded"
        yield FileNotice("CELL-04", f"{words}{_change(column.filter(rounded), spelled.filter(rounded))}.")
    respelled = value.is_null() & spelled_value.is_not_null()
    if respelled.any():
        count = int(respelled.sum())
        words = f"{heading}: {count:,} {'number is' if count == 1 else 'numbers are'} read from another spelling"
        yield FileNotice("CELL-05", f"{words}{_change(column.filter(respelled), spelled.filter(respelled))}.")


def _date_notices(
    heading: str, term: str, column: pl.Series, spelling: ColumnSpelling, reference: AssetReference
) -> Iterator[FileNotice]:
    column = column.filter(column.str.contains(_DATES).fill_null(False)).str.strip_chars()
    spelled = spell_column(term, column, reference, spelling)
    changed = (column != spelled).fill_null(False)
    if changed.any():
        count = int(changed.sum())
        order = "month" if spelling.first == dates.MONTH_FIRST else "day"
        words = f"{heading}: {count:,} {'date is' if count == 1 else 'dates are'} read with the {order} first"
        yield FileNotice("CELL-06", f"{words}{_change(column.filter(changed), spelled.filter(changed))}.")


def _change(column: pl.Series, spelled: pl.Series) -> str:
    """An example: the first cell that is read otherwise."""
    return f": {column[0][:LONGEST_EXAMPLE]} is read as {spelled[0][:LONGEST_EXAMPLE]}" if len(column) else ""
