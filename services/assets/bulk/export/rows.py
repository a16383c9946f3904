"""Assets on their way out: read as the database holds them, some thousand at a time, without an object for each (UC-02.04)."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import msgspec
import polars as pl
from sqlalchemy import (
    JSON,
    Boolean,
    ColumnElement,
    Date,
    Double,
    Float,
    Integer,
    String,
    Text,
    Uuid,
    cast,
    func,
    literal,
    select,
    type_coerce,
)
from sqlmodel import col

from models.assets import Asset
from models.base import Kilowatts, UtcDateTime
from services.assets.filters import AssetFilters, condition
from services.assets.registration.record import REGISTER_COLUMNS, STORED_TERMS
from services.assets.rules.schemas import ATTRIBUTES_TERM
from services.core.identity.actor import Actor
from services.core.identity.visibility import visible
from services.core.transaction import current_connection

BATCH = 4_000
CORE: dict[str, str] = {**REGISTER_COLUMNS, **{t: c for t, c in STORED_TERMS.items() if t != ATTRIBUTES_TERM}}
"""Term -> column of what every asset has, in the order of the headings."""
_KINDS: dict[str, Any] = {term: getattr(Asset, column).type for term, column in CORE.items()}
POWERS = tuple(term for term, kind in _KINDS.items() if isinstance(kind, Kilowatts))
MOMENTS = tuple(term for term, kind in _KINDS.items() if isinstance(kind, UtcDateTime))
DATES = tuple(term for term, kind in _KINDS.items() if isinstance(kind, Date))
LISTS = tuple(term for term, kind in _KINDS.items() if isinstance(kind, JSON))
_FLAGS = tuple(term for term, kind in _KINDS.items() if isinstance(kind, Boolean))
ATTRIBUTES = ATTRIBUTES_TERM
"""The last column of a batch: the attributes of the category as JSON."""
_WANTED = {**CORE, ATTRIBUTES: STORED_TERMS[ATTRIBUTES_TERM]}
Batches = Iterator[pl.DataFrame]
Told = Callable[[int], None]
_decode = msgspec.json.decode


def batches(actor: Actor, filters: AssetFilters, tell: Told | None = None) -> Batches:
    """The assets that the actor may see and that pass the filters, by registration, as they stand at one moment.

    A column for each term of `CORE`, and `ATTRIBUTES`. Powers are whole hundredths of a kW, moments and dates ISO 8601,
    lists and attributes JSON. `tell` is told how many there were after each batch. Inside an operation.
    """
    count = 0
    for frame in read_held(_WANTED, visible(Asset, actor), *condition(filters), by_registration=True):
        count += frame.height
        yield frame
        if tell is not None:
            tell(count)


def read_held(names: Mapping[str, str], *conditions: ColumnElement[bool], by_registration: bool = False) -> Batches:
    """The assets of some conditions, in order if asked: a column for each name of `wanted`, of the column that it stands for.

    Values are as in `batches`. Whether somebody may see them is for the caller to say. Inside an operation.
    """
    connection = current_connection()
    sqlite = connection.dialect.name == "sqlite"
    kinds: dict[str, Any] = {name: getattr(Asset, column).type for name, column in names.items()}
    columns = [_read_held(col(getattr(Asset, column)), sqlite).label(name) for name, column in names.items()]
    query = select(*columns).where(*conditions)
    query = query.order_by(col(Asset.id)) if by_registration else query
    result = connection.execute(query, execution_options={"yield_per": BATCH})
    shaped = [_format_identifiers(name) for name, kind in kinds.items() if sqlite and isinstance(kind, Uuid)]
    shaped += [_moment(name) for name, kind in kinds.items() if isinstance(kind, UtcDateTime)]
    shaped += [pl.col(name).cast(pl.Boolean) for name, kind in kinds.items() if isinstance(kind, Boolean)]
    for rows in result.partitions():
        values = zip(kinds.items(), zip(*rows, strict=True), strict=True)
        frame = pl.DataFrame(
            [pl.Series(name, column_values, dtype=_held_type(kind)) for (name, kind), column_values in values]
        )
        yield frame.with_columns(shaped)


def empty_batch() -> pl.DataFrame:
    """A batch of no assets."""
    kinds = {term: pl.Boolean if term in _FLAGS else _held_type(_KINDS.get(term)) for term in [*CORE, ATTRIBUTES]}
    return pl.DataFrame(schema=kinds)


def _read_held(column: Any, sqlite: bool) -> ColumnElement[Any]:
    """A column as the database holds it, in text or numbers: no Python object is made of a date, a power or an identifier."""
    kind = column.type
    if isinstance(kind, Kilowatts):
        return type_coerce(column, Integer)
    if isinstance(kind, Boolean):
        return type_coerce(column, Integer) if sqlite else cast(column, Integer)
    if isinstance(kind, Integer | Float):
        return column
    if sqlite or isinstance(kind, String):
        return type_coerce(column, String)
    if isinstance(kind, UtcDateTime):
        return func.to_char(func.timezone(literal("UTC"), column), "YYYY-MM-DD HH24:MI:SS.US", type_=String())
    return cast(column, Text)


def _held_type(kind: Any) -> Any:
    if isinstance(kind, Kilowatts | Boolean | Integer):
        return pl.Int64
    return pl.Float64 if isinstance(kind, Float | Double) else pl.String


def _format_identifiers(term: str) -> pl.Expr:
    """The 32 digits of an identifier as people write it."""
    digits, ends = pl.col(term), ((0, 8), (8, 4), (12, 4), (16, 4), (20, 12))
    return pl.concat_str([digits.str.slice(start, size) for start, size in ends], separator="-").alias(term)


def _moment(term: str) -> pl.Expr:
    """``2026-01-31 12:00:00.000000``, which is UTC, as ISO 8601 with its zone, without a fraction of nought."""
    held = pl.col(term)
    clock = held.str.slice(11).str.strip_suffix(".000000")
    return pl.concat_str([held.str.slice(0, 10), clock], separator="T").add("+00:00").alias(term)


def power_text(term: str) -> pl.Expr:
    """Hundredths of a kW as kW with two decimals."""
    held = pl.col(term)
    whole, rest = (held // 100).cast(pl.String), (held % 100).cast(pl.String).str.zfill(2)
    return pl.concat_str([whole, rest], separator=".").alias(term)


def decode_distinct(texts: pl.Series) -> tuple[list[int], list[Any]]:
    """JSON texts decoded, each different one once: for every row the place of its value, and the values.

    Portfolios hold many devices of few types: most of their attributes are the same.
    """
    places: dict[str | None, int] = {}
    rows = [places.setdefault(text, len(places)) for text in texts]
    return rows, [{} if text is None else _decode(text) for text in places]
