"""Where the figures of the market lead: the lists of assets, units and applications that they were counted from."""

from collections.abc import Sequence

from pages.parts.market_chart import Manner, Target
from services.core.permissions import may
from services.market.statistics_blockers import Blocker

Value = str | Sequence[str] | None


def applications(manner: Manner, **query: Value) -> Target:
    """Applications by filter: one's own for an FSP, for others the queue of what is addressed to SOs.

    What the dashboard is narrowed to goes along: the list has what was counted.
    """
    file = "market/applications.py" if may(manner.actor, "qualification.apply") else "market/queue.py"
    return _target(file, narrowed(manner) | query)


def units(manner: Manner, **query: Value) -> Target:
    """Market units by filter."""
    families = {"family": [str(one) for one in manner.filters.families]}
    return _target("market/units.py", families | query)


def assets(**query: Value) -> Target:
    """Assets by filter."""
    return _target("assets/assets.py", query)


def stopped(one: Blocker) -> Target:
    """The units that a requirement of a product stops, with the reasons."""
    query: dict[str, Value] = {
        "for": "portfolio",
        "product": list(one.product_codes),
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
    inside = [code for name in sub_markets for code in manner.sub_markets.get(name, ())]
    return [code for code in inside if not chosen or code in chosen] if sub_markets else list(chosen)


def _target(file: str, query: dict[str, Value]) -> Target:
    return Target(file, {name: value for name, value in query.items() if value})
