"""The parts of a market unit's page that other use cases draw, as tabs beside its capability, assets and history.

To add one, write a function that draws a unit (actor, whole unit) in a part of its own and name it here.
"""

from collections.abc import Callable
from dataclasses import dataclass

from pages.components.unit.qualifications import draw_readiness, draw_unit_qualifications
from pages.components.unit.unit_opportunities import draw_unit_opportunities
from services.core.identity.actor import Actor
from services.market.units.units import WholeUnit


@dataclass(frozen=True, slots=True)
class UnitSection:
    """One tab: its name, the permission that opens it, and what draws it."""

    label: str
    permission: str
    draw: Callable[[Actor, WholeUnit], None]


SECTIONS: list[UnitSection] = [
    UnitSection("Opportunities", "unit.read", draw_unit_opportunities),
    UnitSection("Qualifications", "qualification.read", draw_unit_qualifications),
    UnitSection("Readiness", "qualification.read", draw_readiness),
]
