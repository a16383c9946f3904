"""Filters of market units, kept in the address so that a view can be sent to somebody."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from uuid import UUID

import streamlit as st

from models.participants import Role
from models.products import FAMILY_LABELS
from models.units import UnitStatus, UnitType
from pages.components.common.asset_filters import accept_codes
from pages.components.common.asset_labels import group_words
from pages.components.unit.labels import TYPE_LABELS
from services.assets.registration.parties import PROVIDER_ROLES
from services.core.identity.actor import Actor
from services.grid.geography import LICENCE_AREAS
from services.market.units.listing import UnitFilters
from services.market.units.units import UNIT_STATUS_LABELS
from services.participants.reading import directory

CURSORS = "units!cursors"
CODES = ("family", "type", "status", "gsp", "fsp")


def choose_unit_filters(actor: Actor) -> UnitFilters:
    """Draw the filters and return the choice. A new choice goes back to the first page."""
    grid = st.grid(5, min_column_width=150)
    with grid.container():
        text = st.text_input(
            "Search", key="q", bind="query-params", type="search", placeholder="Name or code", on_change=first_units
        )
    with grid.container():
        family = _choose("Family", "family", {str(code): label for code, label in FAMILY_LABELS.items()})
    with grid.container():
        kind = _choose("Type", "type", {str(code): label for code, label in TYPE_LABELS.items()})
    with grid.container():
        status = _choose("Status", "status", {str(code): label for code, label in UNIT_STATUS_LABELS.items()})
    with grid.container():
        groups = {area.gsp_group: group_words(area.gsp_group) for area in LICENCE_AREAS if area.gsp_group}
        group = _choose("GSP group", "gsp", dict(sorted(groups.items())))
    up, down, provider = _more(actor)
    return UnitFilters(
        family=family,
        unit_type=tuple(UnitType(code) for code in kind),
        status=tuple(UnitStatus(code) for code in status),
        gsp_group=group,
        service_provider_id=tuple(UUID(identifier) for identifier in provider),
        up_min=up,
        down_min=down,
        text=text or None,
    )


def _more(actor: Actor) -> tuple[Decimal | None, Decimal | None, Sequence[str]]:
    """The least capacity, and the FSP for those who see several: folded away until used."""
    used = any(st.session_state.get(key) or key in st.query_params for key in ("fsp", "up", "down"))
    several = actor.has(Role.ADMINISTRATOR, Role.SO_USER)
    with st.expander("Capacity, FSP" if several else "Capacity", expanded=used):
        grid = st.grid(3, min_column_width=150)
        with grid.container():
            up = _power("At least kW up", "up")
        with grid.container():
            down = _power("At least kW down", "down")
        if not several:
            return up, down, ()
        with grid.container():
            providers = [
                organisation
                for organisation in directory(actor)
                if PROVIDER_ROLES & set(organisation.organisation_roles)
            ]
            names = {
                str(organisation.organisation_id): organisation.organisation_legal_name for organisation in providers
            }
            return up, down, _choose("FSP", "fsp", names)


def _power(label: str, key: str) -> Decimal | None:
    value = st.number_input(
        label, min_value=0.0, value=None, key=key, bind="query-params", placeholder="Any", on_change=first_units
    )
    return None if value is None else Decimal(str(value)).quantize(Decimal("0.01"))


def _choose(label: str, key: str, options: Mapping[str, str]) -> Sequence[str]:
    accept_codes(key, options)
    return tuple(
        st.multiselect(
            label,
            list(options),
            format_func=options.__getitem__,
            key=key,
            bind="query-params",
            placeholder="All",
            on_change=first_units,
        )
    )


def first_units() -> None:
    """Begin the list anew: what the cursors point at belongs to another choice."""
    st.session_state.pop(CURSORS, None)


def clear_unit_filters() -> None:
    """Show everything again."""
    first_units()
    st.session_state["q"] = ""
    for key in CODES:
        st.session_state[key] = []
    for key in ("up", "down"):
        st.session_state[key] = None
