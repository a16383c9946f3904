"""Filters of the market dashboard, kept in the address so that a view can be sent to somebody."""

from uuid import UUID

import streamlit as st

from models.products import FAMILY_LABELS, Family
from pages.components.common.asset_filters import accept_codes
from services.core.clock import today
from services.market.statistics.filter_options import MarketChoices
from services.market.statistics.model import MarketFilters

LISTS = ("products", "market", "operators", "families")
"""Called otherwise in the address than the filters of the lists behind figures: a page with a field of a name can't lead to
another whose address has that name."""


def choose_market(choices: MarketChoices) -> MarketFilters:
    """Draw the filters; what is chosen."""
    grid = st.grid(6, min_column_width=130)
    with grid.container():
        since = st.date_input(
            "From",
            None,
            key="from",
            bind="query-params",
            max_value=today(),
            format="DD/MM/YYYY",
            help="18 months back unless told",
        )
    with grid.container():
        until = st.date_input(
            "Until", None, key="until", bind="query-params", max_value=today(), format="DD/MM/YYYY",
            help="What is qualified is told as of this day; today unless told",
        )  # fmt: skip
    with grid.container():
        markets = _choose("Sub-market", "market", {name: name for name in choices.sub_markets})
    with grid.container():
        products = _choose("Product", "products", choices.products)
    with grid.container():
        operators = _choose("SO", "operators", choices.operators)
    with grid.container():
        families = _choose("Family", "families", {str(code): label for code, label in FAMILY_LABELS.items()})
    return MarketFilters(
        since=since,
        until=until,
        products=products,
        operators=tuple(UUID(code) for code in operators),
        families=tuple(Family(code) for code in families),
        sub_markets=markets,
    )


def clear_market() -> None:
    """Count everything again."""
    for key in LISTS:
        st.session_state[key] = []
    st.session_state["from"] = st.session_state["until"] = None


def _choose(label: str, key: str, options: dict[str, str]) -> tuple[str, ...]:
    accept_codes(key, options)
    return tuple(
        st.multiselect(
            label, list(options), format_func=options.__getitem__, key=key, bind="query-params", placeholder="All"
        )
    )


def choose_one(label: str, key: str, options: dict[str, str], words: str | None = None) -> str:
    """One of a few, the first unless told; kept in the address."""
    accept_codes(key, options, several=False)
    code = st.segmented_control(
        label,
        list(options),
        format_func=options.__getitem__,
        default=None if key in st.session_state else next(iter(options)),
        required=True,
        key=key,
        bind="query-params",
        help=words,
    )
    return code or next(iter(options))
