"""Rows that say in other words what stands: read by the rules, they leave their assets as they are (UC-02.03, bulk).

``yes`` for true, an MPAN with spaces, an option by its label: the assets as they would be are judged for a whole run at
once, and compared column by column. A row that is refused, or that meets another asset, is left to be looked at singly.
"""

from collections.abc import Iterator
from uuid import UUID

import polars as pl

from models.assets import Asset
from services.assets.bulk.export.rows import power_text, told_apart
from services.assets.bulk.pipeline.asset_snapshot import DERIVED
from services.assets.bulk.pipeline.existing_assets import known_elsewhere
from services.assets.bulk.pipeline.validation import keys_of
from services.assets.bulk.upload.column_mapping import ASSET_ID
from services.assets.registration.record import IDENTITIES, INPUT_ONLY, STORED_TERMS
from services.assets.registration.update import POSITION
from services.assets.rules.check import check_assets
from services.assets.rules.reference import catalogue, rule_context
from services.assets.rules.schemas import ATTRIBUTES_TERM, CORE
from services.core.attributes import text_of
from services.core.errors import Severity
from services.core.transaction import current_session

GIVEN = "given:"
"""Before the name of a term: the column of its cells."""
_BY_EASTINGS = (pl.col("PositionSource") == "eastings").fill_null(False)


def reads_the_same(rows: pl.DataFrame, alike: pl.DataFrame, attributes: pl.Series) -> pl.Series:
    """Whether rows, read by the rules, leave their assets as they are, with nothing found.

    `rows` has assets as they stand (`standing.STANDING`) and cells (`GIVEN`); `alike` says of the core terms that are given
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
        values, found = _judged(stands, proposed.select(pl.all().gather(at)), alike.select(pl.all().gather(at)))
        nothing_found = ~pl.int_range(len(at), eager=True).is_in(found.implode())
        equal = nothing_found & _equal(values, stands)
        equal &= ~pl.Series(known_elsewhere(keys_of(values), stands[ASSET_ID].to_list()), dtype=pl.Boolean)
        same = same.scatter(at, equal)
    return same


def _as_handed_in(rows: pl.DataFrame, alike: pl.DataFrame) -> Iterator[pl.Expr | pl.Series]:
    """Core terms as text, as `updating.merged` has them: what is given anew, what was declared, nothing of what was derived."""

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
    """What stands, as `text_of` says it."""
    match CORE[term].kind:
        case "power":
            return power_text(term)
        case "degrees":
            return pl.lit(pl.Series([text_of(one) for one in rows[term].to_list()], dtype=pl.String))
        case "boolean":
            return pl.when(pl.col(term)).then(pl.lit("true")).otherwise(pl.lit("false"))
        case _:
            return pl.col(term)


def _judged(stands: pl.DataFrame, proposed: pl.DataFrame, alike: pl.DataFrame) -> tuple[pl.DataFrame, pl.Series]:
    """The values that assets of one schema version would have, and the places of rows that can't be told from these.

    A warning is told beside a change only; one about a party says that its value isn't what it seems.
    """
    first = current_session().get_one(Asset, UUID(stands[ASSET_ID][0]))
    known = catalogue(first)
    checked = check_assets(proposed, rule_context(first, current=known))
    stood = {name: stands[name] for name in ("ServiceProviderId", "Latitude", "Longitude", "PositionSource")}
    provider = pl.col("ServiceProviderId").fill_null(pl.lit(stood["ServiceProviderId"]))
    owner = pl.when(pl.col("OrganisationId").is_null() & ~pl.col("ConsumerOwned").fill_null(False)).then(provider)
    # As `updating.settle` has it: a position that was converted stays known as such while nobody gives another.
    kept = pl.lit((stood["PositionSource"] == "eastings").fill_null(False))
    for term in POSITION:
        kept &= pl.col(term).eq_missing(pl.lit(stood[term]))
        kept &= pl.lit(alike[term]) if term in alike.columns else True
    values = checked.values.with_columns(
        provider.alias("ServiceProviderId"),
        owner.otherwise("OrganisationId").alias("OrganisationId"),
        pl.when(kept).then(pl.lit("eastings")).otherwise("PositionSource").alias("PositionSource"),
    )
    serious = (pl.col("severity") != Severity.WARNING.value) | pl.col("field").is_in(list(IDENTITIES)).fill_null(True)
    return values, checked.findings.filter(serious)["row"].cast(pl.Int64)


def _equal(values: pl.DataFrame, stands: pl.DataFrame) -> pl.Series:
    """Whether all that the register keeps is what stands."""
    nested = ("Aliases", ATTRIBUTES_TERM)
    read = values.select(_as_kept(values, term) for term in STORED_TERMS if term not in nested)
    stood = stands.select(pl.col(term).alias(f"stands:{term}") for term in read.columns)
    pairs = [pl.col(term).eq_missing(pl.col(f"stands:{term}")) for term in read.columns]
    equal = read.hstack(stood).select(x=pl.all_horizontal(pairs))["x"]
    for term, listed in (
        ("Aliases", values["Aliases"].to_list()),
        (ATTRIBUTES_TERM, _decoded(values[ATTRIBUTES_TERM])),
    ):
        equal &= pl.Series([one == other for one, other in zip(listed, _decoded(stands[term]), strict=True)])
    return equal


def _as_kept(values: pl.DataFrame, term: str) -> pl.Expr:
    """A value as `export_rows.batches` has it."""
    kind = values.schema[term]
    if kind == pl.Date:
        return pl.col(term).dt.to_string("%Y-%m-%d")
    return (pl.col(term) * 100).cast(pl.Int64) if kind.is_decimal() else pl.col(term)


def _decoded(texts: pl.Series) -> list[object]:
    places, decoded = told_apart(texts)
    return [decoded[place] for place in places]
