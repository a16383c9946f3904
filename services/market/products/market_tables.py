"""The table of equivalences and the stacking matrix: published in editions, the newest in force (UC-04.01, UC-04.03)."""

from collections.abc import Mapping
from enum import StrEnum
from functools import lru_cache
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import select
from sqlmodel import col

from models.products import MarketTable, MarketTableKind
from services.core.errors import NotFound
from services.core.settings import settings
from services.core.transaction import current_session, read_detached


class Stacking(StrEnum):
    """The answer of a source on holding two products together."""

    EXPLICIT_YES = "EY"
    IMPLICIT_YES = "IY"
    EXPLICIT_NO = "EN"
    IMPLICIT_NO = "IN"
    NO_DATA = "ND"
    NOT_APPLICABLE = "NA"


STACKING_LABELS: dict[Stacking, str] = {
    Stacking.EXPLICIT_YES: "yes",
    Stacking.IMPLICIT_YES: "yes (implied)",
    Stacking.EXPLICIT_NO: "no",
    Stacking.IMPLICIT_NO: "no (implied)",
    Stacking.NO_DATA: "ask the system operator",
    Stacking.NOT_APPLICABLE: "not applicable",
}
ALLOWED = frozenset({Stacking.EXPLICIT_YES, Stacking.IMPLICIT_YES})
REFUSED = frozenset({Stacking.EXPLICIT_NO, Stacking.IMPLICIT_NO})


class StackingCell(NamedTuple):
    """Stacking of two products by mode: the same MW at the same time, different MW at the same time, the same asset at
    different times."""

    co_delivery: Stacking
    splitting: Stacking
    jumping: Stacking


UNKNOWN = StackingCell(Stacking.NO_DATA, Stacking.NO_DATA, Stacking.NO_DATA)
"""The cell of a pair that the matrix doesn't have: no data, so the system operator is asked."""


def load_table_in_force(kind: MarketTableKind) -> MarketTable:
    """Load the newest edition of a table, detached; inside an operation. Raises NotFound in a register without seed data."""
    editions = select(col(MarketTable.id)).where(col(MarketTable.kind) == kind)
    newest = current_session().scalar(editions.order_by(col(MarketTable.edition).desc()).limit(1))
    if newest is None:
        raise NotFound("market table", kind)
    return _load_edition(settings().resolved_database_url(), newest)


@lru_cache(maxsize=16)
def _load_edition(database: str, identifier: UUID) -> MarketTable:
    """Load one edition, cached: an edition is never changed."""
    return read_detached(select(MarketTable).where(col(MarketTable.id) == identifier))[0]


def load_equivalences() -> list[tuple[str, str, str]]:
    """Load the table of equivalences as (product, product that a unit qualified for it may apply for too, note).

    Indicative: duration, direction, location and buyer are checked all the same. Inside an operation.
    """
    rows = load_table_in_force(MarketTableKind.EQUIVALENCES).rows
    return [(row["FromProduct"], row["ToProduct"], row.get("Note") or "") for row in rows]


def load_stacking_matrix() -> dict[tuple[str, str], StackingCell]:
    """Load the stacking matrix in force, by pair of stacking codes in either order; a missing pair is `UNKNOWN`.


    Inside an operation. Shared: read, don't change.
    """
    edition = load_table_in_force(MarketTableKind.STACKING)
    return _load_matrix(settings().resolved_database_url(), edition.id)


@lru_cache(maxsize=16)
def _load_matrix(database: str, identifier: UUID) -> dict[tuple[str, str], StackingCell]:
    return build_stacking_matrix(_load_edition(database, identifier).rows)


def build_stacking_matrix(rows: list[dict[str, Any]]) -> dict[tuple[str, str], StackingCell]:
    """Build the stacking matrix from an edition's rows, with both orders of each pair."""
    cells: dict[tuple[str, str], StackingCell] = {}
    for row in rows:
        cell = stacking_cell(row)
        cells[row["ProductA"], row["ProductB"]] = cells[row["ProductB"], row["ProductA"]] = cell
    return cells


def stacking_cell(row: Mapping[str, Any]) -> StackingCell:
    """Return the three modes of a row of the stacking table."""
    return StackingCell(Stacking(row["CoDelivery"]), Stacking(row["Splitting"]), Stacking(row["Jumping"]))
