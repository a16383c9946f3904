"""Blockers in words with numbers: ``DC: less than 1,000 kW in _C stops 12 units (3.4 MW); the nearest is 60 kW short``."""

from collections.abc import Sequence
from decimal import Decimal

from models.products import ProductVersion
from services.market.eligibility.arrays import hundredths
from services.market.eligibility.explanations import WAYS, kw, seconds
from services.market.eligibility.requirements import Requirement

LARGE = 1_000_000
"""Hundredths of a kW from which power is told in MW."""
NAMED = 3
"""So many products are named on an axis; how many more there are is said."""


def label_of(
    product_codes: Sequence[str], requirement: Requirement, version: ProductVersion, gsp_group: str | None
) -> str:
    """What stops units, as short as an axis needs it: ``DC, DM: less than 1,000 kW in _C``. `version`: of any of them."""
    rest = len(product_codes) - NAMED
    named = ", ".join(product_codes[:NAMED]) + (f" +{rest}" if rest > 0 else "")
    return f"{named}: {what_stops(requirement, version)}{f' in {gsp_group}' if gsp_group else ''}"


def joined(product_codes: Sequence[str]) -> str:
    """Products in a sentence: ``DC, DM and DR``."""
    *some, last = product_codes
    return f"{', '.join(some)} and {last}" if some else last


def what_stops(requirement: Requirement, version: ProductVersion) -> str:
    """What units that a requirement stops are or have: ``less than 1,000 kW``."""
    match requirement:
        case Requirement.DIRECTION:
            return f"no power {WAYS[version.direction]}"
        case Requirement.AREA:
            return "not where it is bought"
        case Requirement.PLACE:
            return "spread too far"
        case Requirement.MIN_CAPACITY:
            return f"less than {_power(hundredths(version.min_capacity))}"
        case Requirement.MAX_CAPACITY:
            return f"more than {_power(hundredths(version.max_capacity))}"
        case Requirement.FULL_DELIVERY:
            return f"slower than {seconds(version.full_delivery_s or 0)}"
        case Requirement.DURATION:
            return f"shorter than {version.min_duration_min or 0:,} min"
        case Requirement.FAMILY | Requirement.PHASE | Requirement.METERING:
            return "not open to it"


def _power(amount: int) -> str:
    """Hundredths of a kW in as few signs as an axis has room for: ``1,000 kW``, ``50 MW``."""
    return f"{amount / 100_000:,.4g} MW" if amount >= LARGE else kw(amount)


def nearest_words(requirement: Requirement, nearest: Decimal | None) -> str:
    """What the nearest unit lacks: ``60 kW short``; nothing where no number says it."""
    if nearest is None:
        return ""
    match requirement:
        case Requirement.MIN_CAPACITY:
            return f"{_power(hundredths(nearest))} short"
        case Requirement.MAX_CAPACITY:
            return f"{_power(hundredths(nearest))} too much"
        case Requirement.PLACE:
            return f"{_power(hundredths(nearest))} elsewhere"
        case Requirement.FULL_DELIVERY:
            return f"{seconds(int(nearest))} too slow"
        case Requirement.DURATION:
            return f"{int(nearest):,} min too short"
        case _:
            return ""


def words_of(
    requirement: Requirement, label: str, units: int, alone: int | None, power: Decimal, nearest: Decimal | None
) -> str:
    """A blocker in one sentence."""
    said = f"{label} stops {units:,} {'unit' if units == 1 else 'units'} ({power / 1000:,.1f} MW)"
    if alone:
        said += f", {alone:,} of them by nothing else"
    near = nearest_words(requirement, nearest)
    return f"{said}; the nearest is {near}." if near else f"{said}."
