"""Rows that say nothing new of the assets they speak of, found for a run of rows at once (UC-02.03, bulk).

Whole columns are held against the assets as they stand, of which there is no object for each: by text, then, for what is said
in other words (``yes`` for true, an MPAN with spaces, an option by its label), as the rules read it. Where that can't tell for
sure, the row counts as one that says something: then it is looked at singly, and nothing is lost but time.
"""

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from types import MappingProxyType
from typing import Any, NamedTuple
from uuid import UUID

import polars as pl
from sqlalchemy import ColumnElement, String, Uuid, any_, literal, type_coerce
from sqlalchemy.dialects.postgresql import ARRAY
from sqlmodel import col

from models.assets import Asset
from services.assets.bulk.export.rows import decode_distinct, power_text, read_held
from services.assets.bulk.pipeline.candidates import row_keys
from services.assets.bulk.upload.column_mapping import ASSET_ID, VERSION
from services.assets.files.formats import as_text
from services.assets.registration.duplicates import find_registered, find_taken_aliases, match_register
from services.assets.registration.record import IDENTITIES, INPUT_ONLY, REGISTER_COLUMNS, STORED_TERMS
from services.assets.registration.update import POSITION
from services.assets.rules.check import check_assets
from services.assets.rules.prepare import KILOWATTS, POWER_PATTERN
from services.assets.rules.reference import catalogue, rule_context
from services.assets.rules.schemas import ATTRIBUTES_TERM, CORE
from services.core.attributes import text_of
from services.core.db.engine import is_sqlite
from services.core.db.expressions import among
from services.core.errors import Severity
from services.core.text import NO_IDENTIFIER, NO_VALUE, identifies_nothing, normal_column, normal_text
from services.core.transaction import current_session

DERIVED = "derived"
"""The terms that the register worked out, as JSON."""
SNAPSHOT_COLUMNS: dict[str, str] = {
    ASSET_ID: "id",
    "Status": "status",
    "SchemaVersion": "schema_version",
    DERIVED: "derived_terms",
    **STORED_TERMS,
}
"""Name -> column of what is held against rows."""


_NOTHING: Mapping[str, tuple[Any, Any]] = MappingProxyType({})


class AssetSnapshot(NamedTuple):
    """Snapshot of an asset that a row leaves as it is."""

    id: UUID
    asset_name: str
    asset_category: str
    rated_capacity: Decimal
    latitude: float | None
    longitude: float | None


class Unchanged(NamedTuple):
    """A row that says nothing new: a `changes.Change` that changes nothing, with nothing found."""

    asset: AssetSnapshot
    checked: None = None
    changes: Mapping[str, tuple[Any, Any]] = _NOTHING


def read_snapshots(ids: Sequence[UUID]) -> pl.DataFrame | None:
    """Read assets as they stand (`SNAPSHOT_COLUMNS`, values as exported): a row for each identifier, in their order.

    Nothing but the identifier where there is no such asset; None where there is none at all. Inside an operation.
    """
    frames = list(read_held(SNAPSHOT_COLUMNS, _is_among(set(ids)))) if ids else []
    if not frames:
        return None
    ordered = pl.DataFrame({ASSET_ID: [str(asset_id) for asset_id in ids]})
    return ordered.join(pl.concat(frames), on=ASSET_ID, how="left", maintain_order="left")


def _is_among(ids: Collection[UUID]) -> ColumnElement[bool]:
    if is_sqlite():
        return among(type_coerce(col(Asset.id), String), (asset_id.hex for asset_id in ids))
    return col(Asset.id) == any_(literal(list(ids), ARRAY(Uuid)))


def unchanged_snapshots(stands: pl.DataFrame, ids: Sequence[UUID], same: pl.Series) -> list[Unchanged | None]:
    """Unchanged outcomes of the assets of `read_snapshots(ids)` where `same` holds."""
    rated = pl.col("RatedCapacity").cast(KILOWATTS) / 100
    snapshots = stands.select("AssetName", "AssetCategory", rated, "Latitude", "Longitude")
    pairs = zip(same.to_list(), ids, snapshots.rows(), strict=True)
    return [Unchanged(AssetSnapshot(asset_id, *snapshot)) if is_same else None for is_same, asset_id, snapshot in pairs]


SHORT_NUMBER = r"^-?[0-9]{1,3}(\.[0-9]{1,12})?$"
"""So few digits that two such numbers are the same float only where they are the same number."""
_TEXTS = [term for term in STORED_TERMS if term in CORE and CORE[term].kind in ("text", "long_text")]
_IS_THERE = pl.col("Status").is_not_null()


def find_unchanged(cells: pl.DataFrame, ids: Sequence[UUID]) -> list[Unchanged | None]:
    """For each row, which speaks of the asset beside it: that it leaves it as it is, or None where that isn't sure.

    Cells by term: null was not given, blank clears. Inside an operation.
    """
    stands = read_snapshots(ids)
    if stands is None:
        return [None] * len(ids)
    terms = [name for name in cells.columns if name not in (ASSET_ID, VERSION)]
    stands = stands.with_columns(normal_column(stands[name]) for name in _TEXTS)
    rows = stands.hstack(cells.select(pl.col(name).alias(GIVEN + name) for name in terms))
    core = [name for name in terms if name in CORE]
    own_same, attributes = _attributes(rows, [name for name in terms if name not in CORE])
    alike = rows.select(ASSET_ID, *(_is_same_value(name).alias(name) for name in core))
    alike = alike.with_columns(
        alike[name] & _list_says_the_same(rows, name) for name in core if CORE[name].kind == "aliases"
    )
    is_there = rows.select(x=_IS_THERE)["x"]
    same = is_there & own_same
    for name in core:
        same &= alike[name]
    # A moved date is judged by what is the date now: that is left to the row by itself.
    doubtful = is_there & ~same & attributes.is_not_null()
    doubtful &= alike["EffectiveDate"] if "EffectiveDate" in core else True
    if doubtful.any():
        equivalent = find_equivalent(rows.filter(doubtful), alike.filter(doubtful), attributes.filter(doubtful))
        same = same.scatter(doubtful.arg_true(), equivalent)
    return unchanged_snapshots(stands, ids, same)


def _is_same_value(term: str) -> pl.Expr:
    """Compare the cells of a core attribute with what stands; of one that is a list, only whether both are empty or neither."""
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
        silent = stands.str.contains(NO_VALUE.pattern) | stands.str.contains(NO_IDENTIFIER.pattern)
        nothing = nothing | (stands == "") | silent
        equal = text == stands
    return cell.is_null() | pl.when(text == "").then(nothing).otherwise(equal).fill_null(False)


def _list_says_the_same(rows: pl.DataFrame, term: str) -> pl.Series:
    """Compare cells that hold a list with what stands; blank ones are judged by `_is_same_value`."""
    places, decoded = decode_distinct(rows[term])
    pairs = zip(rows[GIVEN + term].to_list(), places, strict=True)
    same = [not (cell or "").strip() or is_same_value(term, decoded[at], cell, ()) for cell, at in pairs]
    return pl.Series(term, same, dtype=pl.Boolean)


def _attributes(rows: pl.DataFrame, own: Sequence[str]) -> tuple[pl.Series, pl.Series]:
    """Compare the cells of a category's attributes with what stands; also the attributes as they would be, as JSON.

    Null where a row has to be looked at singly. Each combination of what stands and what is given is asked once.
    """
    places, decoded = decode_distinct(rows[ATTRIBUTES_TERM])
    verdicts: dict[tuple[object, ...], tuple[bool, str | None]] = {}
    results: list[tuple[bool, str | None]] = []
    cells = rows.select(GIVEN + name for name in own).rows() if own else ((),) * rows.height
    for place, row_cells in zip(places, cells, strict=True):
        key = (place, *row_cells)
        if key not in verdicts:
            verdicts[key] = _with_cells(decoded[place], dict(zip(own, row_cells, strict=True)))
        results.append(verdicts[key])
    same = pl.Series([is_same for is_same, _text in results], dtype=pl.Boolean)
    texts = pl.Series([text for _same, text in results], dtype=pl.String)
    return same, texts.zip_with(~same, rows[ATTRIBUTES_TERM])


def _with_cells(stands: Mapping[str, Any], row_cells: Mapping[str, str | None]) -> tuple[bool, str | None]:
    """Compare cells with what stands; where they differ, the attributes as they would be, unless a cell adds one."""
    if {*CORE, *REGISTER_COLUMNS} & stands.keys():
        # An attribute of the name of another term stands before it.
        return False, None
    differing: dict[str, Any] = {}
    for term, cell in row_cells.items():
        held = stands if term == ATTRIBUTES_TERM else stands.get(term)
        if cell is None or (held is None and not cell) or is_same_value(term, held, cell, ()):
            continue
        if term not in stands or term in SNAPSHOT_COLUMNS:
            return False, None
        differing[term] = cell
    return not differing, json.dumps({**stands, **differing}, ensure_ascii=False) if differing else None


def is_same_value(term: str, stands: object, cell: str, derived: Collection[str]) -> bool:
    """Tell whether a cell says what `stands` in an asset; `derived` has the terms that the register worked out.

    Of `ATTRIBUTES_TERM`, `stands` has all attributes of the category.
    """
    text = cell.strip()
    if term == ATTRIBUTES_TERM:
        return not text or _parse_json(text) == stands
    if not text:
        # What the register worked out is worked out again when nothing is given.
        return stands in (None, "", []) or term in derived or (isinstance(stands, str) and identifies_nothing(stands))
    if stands is None or stands == []:
        return False
    if isinstance(stands, list):
        if text.startswith("[") and _parse_json(text) == stands:
            return True
        return isinstance(stands[0], str) and text == as_text(stands)
    if isinstance(stands, bool):
        return text.lower() == str(stands).lower()
    if isinstance(stands, Decimal | float | int):
        return text == text_of(stands) or _number(text) == Decimal(str(stands))
    return text in (text_of(stands), normal_text(str(stands)))


def _parse_json(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return None


def _number(text: str) -> Decimal | None:
    try:
        return Decimal(text)
    except InvalidOperation:
        return None


GIVEN = "given:"
"""Before the name of a term: the column of its cells."""
_BY_EASTINGS = (pl.col("PositionSource") == "eastings").fill_null(False)


def find_equivalent(rows: pl.DataFrame, alike: pl.DataFrame, attributes: pl.Series) -> pl.Series:
    """Find the rows that, read by the rules, leave their assets as they are, with nothing found.

    `rows` has assets as they stand (`SNAPSHOT_COLUMNS`) and cells (`GIVEN`); `alike` says of the core terms that are given
    whether the cell says what stands, `attributes` what those of the category would be. Inside an operation.
    """
    same = pl.Series([False], dtype=pl.Boolean).new_from_index(0, rows.height)
    proposed = rows.select(_as_handed_in(rows, alike)).with_columns(attributes.alias(ATTRIBUTES_TERM))
    kinds = (
        rows.select("AssetCategory", "SchemaVersion").with_row_index("at").group_by("AssetCategory", "SchemaVersion")
    )
    for _kind, group in kinds:
        at = group["at"]
        stands = rows.select(pl.all().gather(at))
        values, faulty = _judge_rows(stands, proposed.select(pl.all().gather(at)), alike.select(pl.all().gather(at)))
        nothing_found = ~pl.int_range(len(at), eager=True).is_in(faulty.implode())
        equal = nothing_found & _equal(values, stands)
        keys = row_keys(values)
        own_ids = list(map(UUID, stands[ASSET_ID]))
        matches = match_register(keys, own_ids, find_registered(keys), find_taken_aliases(keys))
        equal &= pl.Series([row not in matches.rows for row in range(len(at))], dtype=pl.Boolean)
        same = same.scatter(at, equal)
    return same


def _as_handed_in(rows: pl.DataFrame, alike: pl.DataFrame) -> Iterator[pl.Expr | pl.Series]:
    """Core terms as text, as `update.merged` has them: what is given anew, what was declared, nothing of what was derived."""

    def differs(*terms: str) -> pl.Expr:
        marks = [pl.lit(~alike[term]) for term in terms if term in alike.columns]
        return pl.any_horizontal(marks) if marks else pl.lit(False)

    moved = differs(*INPUT_ONLY) & ~differs(*POSITION)
    for term in CORE:
        derived = pl.col(DERIVED).str.contains(f'"{term}"', literal=True)
        stands = pl.lit(None, dtype=pl.String) if term in INPUT_ONLY else _as_text(rows, term)
        if term in POSITION:
            derived = (derived & ~_BY_EASTINGS) | moved
        declared = pl.when(~derived).then(stands)
        if term in alike.columns:
            declared = pl.when(differs(term)).then(pl.col(GIVEN + term)).otherwise(declared)
        yield declared.alias(term)


def _as_text(rows: pl.DataFrame, term: str) -> pl.Expr:
    """Text of what stands, as `text_of` writes it."""
    match CORE[term].kind:
        case "power":
            return power_text(term)
        case "degrees":
            return pl.lit(pl.Series([text_of(number) for number in rows[term].to_list()], dtype=pl.String))
        case "boolean":
            return pl.when(pl.col(term)).then(pl.lit("true")).otherwise(pl.lit("false"))
        case _:
            return pl.col(term)


def _judge_rows(stands: pl.DataFrame, proposed: pl.DataFrame, alike: pl.DataFrame) -> tuple[pl.DataFrame, pl.Series]:
    """The values that assets of one schema version would have, and the places of rows that can't be told from these.

    A warning is told beside a change only; one about a party says that its value isn't what it seems.
    """
    first = current_session().get_one(Asset, UUID(stands[ASSET_ID][0]))
    schemas = catalogue(first)
    checked = check_assets(proposed, rule_context(first, current=schemas))
    stood = {name: stands[name] for name in ("ServiceProviderId", "Latitude", "Longitude", "PositionSource")}
    provider = pl.col("ServiceProviderId").fill_null(pl.lit(stood["ServiceProviderId"]))
    owner = pl.when(pl.col("OrganisationId").is_null() & ~pl.col("ConsumerOwned").fill_null(False)).then(provider)
    # As `update.settle` has it: a position that was converted stays known as such while nobody gives another.
    is_kept = pl.lit((stood["PositionSource"] == "eastings").fill_null(False))
    for term in POSITION:
        is_kept &= pl.col(term).eq_missing(pl.lit(stood[term]))
        is_kept &= pl.lit(alike[term]) if term in alike.columns else True
    values = checked.values.with_columns(
        provider.alias("ServiceProviderId"),
        owner.otherwise("OrganisationId").alias("OrganisationId"),
        pl.when(is_kept).then(pl.lit("eastings")).otherwise("PositionSource").alias("PositionSource"),
    )
    serious = (pl.col("severity") != Severity.WARNING.value) | pl.col("field").is_in(list(IDENTITIES)).fill_null(True)
    return values, checked.findings.filter(serious)["row"].cast(pl.Int64)


def _equal(values: pl.DataFrame, stands: pl.DataFrame) -> pl.Series:
    """Compare all that the register keeps with what stands."""
    nested = ("Aliases", ATTRIBUTES_TERM)
    read = values.select(_export_value(values, term) for term in STORED_TERMS if term not in nested)
    stood = stands.select(pl.col(term).alias(f"stands:{term}") for term in read.columns)
    pairs = [pl.col(term).eq_missing(pl.col(f"stands:{term}")) for term in read.columns]
    equal = read.hstack(stood).select(x=pl.all_horizontal(pairs))["x"]
    for term, listed in (
        ("Aliases", values["Aliases"].to_list()),
        (ATTRIBUTES_TERM, _decoded(values[ATTRIBUTES_TERM])),
    ):
        equal &= pl.Series([value == other for value, other in zip(listed, _decoded(stands[term]), strict=True)])
    return equal


def _export_value(values: pl.DataFrame, term: str) -> pl.Expr:
    """A value as an export has it."""
    kind = values.schema[term]
    if kind == pl.Date:
        return pl.col(term).dt.to_string("%Y-%m-%d")
    return (pl.col(term) * 100).cast(pl.Int64) if kind.is_decimal() else pl.col(term)


def _decoded(texts: pl.Series) -> list[object]:
    places, decoded = decode_distinct(texts)
    return [decoded[place] for place in places]
