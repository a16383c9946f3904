"""Rows that say nothing new of the assets they speak of, found for a run of rows at once and without an object for each.

What says the same is settled cell by cell (`cells.says_the_same`); here whole columns are asked. Where a column can't tell
for sure, the row counts as one that says something: then it is looked at singly, and nothing is lost but time.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any
from uuid import UUID

import polars as pl
from sqlalchemy import ColumnElement, String, Uuid, any_, literal, type_coerce
from sqlalchemy.dialects.postgresql import ARRAY
from sqlmodel import col

from models.assets import ENDED_STATUSES, Asset
from services.assets.bulk.cells import says_the_same
from services.assets.bulk.columns import ASSET_ID, VERSION
from services.assets.bulk.export_rows import as_held, told_apart
from services.assets.reading import REGISTER_COLUMNS
from services.assets.recording import INPUT_ONLY, STORED_TERMS
from services.assets.rules_prepare import KILOWATTS, POWER_PATTERN
from services.assets.schemas import ATTRIBUTES_TERM, CORE
from services.core.database import is_sqlite
from services.core.listed import among

DERIVED = "derived"
STANDING: dict[str, str] = {
    ASSET_ID: "id",
    "Status": "status",
    "SchemaVersion": "schema_version",
    DERIVED: "derived_terms",
    **STORED_TERMS,
}
"""Name -> column of what is held against rows."""
GIVEN = "given:"
"""Before the name of a term: the column of its cells."""
SHORT_NUMBER = r"^-?[0-9]{1,3}(\.[0-9]{1,12})?$"
"""So few digits that two such numbers are the same float only where they are the same number."""


@dataclass(frozen=True, slots=True)
class Standing:
    """What is told of an asset that a row leaves as it is."""

    id: UUID
    asset_name: str
    asset_category: str
    rated_capacity: Decimal
    latitude: float | None
    longitude: float | None


@dataclass(frozen=True, slots=True)
class Unchanged:
    """A row that says nothing new: a `changes.Change` that changes nothing, with nothing found."""

    asset: Standing
    checked: None = None
    changes: Mapping[str, tuple[Any, Any]] = field(default_factory=dict)


def standing(ids: Sequence[UUID]) -> pl.DataFrame:
    """The assets as they stand (`STANDING`, values as in `export_rows.batches`): a row for each identifier, in their order.

    Nothing but the identifier where there is no such asset. Inside an operation.
    """
    wanted = pl.DataFrame({ASSET_ID: [str(one) for one in ids]}, schema={ASSET_ID: pl.String})
    found = list(as_held(STANDING, _one_of(sorted(set(ids)))))
    if not found:
        return wanted.with_columns(pl.lit(None).alias(name) for name in STANDING if name != ASSET_ID)
    return wanted.join(pl.concat(found), on=ASSET_ID, how="left", maintain_order="left")


def _one_of(ids: Sequence[UUID]) -> ColumnElement[bool]:
    if is_sqlite():
        return among(type_coerce(col(Asset.id), String), (one.hex for one in ids))
    return col(Asset.id) == any_(literal(list(ids), ARRAY(Uuid)))


def unchanged(cells: pl.DataFrame, ids: Sequence[UUID]) -> list[Unchanged | None]:
    """For each row, which speaks of the asset beside it: that it leaves it as it is, or None where that isn't sure.

    Cells by term: null was not given, blank clears. Inside an operation.
    """
    stands = standing(ids)
    given = [name for name in cells.columns if name not in (ASSET_ID, VERSION)]
    rows = stands.hstack(cells.select(pl.col(name).alias(GIVEN + name) for name in given))
    core = [name for name in given if name in CORE]
    own = [name for name in given if name not in CORE]
    open_to_change = pl.col("Status").is_in([str(one) for one in ENDED_STATUSES]).not_().fill_null(False)
    judged = rows.select(same=pl.all_horizontal(open_to_change, *(_says_the_same(name) for name in core)))
    same = judged["same"] & _lists_say_the_same(rows, core) & _attributes_say_the_same(rows, own)
    told = stands.select(
        "AssetName", "AssetCategory", pl.col("RatedCapacity").cast(KILOWATTS) / 100, "Latitude", "Longitude"
    )
    pairs = zip(same, ids, told.iter_rows(), strict=True)
    return [Unchanged(Standing(asset_id, *one)) if is_same else None for is_same, asset_id, one in pairs]


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


def _lists_say_the_same(rows: pl.DataFrame, core: Sequence[str]) -> pl.Series:
    """Whether cells that hold aliases say what stands; blank ones were judged before."""
    same = pl.repeat(True, rows.height, dtype=pl.Boolean, eager=True)
    for term in (name for name in core if CORE[name].kind == "aliases"):
        places, decoded = told_apart(rows[term])
        pairs = zip(rows[GIVEN + term], places, strict=True)
        same &= pl.Series(
            [not (cell or "").strip() or says_the_same(term, decoded[place], cell, ()) for cell, place in pairs],
            dtype=pl.Boolean,
        )
    return same


def _attributes_say_the_same(rows: pl.DataFrame, own: Sequence[str]) -> pl.Series:
    """Whether cells of the attributes of a category say what stands, each combination of them asked once."""
    places, decoded = told_apart(rows[ATTRIBUTES_TERM])
    # An attribute of the name of another term stands before it: such assets are looked at singly.
    clear = [not ({*CORE, *REGISTER_COLUMNS} & one.keys()) for one in decoded]
    known: dict[tuple[object, ...], bool] = {}
    same: list[bool] = []
    cells = rows.select(GIVEN + name for name in own).iter_rows() if own else ((),) * rows.height
    for place, given in zip(places, cells, strict=True):
        key = (place, *given)
        if key not in known:
            known[key] = clear[place] and _one_says_the_same(decoded[place], dict(zip(own, given, strict=True)))
        same.append(known[key])
    return pl.Series(same, dtype=pl.Boolean)


def _one_says_the_same(stands: Mapping[str, Any], given: Mapping[str, str | None]) -> bool:
    for term, cell in given.items():
        if cell is None:
            continue
        if term == ATTRIBUTES_TERM:
            held: object = stands
        elif term in STANDING or term in REGISTER_COLUMNS:
            return False
        else:
            held = stands.get(term)
        if not says_the_same(term, held, cell, ()):
            return False
    return True
