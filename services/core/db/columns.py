"""Many rows column by column: what is the same for all stands once, and equal values are worked on once."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime
from itertools import repeat
from operator import itemgetter
from typing import Any, NamedTuple
from uuid import UUID

import polars as pl


class Same(NamedTuple):
    """A column in which every row has this one value."""

    value: Any


class Json(NamedTuple):
    """A column of JSON values, each as `canonical` writes it."""

    texts: Sequence[str]


class Ids(NamedTuple):
    """A column of identifiers as text, as `str` of a UUID writes it: objects would be made only to be written."""

    texts: Sequence[str]


Column = Same | Json | Ids | Sequence[Any] | pl.Series
"""A series holds decimal numbers or the database driver's own values; the others those of the model."""
Columns = Mapping[str, Column]
_WRITTEN: dict[type, Callable[[Any], str]] = {UUID: str, datetime: datetime.isoformat, date: date.isoformat}
"""How values are written as text that aren't text, numbers or truth values."""


def as_columns(rows: Sequence[Mapping[str, Any]]) -> dict[str, Column]:
    """Rows of the same names as columns. Raises ValueError where a row lacks or adds a name."""
    names = rows[0].keys() if rows else ()
    if odd := next((row.keys() ^ names for row in rows if row.keys() != names), None):
        raise ValueError(f"A row lacks or adds {', '.join(sorted(odd))}.")
    return {name: [row[name] for row in rows] for name in names}


def values_of(column: Column, count: int) -> Iterable[Any]:
    """The values of a column, one for each of `count` rows."""
    match column:
        case Same():
            return repeat(column.value, count)
        case Json():
            return map(json.loads, column.texts)
        case Ids():
            return map(UUID, column.texts)
        case pl.Series():
            return column.to_list()
        case _:
            return column


def first_of(column: Sequence[Any]) -> Any:
    """The first value of a column that isn't empty: all values of a column are of its kind."""
    return next((value for value in column if value is not None), None)


def each(column: Column, make: Callable[[Any], Any]) -> Same | Sequence[Any]:
    """A column with something made of each value; of equal values once. `make` must not look at anything else."""
    if isinstance(column, Same):
        return Same(make(column.value))
    column = list(values_of(column, 0)) if isinstance(column, pl.Series | Json | Ids) else column
    kind = type(first_of(column))
    if kind is UUID or kind is float:
        # Hardly any two are equal, and remembering what became of each would cost more than working it out.
        return [make(value) for value in column]
    if kind is list or kind is dict:
        # Known by being the very same one: nobody changes it while it is written.
        by_identity = {id(value): value for value in column}
        made = {key: make(value) for key, value in by_identity.items()}
        return [made[id(value)] for value in column]
    made = {value: make(value) for value in set(column)}
    return [made[value] for value in column]


def picked(column: Column, places: Sequence[int]) -> Column:
    """The values of a column at these places, of which there is at least one."""
    if isinstance(column, Same):
        return column
    if isinstance(column, Json | Ids):
        return type(column)([column.texts[place] for place in places])
    column = column.to_list() if isinstance(column, pl.Series) else column
    return list(itemgetter(*places)(column)) if len(places) > 1 else [column[places[0]]]


def joined(parts: Sequence[tuple[Column, int]]) -> Column:
    """One column out of parts, each with the number of its rows; there is at least one."""
    if len(parts) == 1:
        return parts[0][0]
    if all(isinstance(column, Ids) for column, _count in parts):
        return Ids([text for column, _count in parts for text in column.texts])
    return [value for column, count in parts for value in values_of(column, count)]


def hundredths_of(numbers: pl.Series) -> pl.Series:
    """Decimal numbers as whole hundredths: power as it is stored (`models.base.Kilowatts`)."""
    return (numbers * 100).cast(pl.Int64)


def written(column: Json | Ids | Sequence[Any] | pl.Series) -> pl.Series:
    """A column's values as numbers, truth values or text. KeyError for those of another kind."""
    match column:
        case Json() | Ids():
            return pl.Series(column.texts, dtype=pl.String)
        case pl.Series():
            return column
    kind = type(first_of(column))
    if issubclass(kind, str | int | float):
        return pl.Series(column)
    if kind is type(None):
        return pl.Series(column, dtype=pl.String)
    write = _WRITTEN[kind]
    return pl.Series([None if value is None else write(value) for value in column], dtype=pl.String)
