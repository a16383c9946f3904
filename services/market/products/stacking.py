"""Stacking check for a set of products: can they be held together? (UC-04.03)"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import combinations

from models.products import Family, ProductVersion
from services.core.clock import today
from services.core.errors import NotFound
from services.core.identity.actor import Actor
from services.core.operation import operation
from services.market.products.catalogue import load_catalogue
from services.market.products.market_tables import (
    ALLOWED,
    REFUSED,
    UNKNOWN,
    Stacking,
    StackingCell,
    load_stacking_matrix,
)


class Holding(StrEnum):
    """The result of the stacking matrix for a mode, in ascending weight. No data is never a yes."""

    NOT_APPLICABLE = "not applicable"
    YES = "yes"
    ASK = "ask the system operator"
    NO = "no"


SAME_DIRECTION = "The same direction only."
NATIONAL = "NESO"


@dataclass(frozen=True, slots=True)
class Pair:
    """Two products with their stacking cell; `condition` restricts a yes further."""

    first: str
    second: str
    cell: StackingCell
    condition: str | None


@dataclass(frozen=True, slots=True)
class StackingResult:
    """The stacking check of a set of products: the result by mode, and the pairs."""

    pairs: Sequence[Pair]
    co_delivery: Holding
    """The same MW at the same time."""
    splitting: Holding
    """Different MW at the same time."""
    jumping: Holding
    """The same asset at different times."""


@operation("UC-04.03", permission="product.read", writes=False, name="can_be_held")
def can_be_held(actor: Actor, codes: Sequence[str]) -> StackingResult:
    """Check the stacking of products, pair by pair and as a whole. Raises NotFound for an unknown code."""
    return check_stacking(codes)


def check_stacking(codes: Sequence[str]) -> StackingResult:
    """Check the stacking of products inside an operation, each by its version in force. Raises NotFound."""
    catalogue, matrix = load_catalogue(), load_stacking_matrix()
    versions = []
    for code in dict.fromkeys(codes):
        if code not in catalogue.versions:
            raise NotFound("product", code)
        versions.append(catalogue.in_force(code, today()) or catalogue.versions[code][0])
    pairs = [_build_pair(first, second, matrix) for first, second in combinations(versions, 2)]
    return StackingResult(
        pairs,
        _worst_holding([pair.cell.co_delivery for pair in pairs]),
        _worst_holding([pair.cell.splitting for pair in pairs]),
        _worst_holding([pair.cell.jumping for pair in pairs]),
    )


def holding_from_stacking(value: Stacking) -> Holding:
    """Translate a value of the matrix into the holding of both products."""
    if value in ALLOWED:
        return Holding.YES
    if value in REFUSED:
        return Holding.NO
    return Holding.NOT_APPLICABLE if value is Stacking.NOT_APPLICABLE else Holding.ASK


def _build_pair(first: ProductVersion, second: ProductVersion, matrix: dict[tuple[str, str], StackingCell]) -> Pair:
    """Build a pair; products without a stacking code, or with the same one, have the cell `UNKNOWN`."""
    codes = (first.stacking_code or "", second.stacking_code or "")
    return Pair(first.code, second.code, matrix.get(codes, UNKNOWN), stacking_condition(first, second))


def stacking_condition(first: ProductVersion, second: ProductVersion) -> str | None:
    """Return the condition of a pair: DFS with a DSO's product, and splitting between NESO and a DSO, need the same direction.

    None for other pairs (docs/market.md).
    """
    national, local = (first, second) if second.family is Family.DSO else (second, first)
    if local.family is not Family.DSO or national.family is Family.DSO or NATIONAL not in national.procurers:
        return None
    return (
        SAME_DIRECTION
        if national.stacking_code == "DFS"
        else f"Splitting: {SAME_DIRECTION[0].lower()}{SAME_DIRECTION[1:]}"
    )


def _worst_holding(values: Sequence[Stacking]) -> Holding:
    order = list(Holding)
    return max((holding_from_stacking(value) for value in values), key=order.index, default=Holding.NOT_APPLICABLE)
