"""Filters of assets, kept in the address so that a view can be sent to somebody."""

from collections.abc import Mapping, Sequence
from decimal import ROUND_HALF_UP, Decimal
from uuid import UUID

import streamlit as st

from models.assets import STATUS_LABELS
from models.participants import Role
from pages.components.common.asset_labels import group_words
from services.assets.filters import AssetFilters
from services.assets.registration.parties import PROVIDER_ROLES
from services.assets.rules.reference import CATEGORY_LIST, code_lists
from services.core.identity.actor import Actor
from services.grid.geography import LICENCE_AREAS
from services.participants.reading import directory

CURSORS = "assets!cursors"
HEXAGON = "hexagon"
"""The address's name for the hexagon that is looked into: chosen on the map."""
CODES = ("category", "status", "dno", "gsp", "fsp")
UNITS = {"kW": Decimal(1), "MW": Decimal(1000)}


def choose_filters(actor: Actor, *, by_status: bool = True) -> AssetFilters:
    """Draw the filters in one row; the choice. A new choice goes back to the first page. `by_status`: by any state."""
    lists = code_lists()
    row = st.container(horizontal=True, key="asset-filters", gap="xsmall")
    with row:
        text = st.text_input(
            "Search",
            key="q",
            bind="query-params",
            type="search",
            placeholder="Name, serial number, MPAN ...",
            label_visibility="collapsed",
            on_change=first_page,
        )
        category = _choose("Category", "category", {code.code: code.label for code in lists[CATEGORY_LIST].values()})
    status: Sequence[str] = ()
    if by_status:
        with row:
            status = _choose("Status", "status", {str(state): label for state, label in STATUS_LABELS.items()})
    with row:
        areas = {code.code: code.label for code in lists["DNOCode"].values() if code.active}
        mine = areas if actor.all_areas or not actor.areas else {k: v for k, v in areas.items() if k in actor.areas}
        network = _choose("Distribution network", "dno", mine)
        groups = {area.gsp_group: group_words(area.gsp_group) for area in LICENCE_AREAS if area.gsp_group}
        group = _choose("GSP group", "gsp", dict(sorted(groups.items())))
    with row:
        provider, least, most = _more_filters(actor)
    return AssetFilters(
        capacity_min=least,
        capacity_max=most,
        hexagon=st.query_params.get(HEXAGON) or None,
        asset_category=category,
        status=status,
        dno_connection=network,
        gsp_group=group,
        service_provider_id=tuple(UUID(identifier) for identifier in provider),
        text=text or None,
    )


def _more_filters(actor: Actor) -> tuple[Sequence[str], Decimal | None, Decimal | None]:
    """FSP and the range of rated capacity (kW): folded away; the button says when one of them is used."""
    used = sum(bool(st.session_state.get(key) or key in st.query_params) for key in ("fsp", "from", "to"))
    title = "Capacity, FSP" if _sees_providers(actor) else "Capacity"
    with st.popover(f"{title} · {used}" if used else title, icon=":material/tune:", key="more-filters"):
        grid = st.container()
        with grid:
            unit = st.segmented_control(
                "Capacities in", list(UNITS), key="unit", bind="query-params", default="kW", required=True
            )
            least = _power(f"Rated from ({unit})", "from", UNITS[unit])
            most = _power(f"Rated to ({unit})", "to", UNITS[unit])
        if not _sees_providers(actor):
            return (), least, most
        with grid:
            organisations = [
                organisation
                for organisation in directory(actor)
                if PROVIDER_ROLES & set(organisation.organisation_roles)
            ]
            providers = {
                str(organisation.organisation_id): organisation.organisation_legal_name
                for organisation in organisations
            }
            return _choose("FSP", "fsp", providers), least, most


def _sees_providers(actor: Actor) -> bool:
    return actor.has(Role.ADMINISTRATOR, Role.SO_USER)


def _power(label: str, key: str, unit: Decimal) -> Decimal | None:
    """One end of the capacities that pass, in kW."""
    value = st.number_input(
        label, min_value=0.0, value=None, key=key, bind="query-params", placeholder="Any", on_change=first_page
    )
    if value is None:
        return None
    return (Decimal(str(value)) * unit).quantize(Decimal("0.01"), ROUND_HALF_UP)


def _choose(label: str, key: str, options: Mapping[str, str]) -> Sequence[str]:
    accept_codes(key, options)
    selection = st.multiselect(
        label,
        list(options),
        format_func=options.__getitem__,
        key=key,
        bind="query-params",
        placeholder=label,
        label_visibility="collapsed",
        on_change=first_page,
    )
    return tuple(selection)


def accept_codes(key: str, options: Mapping[str, str], *, several: bool = True) -> None:
    """Have the address name choices by their labels, as Streamlit keeps them; links made from data name them by their codes.

    Written anew before the field is drawn, in a run of its own: a field that is given its value beside the address would
    leave the address without it, and a view that is sent on, or come back to, would be another one.
    """
    entries = st.query_params.get_all(key)
    if key in st.session_state or not any(entry in options and options[entry] != entry for entry in entries):
        return
    labels = [label for code, label in options.items() if label in entries or code in entries]
    st.query_params[key] = labels if several else labels[0]
    st.rerun()


def first_page() -> None:
    """Begin the list anew: what the cursors point at belongs to another choice."""
    st.session_state.pop(CURSORS, None)


def clear_filters() -> None:
    """Show everything again."""
    first_page()
    st.session_state["q"] = ""
    for key in CODES:
        st.session_state[key] = []
    for key in ("from", "to"):
        st.session_state[key] = None
    st.query_params.pop(HEXAGON, None)


def is_filtered(filters: AssetFilters) -> bool:
    """Test whether any filter is set."""
    return filters != AssetFilters()


def cursors() -> list[str]:
    """The cursors of the pages turned so far; the last one is that of the page on screen."""
    return st.session_state.setdefault(CURSORS, [])
