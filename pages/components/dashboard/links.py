"""Links from market figures to the lists of assets, units and applications that they were counted from."""

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


def link_applications(manner: Manner, **query: Value) -> Target:
    """Applications by filter: one's own for an FSP, for others the queue of what is addressed to SOs.

    What the dashboard is narrowed to goes along: the list has what was counted.
    """
    filters = list_filters(manner) | query
    if not may(manner.actor, "qualification.apply"):
        return _target("market/queue.py", filters)
    filters["so"] = _label_codes(filters["so"], manner.choices.operators)
    return _target("market/applications.py", filters)


def make_span(name: str, begin: date, end: date) -> dict[str, Value]:
    """A time as addresses of lists have it, both days included."""
    return {f"{name}_from": begin.isoformat(), f"{name}_until": end.isoformat()}


def link_units(manner: Manner, **query: Value) -> Target:
    """Market units by filter."""
    families = {"family": [str(family) for family in manner.filters.families]}
    return _target("market/units.py", families | query)


def link_assets(**query: Value) -> Target:
    """Assets by filter."""
    return _target("assets/assets.py", query)


def link_stopped_units(manner: Manner, blocker: TopBlocker) -> Target:
    """The units that a requirement of a product stops, with the reasons."""
    query: dict[str, Value] = {
        "for": "portfolio",
        "product": _label_codes(blocker.product_codes, manner.choices.products),
        "family": str(blocker.family),
        "unmet": str(blocker.requirement),
        "place": blocker.gsp_group,
    }
    return _target("market/opportunities.py", query)


def list_filters(manner: Manner) -> dict[str, Value]:
    """The filters of the dashboard as the addresses of lists have them."""
    filters = manner.filters
    return {
        "product": products_in(manner, filters.sub_markets),
        "so": [str(item) for item in filters.operators],
        "family": [str(item) for item in filters.families],
    }


def products_in(manner: Manner, sub_markets: Sequence[str]) -> list[str]:
    """The products that the dashboard is narrowed to and that are in one of these sub-markets, if any is named."""
    selected = manner.filters.products
    inside = [code for name in sub_markets for code in manner.choices.sub_markets.get(name, ())]
    return [code for code in inside if not selected or code in selected] if sub_markets else list(selected)


def _target(file: str, query: dict[str, Value]) -> Target:
    named = {name: _label_codes(value, _LABELS.get(name, {})) for name, value in query.items()}
    return Target(file, {name: value for name, value in named.items() if value})


def _label_codes(value: Value, labels: Mapping[str, str]) -> Value:
    """Codes by what they are called; those without a name as they are."""
    if value is None or isinstance(value, str):
        return value and labels.get(value, value)
    return [labels.get(code, code) for code in value]
