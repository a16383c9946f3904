"""Where the figures of the market lead: the lists of assets, units and applications that they were counted from."""

from pages.parts.market_chart import Target
from services.core.actor import Actor
from services.core.permissions import may


def applications(actor: Actor, **query: str | None) -> Target:
    """Applications by filter: one's own for an FSP, for others the queue of what is addressed to SOs."""
    file = "market/applications.py" if may(actor, "qualification.apply") else "market/queue.py"
    return Target(file, {name: value for name, value in query.items() if value})


def units(**query: str | None) -> Target:
    """Market units by filter."""
    return Target("market/units.py", {name: value for name, value in query.items() if value})


def assets(**query: str | None) -> Target:
    """Assets by filter."""
    return Target("assets/assets.py", {name: value for name, value in query.items() if value})
