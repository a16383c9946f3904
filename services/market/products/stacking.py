"""Can these be held together? The stacking matrix asked for a set of products (UC-04.03)."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import combinations

from models.products import Family, ProductVersion
from services.core.clock import today
from services.core.errors import NotFound
from services.core.identity.actor import Actor
from services.core.operation import operation
from services.market.products.catalogue import whole_catalogue
from services.market.products.market_tables import ALLOWED, REFUSED, UNKNOWN, Stacking, StackingCell, stacking


class Holding(StrEnum):
    """What comes of the matrix for a mode, the one that weighs most last. What nobody has said is never taken for a yes."""

    NOT_APPLICABLE = "not applicable"
    YES = "yes"
    ASK = "ask the system operator"
    NO = "no"


SAME_DIRECTION = "The same direction only."
NATIONAL = "NESO"


@dataclass(frozen=True, slots=True)
class Pair:
    """Two products, and how they may be held together; `condition` is what a yes depends on besides."""

    first: str
    second: str
    cell: StackingCell
    condition: str | None


@dataclass(frozen=True, slots=True)
class Together:
    """A set of products: for each mode what its pairs come to, and the pairs."""

    pairs: Sequence[Pair]
    co_delivery: Holding
    """The same MW at the same time."""
    splitting: Holding
    """Different MW at the same time."""
    jumping: Holding
    """The same asset at different times."""


@operation("UC-04.03", permission="product.read", writes=False, name="can_be_held")
def can_be_held(actor: Actor, codes: Sequence[str]) -> Together:
    """Whether products can be held together, pair by pair and as a whole. Raises NotFound for an unknown code."""
    return held_together(codes)


def held_together(codes: Sequence[str]) -> Together:
    """The same inside an operation: for the products that a unit holds or applies for, each by the version in force."""
    catalogue, matrix = whole_catalogue(), stacking()
    versions = []
    for code in dict.fromkeys(codes):
        if code not in catalogue.versions:
            raise NotFound("product", code)
        versions.append(catalogue.in_force(code, today()) or catalogue.versions[code][0])
    pairs = [_pair(first, second, matrix) for first, second in combinations(versions, 2)]
    return Together(
        pairs,
        _worst([pair.cell.co_delivery for pair in pairs]),
        _worst([pair.cell.splitting for pair in pairs]),
        _worst([pair.cell.jumping for pair in pairs]),
    )


def holding_of(value: Stacking) -> Holding:
    """What a value of the matrix means to somebody who wants to hold both."""
    if value in ALLOWED:
        return Holding.YES
    if value in REFUSED:
        return Holding.NO
    return Holding.NOT_APPLICABLE if value is Stacking.NOT_APPLICABLE else Holding.ASK


def _pair(first: ProductVersion, second: ProductVersion, matrix: dict[tuple[str, str], StackingCell]) -> Pair:
    """Products of one stacking code, or of none, aren't pairs of the matrix: nobody has said anything."""
    codes = (first.stacking_code or "", second.stacking_code or "")
    return Pair(first.code, second.code, matrix.get(codes, UNKNOWN), condition_of(first, second))


def condition_of(first: ProductVersion, second: ProductVersion) -> str | None:
    """DFS with a DSO's product, and splitting between NESO's and a DSO's: the same direction only (docs/market.md)."""
    one, other = (first, second) if second.family is Family.DSO else (second, first)
    if other.family is not Family.DSO or one.family is Family.DSO or NATIONAL not in one.procurers:
        return None
    return (
        SAME_DIRECTION if one.stacking_code == "DFS" else f"Splitting: {SAME_DIRECTION[0].lower()}{SAME_DIRECTION[1:]}"
    )


def _worst(values: Sequence[Stacking]) -> Holding:
    order = list(Holding)
    return max((holding_of(value) for value in values), key=order.index, default=Holding.NOT_APPLICABLE)
