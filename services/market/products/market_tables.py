"""The table of equivalences and the stacking matrix: kept in editions, the newest in force (UC-04.01, UC-04.03)."""

from collections.abc import Mapping
from enum import StrEnum
from functools import lru_cache
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import Uuid, bindparam, select
from sqlmodel import col

from models.products import MarketTable, MarketTableKind
from services.core.db.statements import Prepared, PreparedRecords
from services.core.errors import NotFound
from services.core.settings import settings
from services.core.transaction import current_connection, current_session, reads_only


class Stacking(StrEnum):
    """What a source says of holding two products together."""

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
    """How two products may be held together: the same MW at the same time, different MW at the same time, the same asset
    at different times."""

    co_delivery: Stacking
    splitting: Stacking
    jumping: Stacking


UNKNOWN = StackingCell(Stacking.NO_DATA, Stacking.NO_DATA, Stacking.NO_DATA)
"""What holds for a pair that the matrix doesn't have: nobody has said, so the system operator is asked."""


_NEWEST = Prepared(
    select(col(MarketTable.id))
    .where(col(MarketTable.kind) == bindparam("kind", type_=MarketTable.__table__.c.kind.type))  # pyright: ignore
    .order_by(col(MarketTable.edition).desc())
    .limit(1)
)
_ONE = PreparedRecords(MarketTable, col(MarketTable.id) == bindparam("identifier", type_=Uuid()))


def table_in_force(kind: MarketTableKind) -> MarketTable:
    """The newest edition, detached; inside an operation. Raises NotFound in a register without its first data."""
    if not reads_only():
        current_session().flush()
    newest = _NEWEST.all(current_connection(), {"kind": kind})
    if not newest:
        raise NotFound("market table", kind)
    return _edition(settings().resolved_database_url(), newest[0][0])


@lru_cache(maxsize=16)
def _edition(database: str, identifier: UUID) -> MarketTable:
    """An edition is never changed: its identifier is all there is to ask for."""
    return _ONE.records(current_connection(), {"identifier": identifier})[0]


def equivalences() -> list[tuple[str, str, str]]:
    """Product, the product that a unit qualified for it may apply for too, and what remains to be checked.

    Indicative: duration, direction, location and buyer are checked all the same. Inside an operation.
    """
    rows = table_in_force(MarketTableKind.EQUIVALENCES).rows
    return [(row["FromProduct"], row["ToProduct"], row.get("Note") or "") for row in rows]


def stacking() -> dict[tuple[str, str], StackingCell]:
    """What may be held together, by pair of stacking codes in either order; a pair that isn't there is not known.

    Inside an operation. Shared: read, don't change.
    """
    edition = table_in_force(MarketTableKind.STACKING)
    return _matrix(settings().resolved_database_url(), edition.id)


@lru_cache(maxsize=16)
def _matrix(database: str, identifier: UUID) -> dict[tuple[str, str], StackingCell]:
    return matrix_of(_edition(database, identifier).rows)


def matrix_of(rows: list[dict[str, Any]]) -> dict[tuple[str, str], StackingCell]:
    """The matrix of an edition's rows, in both orders of each pair."""
    cells: dict[tuple[str, str], StackingCell] = {}
    for row in rows:
        cell = cell_of(row)
        cells[row["ProductA"], row["ProductB"]] = cells[row["ProductB"], row["ProductA"]] = cell
    return cells


def cell_of(row: Mapping[str, Any]) -> StackingCell:
    """The three modes of a row."""
    return StackingCell(Stacking(row["CoDelivery"]), Stacking(row["Splitting"]), Stacking(row["Jumping"]))
