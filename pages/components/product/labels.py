"""Products in words: requirements with their units, buyers, directions and phases as people read them."""

from collections.abc import Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any

from models.products import Direction, Phase, Spread
from services.core.clock import show_date
from services.market.products.document import BY_TERM, LABELS, Attribute, FieldKind
from services.market.products.products import ProductView
from services.market.products.reference_data import procurers

NOT_KNOWN = "not known"
PHASE_LABELS: dict[Phase, str] = {
    Phase.GO_LIVE: "At go-live",
    Phase.PHASE_3: "Phase 3",
    Phase.LEGACY: "Legacy",
}
DIRECTION_LABELS: dict[Direction, str] = {
    Direction.UP: "up (more generation, less demand)",
    Direction.DOWN: "down (less generation, more demand)",
    Direction.BOTH: "up and down, procured separately",
}
DIRECTION_NAMES: dict[Direction, str] = {
    Direction.UP: "Up",
    Direction.DOWN: "Down",
    Direction.BOTH: "Up and down",
}
SPREAD_LABELS: dict[Spread, str] = {
    Spread.NONE: "one site",
    Spread.CONSTRAINT_ZONE: "one constraint zone",
    Spread.GSP_GROUP: "one GSP group",
    Spread.SCOTTISH_GSP: "one Scottish GSP (groups _N and _P)",
    Spread.NATIONAL: "all of Great Britain",
}
_DIRECTIONS = {str(value): words for value, words in DIRECTION_LABELS.items()}
_SPREADS = {str(value): words for value, words in SPREAD_LABELS.items()}
_PHASES = {str(value): words for value, words in PHASE_LABELS.items()}
LONG_TIMES = ((86_400, "day"), (3_600, "h"), (60, "min"))


def buyer_names(codes: Sequence[str]) -> str:
    """Names of those who buy, for their codes."""
    return ", ".join(procurers()[code].name if code in procurers() else code for code in codes)


def show_seconds(value: int | None) -> str:
    """A time to full delivery in the largest unit that says it exactly."""
    if value is None:
        return NOT_KNOWN
    for size, unit in LONG_TIMES:
        if value >= size and value % size == 0:
            number = value // size
            return f"{number:,} {unit}{'s' if unit == 'day' and number > 1 else ''}"
    return f"{value:,} s"


def show_kilowatts(value: Decimal | str | None) -> str:
    """A power as a requirement says it: 1 MW rather than 1,000 kW."""
    if value is None:
        return NOT_KNOWN
    power = Decimal(value)
    if power >= 1000 and power % 100 == 0:
        return f"{(power / 1000).normalize():,f} MW"
    return f"{power.normalize():,f} kW"


def describe_changes(changes: Mapping[str, tuple[Any, Any]]) -> dict[str, tuple[str, str]]:
    """Differences of two versions, by label and in words."""
    return {
        LABELS[term]: (describe_value(term, before), describe_value(term, after))
        for term, (before, after) in changes.items()
    }


def describe_value(term: str, value: Any) -> str:
    """Value of one requirement, by its ontology term, in words; what isn't acceptable as it was typed."""
    try:
        return _describe_value(term, value)
    except (ValueError, InvalidOperation):
        return str(value)


def _describe_value(term: str, value: Any) -> str:
    attribute: Attribute = BY_TERM[term]
    if attribute.kind is FieldKind.YES_NO:
        return "yes" if value else "no"
    if value in (None, "", []):
        return "–" if term in ("Notes", "StackingCode") else NOT_KNOWN
    match term:
        case "Procurers":
            return buyer_names(value)
        case "Direction":
            return _DIRECTIONS.get(str(value), str(value))
        case "Aggregation":
            return _SPREADS.get(str(value), str(value))
        case "Phase":
            return _PHASES.get(str(value), str(value))
        case "MinCapacity_kW" | "MaxCapacity_kW":
            return show_kilowatts(value)
        case "FullDelivery_s":
            return show_seconds(int(value))
        case "MinDuration_min":
            return f"{int(value):,} min"
        case _:
            return str(value)


def describe_availability(view: ProductView) -> str:
    """Say in a few words whether one can apply for the product."""
    if view.ended:
        return f"Ended {show_date(view.product.deprecated_from)}"
    if view.product.deprecated_from is not None:
        return f"Ends {show_date(view.product.deprecated_from)}"
    if not view.offered:
        return _PHASES[str(view.version.phase)] if view.version.phase is not Phase.GO_LIVE else "To come"
    return "Open for applications"
