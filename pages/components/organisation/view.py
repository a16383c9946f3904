"""The view of an organisation: status, attributes by group, company registry check, changes that wait for approval."""

from collections.abc import Mapping
from datetime import datetime
from itertools import groupby
from typing import Any, Literal

import streamlit as st

from models.participants import Organisation, OrganisationStatus
from pages.components.organisation.form import LABELS
from pages.frame.markdown import escape_markdown
from pages.frame.refusals import format_value
from services.core.clock import show_moment
from services.participants.reading import attribute_terms, column_of
from services.participants.rules import MATERIAL_TERMS, ORGANISATION_ATTRIBUTES

Colour = Literal["red", "orange", "yellow", "blue", "green", "violet", "gray", "grey", "primary"]
STATUS_STYLES: dict[OrganisationStatus, tuple[Colour, str]] = {
    OrganisationStatus.PENDING_APPROVAL: ("blue", "hourglass_top"),
    OrganisationStatus.ACTIVE: ("green", "check_circle"),
    OrganisationStatus.REFUSED: ("red", "block"),
    OrganisationStatus.SUSPENDED: ("yellow", "pause_circle"),
    OrganisationStatus.WITHDRAWN: ("gray", "archive"),
}
OUTCOMES: dict[str, tuple[str, Colour, str]] = {
    "agrees": ("Company registry agrees", "green", "verified"),
    "differs": ("Company registry differs", "red", "error"),
    "not found": ("Not in the company registry", "red", "search_off"),
    "not applicable": ("Not in a company registry's reach", "gray", "remove"),
    "not checked": ("Not held against a company registry", "gray", "remove"),
    "waiting": ("Company registry is being asked", "blue", "hourglass_top"),
}


def draw_status(organisation: Organisation) -> None:
    """Draw the status as a badge, and the reason where one was given."""
    status = organisation.organisation_status
    colour, sign = STATUS_STYLES[status]
    st.badge(status.value, color=colour, icon=f":material/{sign}:")
    if organisation.status_reason:
        st.caption(f"Reason: {escape_markdown(organisation.status_reason)}")


def draw_attributes(values: Mapping[str, Any]) -> None:
    """Draw every attribute, group by group; `values` by ontology term. What is empty shows a dash."""
    grid = st.grid(2, min_column_width=360)
    for group, members in groupby(ORGANISATION_ATTRIBUTES, key=lambda attribute: attribute.group):
        rows = []
        for attribute in members:
            labels = {option.code: option.label for option in attribute.options}
            value = values.get(attribute.term)
            if attribute.term == "Identifiers":
                value = [f"{pair['scheme']} {pair['value']}" for pair in value or []]
            named = (
                [labels.get(code, code) for code in value] if isinstance(value, list) else labels.get(str(value), value)
            )
            rows.append({"Attribute": attribute.label, "Value": escape_markdown(format_value(named))})
        with grid.container(border=True):
            st.markdown(f"**{group}**")
            st.table(rows, border="horizontal", hide_index=True, hide_header=True, alt=group)


def draw_registry_check(organisation: Organisation) -> None:
    """Draw the answer of the company registry, field by field."""
    check = organisation.registry_check
    outcome = str(check.get("outcome") or "waiting")
    words, colour, icon = OUTCOMES.get(outcome, (outcome.capitalize(), "gray", "help"))
    with st.container(horizontal=True, vertical_alignment="center"):
        st.badge(words, color=colour, icon=f":material/{icon}:")
        moment = show_moment(datetime.fromisoformat(check["at"])) if check.get("at") else None
        source = " · ".join(part for part in (check.get("source"), moment) if part)
        if source:
            st.caption(escape_markdown(source))
    if check.get("message"):
        st.caption(escape_markdown(str(check["message"])))
    rows = [
        {
            "Attribute": LABELS.get(comparison["field"], comparison["field"]),
            "Declared": format_value(comparison.get("declared")),
            "Company registry": format_value(comparison.get("theirs")),
            "Outcome": str(comparison.get("outcome", "")).replace("_", " ").capitalize(),
            "Meaning": comparison.get("message") or "",
        }
        for comparison in check.get("comparisons", [])
    ]
    if rows:
        st.dataframe(rows, hide_index=True, width="stretch", key=f"registry-{organisation.id}")


def draw_material_change(organisation: Organisation) -> None:
    """Draw the material changes of an approved organisation that wait for approval, beside what was approved."""
    if organisation.organisation_status is not OrganisationStatus.PENDING_APPROVAL or not organisation.approved_at:
        return
    wished = attribute_terms(organisation)
    approved = {term: organisation.approved_values.get(column_of(term)) for term in MATERIAL_TERMS}
    rows = [
        {"Attribute": LABELS[term], "Approved": format_value(value), "Wished": format_value(wished[term])}
        for term, value in approved.items()
        if value != wished[term]
    ]
    if rows:
        st.markdown(f"Approved first on {show_moment(organisation.approved_at)}; these changes wait for approval:")
        st.dataframe(rows, hide_index=True, width="stretch", key=f"change-{organisation.id}")
