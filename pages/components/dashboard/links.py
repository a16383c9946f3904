"""Where the figures of the market lead: the lists of assets, units and applications that they were counted from."""

from collections.abc import Mapping, Sequence
from datetime import date

from models.assets import STATUS_LABELS
from models.products import FAMILY_LABELS
from models.qualifications import QUALIFICATION_LABELS
from pages.components.common.asset_labels import group_words
from pages.components.dashboard.chart_card import Manner, Target
from services.core.identity.permissions import may
from services.grid.geography import LICENCE_AREAS
from services.market.eligibility.requirements import REQUIREMENT_LABELS
from services.market.qualification.filters import SEVERAL_GROUPS
from services.market.qualification.sla_clock import CLOCK_LABELS
from services.market.statistics.top_blockers import TopBlocker
from services.market.units.units import UNIT_STATUS_LABELS

Value = str | Sequence[str] | None
_GROUPS = {area.gsp_group: group_words(area.gsp_group) for area in LICENCE_AREAS if area.gsp_group}
_LABELS: dict[str, dict[str, str]] = {
    "status": {**STATUS_LABELS, **UNIT_STATUS_LABELS, **QUALIFICATION_LABELS},
    "clock": {**CLOCK_LABELS},
    "family": {**FAMILY_LABELS},
    "gsp": {**_GROUPS, SEVERAL_GROUPS: "Several"},
    "place": _GROUPS,
    "unmet": {**REQUIREMENT_LABELS},
    "for": {"portfolio": "Whole portfolio"},
}
"""What fields call their codes: an address that has it so keeps it, and can be sent on."""


def applications(manner: Manner, **query: Value) -> Target:
    """Applications by filter: one's own for an FSP, for others the queue of what is addressed to SOs.

    What the dashboard is narrowed to goes along: the list has what was counted.
    """
    wanted = narrowed(manner) | query
    if not may(manner.actor, "qualification.apply"):
        return _target("market/queue.py", wanted)
    wanted["so"] = _called(wanted["so"], manner.choices.operators)
    return _target("market/applications.py", wanted)


def between(name: str, begin: date, end: date) -> dict[str, Value]:
    """A time as addresses of lists have it, both days included."""
    return {f"{name}_from": begin.isoformat(), f"{name}_until": end.isoformat()}


def units(manner: Manner, **query: Value) -> Target:
    """Market units by filter."""
    families = {"family": [str(one) for one in manner.filters.families]}
    return _target("market/units.py", families | query)


def assets(**query: Value) -> Target:
    """Assets by filter."""
    return _target("assets/assets.py", query)


def stopped(manner: Manner, one: TopBlocker) -> Target:
    """The units that a requirement of a product stops, with the reasons."""
    query: dict[str, Value] = {
        "for": "portfolio",
        "product": _called(one.product_codes, manner.choices.products),
        "family": str(one.family),
        "unmet": str(one.requirement),
        "place": one.gsp_group,
    }
    return _target("market/opportunities.py", query)


def narrowed(manner: Manner) -> dict[str, Value]:
    """The filters of the dashboard as the addresses of lists have them."""
    chosen = manner.filters
    return {
        "product": products_in(manner, chosen.sub_markets),
        "so": [str(one) for one in chosen.operators],
        "family": [str(one) for one in chosen.families],
    }


def products_in(manner: Manner, sub_markets: Sequence[str]) -> list[str]:
    """The products that the dashboard is narrowed to and that are in one of these sub-markets, if any is named."""
    chosen = manner.filters.products
    inside = [code for name in sub_markets for code in manner.choices.sub_markets.get(name, ())]
    return [code for code in inside if not chosen or code in chosen] if sub_markets else list(chosen)


def _target(file: str, query: dict[str, Value]) -> Target:
    said = {name: _called(value, _LABELS.get(name, {})) for name, value in query.items()}
    return Target(file, {name: value for name, value in said.items() if value})


def _called(value: Value, labels: Mapping[str, str]) -> Value:
    """Codes by what they are called; those without a name as they are."""
    if value is None or isinstance(value, str):
        return value and labels.get(value, value)
    return [labels.get(one, one) for one in value]
