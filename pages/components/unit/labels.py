"""Market units in the words people read: badges, measures, sums beside each other."""

from collections.abc import Sequence
from decimal import Decimal

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from models.products import FAMILY_LABELS, Family
from models.units import MarketUnit, UnitStatus, UnitType
from pages.components.common.asset_labels import group_words
from pages.components.common.power import show_kw
from pages.frame.markdown import escape_markdown
from services.market.units.totals import Totals

TYPE_LABELS = {UnitType.SPU: "SPU: one accounting point", UnitType.SPG: "SPG: several accounting points"}
STATUS_BADGES = {
    UnitStatus.ACTIVE: ("Active", "green", "check_circle"),
    UnitStatus.DEREGISTERED: ("De-registered", "gray", "archive"),
}
FAMILY_HELP = {
    Family.RESPONSE: "Dynamic Containment, Moderation and Regulation, Static FFR",
    Family.RESERVE: "Quick, Slow and Balancing Reserve, Balancing Mechanism",
    Family.CONSTRAINT: "Local Constraint Market, MW Dispatch, Demand Flexibility Service",
    Family.DSO: "what distribution networks buy: scheduled and operational utilisation, peak reduction",
}
UP_HELP = "What it can add: more generation, less demand."
DOWN_HELP = "What it can take away: less generation, more demand."


def unit_badges(unit: MarketUnit, unit_type: UnitType | None, provider: str) -> None:
    """Status, family, type and FSP: told by words and icon, not by colour alone."""
    label, colour, icon = STATUS_BADGES[unit.status]
    with st.container(horizontal=True, vertical_alignment="center"):
        st.badge(label, icon=f":material/{icon}:", color=colour)  # pyright: ignore[reportArgumentType]
        st.badge(FAMILY_LABELS[unit.family], icon=":material/storefront:", color="blue")
        if unit_type is not None:
            st.badge(TYPE_LABELS[unit_type], icon=":material/hub:", color="gray")
        st.badge(escape_markdown(provider), icon=":material/apartment:", color="gray")


def show_energy(value: Decimal | None) -> str:
    """Energy as it is read."""
    return "Not known" if value is None else f"{value:,.2f} kWh"


def show_seconds(value: int | None) -> str:
    """A response time as it is read."""
    if value is None:
        return "Not known"
    return f"{value:,} s" if value < 120 else f"{value / 60:,.0f} min"


def show_minutes(value: int | None) -> str:
    """A duration as it is read; nothing counts longer than a day."""
    if value is None:
        return "Not known"
    return "A day or longer" if value >= 1440 else f"{value:,} min"


def count_of(number: int, singular: str = "asset", plural: str = "assets") -> str:
    """A number of something."""
    return f"{number:,} {singular if number == 1 else plural}"


def draw_fact(grid: DeltaGenerator, label: str, value: str, words: str | None = None, delta: str | None = None) -> None:
    """One measure in a cell of a grid: broken into lines where it is long, never cut off."""
    with grid.container(border=True):
        st.caption(label, help=words)
        st.markdown(f"**{value}**" + (f"  \n:small[{delta}]" if delta else ""))


def draw_totals(after: Totals, before: Totals | None = None) -> None:
    """Sums of a set of assets beside each other; with `before`, how much each sum moves."""
    grid = st.grid(2, min_column_width=130, gap="xsmall")

    def moved(name: str) -> str | None:
        if before is None:
            return None
        change = getattr(after, name) - getattr(before, name)
        return f"{change:+,.2f} kW" if isinstance(change, Decimal) else f"{change:+,}"

    for label, value, delta, words in (
        ("kW up", show_kw(after.up), moved("up"), UP_HELP),
        ("kW down", show_kw(after.down), moved("down"), DOWN_HELP),
        ("Assets", f"{after.assets:,}", moved("assets"), None),
        ("Accounting points", f"{after.accounting_points:,}", moved("accounting_points"), TYPE_LABELS[after.unit_type]),
    ):
        draw_fact(grid, label, value, words, delta if delta not in ("+0", "+0.00 kW") else None)
    facts = {
        "Type": str(after.unit_type),
        "Energy": show_energy(after.energy_kwh),
        "Full delivery after": show_seconds(after.response_s),
        "Sustained for": show_minutes(after.duration_min),
    }
    st.caption(" · ".join(f"{name}: **{value}**" for name, value in facts.items()))


def draw_places(places: Sequence[tuple[str, str, int]]) -> None:
    """GSP groups in which the assets lie, each with its number of assets."""
    groups: dict[str, int] = {}
    for _dno, group, count in places:
        groups[group] = groups.get(group, 0) + count
    words = [f"{group_words(group) if group else 'no GSP group known'}: {count:,}" for group, count in groups.items()]
    if words:
        st.caption(f"GSP groups: {'; '.join(words)}")
