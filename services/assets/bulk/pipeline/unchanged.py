"""Rows that say nothing new of the assets they speak of, found for a run of rows at once (UC-02.03, bulk).

What says the same is settled cell by cell (`cells.says_the_same`); here whole columns are asked. Where a column can't tell
for sure, the row counts as one that says something: then it is looked at singly, and nothing is lost but time.
"""

import json
from collections.abc import Collection, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any
from uuid import UUID

import polars as pl

from models.assets import ENDED_STATUSES
from services.assets.bulk.export.rows import told_apart
from services.assets.bulk.files.formats import as_text
from services.assets.bulk.pipeline.asset_snapshot import DERIVED, STANDING, Unchanged, left_as_they_are, standing
from services.assets.bulk.pipeline.equivalent_values import GIVEN, reads_the_same
from services.assets.bulk.upload.column_mapping import ASSET_ID, VERSION
from services.assets.registration.record import INPUT_ONLY, REGISTER_COLUMNS
from services.assets.rules.prepare import KILOWATTS, POWER_PATTERN
from services.assets.rules.schemas import ATTRIBUTES_TERM, CORE
from services.core.attributes import text_of

SHORT_NUMBER = r"^-?[0-9]{1,3}(\.[0-9]{1,12})?$"
"""So few digits that two such numbers are the same float only where they are the same number."""
_OPEN = pl.col("Status").is_in([str(one) for one in ENDED_STATUSES]).not_().fill_null(False)


def unchanged(cells: pl.DataFrame, ids: Sequence[UUID]) -> list[Unchanged | None]:
    """For each row, which speaks of the asset beside it: that it leaves it as it is, or None where that isn't sure.

    Cells by term: null was not given, blank clears. Inside an operation.
    """
    stands = standing(ids)
    if stands is None:
        return [None] * len(ids)
    given = [name for name in cells.columns if name not in (ASSET_ID, VERSION)]
    rows = stands.hstack(cells.select(pl.col(name).alias(GIVEN + name) for name in given))
    core = [name for name in given if name in CORE]
    own_same, attributes = _attributes(rows, [name for name in given if name not in CORE])
    alike = rows.select(ASSET_ID, *(_says_the_same(name).alias(name) for name in core))
    alike = alike.with_columns(
        alike[name] & _list_says_the_same(rows, name) for name in core if CORE[name].kind == "aliases"
    )
    is_open = rows.select(x=_OPEN)["x"]
    same = is_open & own_same
    for name in core:
        same &= alike[name]
    # A moved date is judged by what is the date now: that is left to the row by itself.
    doubtful = is_open & ~same & attributes.is_not_null()
    doubtful &= alike["EffectiveDate"] if "EffectiveDate" in core else True
    if doubtful.any():
        found = reads_the_same(rows.filter(doubtful), alike.filter(doubtful), attributes.filter(doubtful))
        same = same.scatter(doubtful.arg_true(), found)
    return left_as_they_are(stands, ids, same)


def _says_the_same(term: str) -> pl.Expr:
    """Whether the cells of a core attribute say what stands; of one that is a list, whether both are empty or neither."""
    cell, stands, kind = pl.col(GIVEN + term), pl.col(term), CORE[term].kind
    text = cell.str.strip_chars()
    if term in INPUT_ONLY:
        return cell.is_null() | (text == "")
    nothing = stands.is_null() | pl.col(DERIVED).str.contains(f'"{term}"', literal=True)
    if kind == "power":
        number = pl.when(text.str.contains(POWER_PATTERN)).then(text).cast(KILOWATTS, strict=False)
        equal = (number * 100).cast(pl.Int64) == stands
    elif kind == "degrees":
        equal = pl.when(text.str.contains(SHORT_NUMBER)).then(text).cast(pl.Float64, strict=False) == stands
    elif kind == "boolean":
        equal = text.str.to_lowercase() == pl.when(stands).then(pl.lit("true")).otherwise(pl.lit("false"))
    elif kind == "aliases":
        nothing = nothing | (stands == "[]")
        equal = stands != "[]"
    else:
        nothing = nothing | (stands == "")
        equal = text == stands
    return cell.is_null() | pl.when(text == "").then(nothing).otherwise(equal).fill_null(False)


def _list_says_the_same(rows: pl.DataFrame, term: str) -> pl.Series:
    """Whether cells that hold a list say what stands; blank ones are judged by `_says_the_same`."""
    places, decoded = told_apart(rows[term])
    pairs = zip(rows[GIVEN + term].to_list(), places, strict=True)
    same = [not (cell or "").strip() or says_the_same(term, decoded[at], cell, ()) for cell, at in pairs]
    return pl.Series(term, same, dtype=pl.Boolean)


def _attributes(rows: pl.DataFrame, own: Sequence[str]) -> tuple[pl.Series, pl.Series]:
    """Whether the cells of the attributes of a category say what stands, and the attributes as they would be, as JSON.

    Null where a row has to be looked at singly. Each combination of what stands and what is given is asked once.
    """
    places, decoded = told_apart(rows[ATTRIBUTES_TERM])
    known: dict[tuple[object, ...], tuple[bool, str | None]] = {}
    found: list[tuple[bool, str | None]] = []
    cells = rows.select(GIVEN + name for name in own).rows() if own else ((),) * rows.height
    for place, given in zip(places, cells, strict=True):
        key = (place, *given)
        if key not in known:
            known[key] = _with_cells(decoded[place], dict(zip(own, given, strict=True)))
        found.append(known[key])
    same = pl.Series([one for one, _text in found], dtype=pl.Boolean)
    texts = pl.Series([text for _same, text in found], dtype=pl.String)
    return same, texts.zip_with(~same, rows[ATTRIBUTES_TERM])


def _with_cells(stands: Mapping[str, Any], given: Mapping[str, str | None]) -> tuple[bool, str | None]:
    """Whether the cells say what stands; if not, the attributes as they would be, unless a cell adds one."""
    if {*CORE, *REGISTER_COLUMNS} & stands.keys():
        # An attribute of the name of another term stands before it.
        return False, None
    said: dict[str, Any] = {}
    for term, cell in given.items():
        held = stands if term == ATTRIBUTES_TERM else stands.get(term)
        if cell is None or (held is None and not cell) or says_the_same(term, held, cell, ()):
            continue
        if term not in stands or term in STANDING:
            return False, None
        said[term] = cell
    return not said, json.dumps({**stands, **said}, ensure_ascii=False) if said else None


def says_the_same(term: str, stands: object, cell: str, derived: Collection[str]) -> bool:
    """Whether a cell says of an asset what `stands` there; `derived` has the terms that the register worked out.

    Of `ATTRIBUTES_TERM`, `stands` has all attributes of the category.
    """
    given = cell.strip()
    if term == ATTRIBUTES_TERM:
        return not given or _parsed(given) == stands
    if not given:
        # What the register worked out is worked out again when nothing is given.
        return stands in (None, "", []) or term in derived
    if stands is None or stands == []:
        return False
    if isinstance(stands, list):
        if given.startswith("[") and _parsed(given) == stands:
            return True
        return isinstance(stands[0], str) and given == as_text(stands)
    if isinstance(stands, bool):
        return given.lower() == str(stands).lower()
    if isinstance(stands, Decimal | float | int):
        return given == text_of(stands) or _number(given) == Decimal(str(stands))
    return given == text_of(stands)


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return None


def _number(text: str) -> Decimal | None:
    try:
        return Decimal(text)
    except InvalidOperation:
        return None
