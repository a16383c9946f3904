"""Text of blockers with numbers: ``DC: less than 1,000 kW in _C stops 12 units (3.4 MW); the nearest is 60 kW short``."""

from collections.abc import Sequence
from decimal import Decimal

from models.products import ProductVersion
from services.market.eligibility.arrays import to_hundredths
from services.market.eligibility.explanations import DIRECTION_WORDS, format_kw, format_seconds
from services.market.eligibility.requirements import Requirement

MEGAWATTS_FROM = 1_000_000
"""Hundredths of a kW from which power is written in MW."""
MAX_NAMED_PRODUCTS = 3
"""The most products that are named on an axis; the others are given as a number."""


def blocker_label(
    product_codes: Sequence[str], requirement: Requirement, version: ProductVersion, gsp_group: str | None
) -> str:
    """Build the label of a blocker for an axis: ``DC, DM: less than 1,000 kW in _C``. `version`: of any of the products."""
    unnamed = len(product_codes) - MAX_NAMED_PRODUCTS
    products = ", ".join(product_codes[:MAX_NAMED_PRODUCTS]) + (f" +{unnamed}" if unnamed > 0 else "")
    return f"{products}: {describe_stop(requirement, version)}{f' in {gsp_group}' if gsp_group else ''}"


def join_products(product_codes: Sequence[str]) -> str:
    """Join products for a sentence: ``DC, DM and DR``."""
    *first, last = product_codes
    return f"{', '.join(first)} and {last}" if first else last


def describe_stop(requirement: Requirement, version: ProductVersion) -> str:
    """Describe the units that a requirement stops: ``less than 1,000 kW``."""
    match requirement:
        case Requirement.DIRECTION:
            return f"no power {DIRECTION_WORDS[version.direction]}"
        case Requirement.AREA:
            return "not where it is bought"
        case Requirement.PLACE:
            return "spread too far"
        case Requirement.MIN_CAPACITY:
            return f"less than {_format_power(to_hundredths(version.min_capacity))}"
        case Requirement.MAX_CAPACITY:
            return f"more than {_format_power(to_hundredths(version.max_capacity))}"
        case Requirement.FULL_DELIVERY:
            return f"slower than {format_seconds(version.full_delivery_s or 0)}"
        case Requirement.DURATION:
            return f"shorter than {version.min_duration_min or 0:,} min"
        case Requirement.FAMILY | Requirement.PHASE | Requirement.METERING:
            return "not open to it"


def _format_power(amount: int) -> str:
    """Format hundredths of a kW for an axis: ``1,000 kW``, ``50 MW``."""
    return f"{amount / 100_000:,.4g} MW" if amount >= MEGAWATTS_FROM else format_kw(amount)


def describe_nearest(requirement: Requirement, nearest: Decimal | None) -> str:
    """Describe the shortfall of the nearest unit: ``60 kW short``; the empty text where it has no number."""
    if nearest is None:
        return ""
    match requirement:
        case Requirement.MIN_CAPACITY:
            return f"{_format_power(to_hundredths(nearest))} short"
        case Requirement.MAX_CAPACITY:
            return f"{_format_power(to_hundredths(nearest))} too much"
        case Requirement.PLACE:
            return f"{_format_power(to_hundredths(nearest))} elsewhere"
        case Requirement.FULL_DELIVERY:
            return f"{format_seconds(int(nearest))} too slow"
        case Requirement.DURATION:
            return f"{int(nearest):,} min too short"
        case _:
            return ""


def blocker_sentence(
    requirement: Requirement, label: str, units: int, alone: int | None, power: Decimal, nearest: Decimal | None
) -> str:
    """Build the sentence of a blocker."""
    sentence = f"{label} stops {units:,} {'unit' if units == 1 else 'units'} ({power / 1000:,.1f} MW)"
    if alone:
        sentence += f", {alone:,} of them by nothing else"
    nearest_text = describe_nearest(requirement, nearest)
    return f"{sentence}; the nearest is {nearest_text}." if nearest_text else f"{sentence}."
