"""Filters of applications, kept in the address so that a view can be sent to somebody (UC-04.02)."""

from collections.abc import Mapping
from datetime import date

import streamlit as st

from models.products import FAMILY_LABELS
from models.qualifications import QUALIFICATION_LABELS, QualificationStatus
from pages.components.common.asset_filters import accept_codes
from pages.components.common.asset_labels import group_words
from pages.components.qualification.labels import ADDRESS
from pages.frame.markdown import escape_markdown
from services.core.clock import show_date
from services.core.identity.actor import Actor
from services.grid.geography import LICENCE_AREAS
from services.market.qualification.counts import tally_qualifications
from services.market.qualification.filters import SEVERAL_GROUPS, QualificationFilters, parse_qualification_filters
from services.market.qualification.reason_codes import reason_label
from services.market.qualification.sla_clock import CLOCK_LABELS

LISTS = ("clock", "status", "product", "fsp", "so", "gsp", "family", "assigned")
ALONE = ("ends", "unit", "reason", "ends_from", "ends_until", "became", "became_from", "became_until")
"""Filters that links set: no field shows them, a line of words does."""


def choose_qualifications(actor: Actor, *, assesses: bool) -> QualificationFilters:
    """Draw the filters and return the choice. `assesses`: for those to whom applications are addressed."""
    tally = tally_qualifications(actor)
    groups = {area.gsp_group: group_words(area.gsp_group) for area in LICENCE_AREAS if area.gsp_group}
    parties = ("FSP", "fsp", tally.providers) if assesses else ("SO", "so", tally.operators)
    grid = st.grid(4, min_column_width=150)
    fields: list[tuple[str, str, Mapping[str, str]]] = [
        ("Clock", "clock", {str(code): label for code, label in CLOCK_LABELS.items()}),
        ("Status", "status", {str(code): label for code, label in QUALIFICATION_LABELS.items()}),
        ("Product", "product", {code: code for code in tally.products}),
        (parties[0], parties[1], {str(identifier): name for identifier, name in parties[2].items()}),
        ("GSP group", "gsp", {**dict(sorted(groups.items())), SEVERAL_GROUPS: "Several"}),
        ("Family", "family", {str(code): label for code, label in FAMILY_LABELS.items()}),
    ]
    if assesses:
        fields.append(("Assigned to", "assigned", {"me": "Me", "nobody": "Nobody"}))
    choices: dict[str, list[str]] = {}
    for label, key, options in fields:
        with grid.container():
            choices[key] = _choose(label, key, options)
    for key in ALONE:
        choices[key] = [value] if (value := st.query_params.get(key, "")) else []
    if not assesses or "so" not in choices:
        choices.setdefault("so", [identifier for identifier in st.query_params.get_all("so") if identifier])
    filters = parse_qualification_filters({term: choices.get(key, []) for term, key in ADDRESS.items()})
    if words := _in_words(filters):
        st.caption(f"Only those that {' and '.join(words)}.")
    return filters


def _in_words(filters: QualificationFilters) -> list[str]:
    """Clauses for the filters that no field shows."""
    clauses: list[str] = []
    if filters.became or filters.became_from or filters.became_until:
        what = QUALIFICATION_LABELS[QualificationStatus(filters.became)] if filters.became else "something else"
        clauses.append(f"became {what}{_between(filters.became_from, filters.became_until)}, wherever they stand now")
    if filters.reason:
        clauses.append(f"have the reason “{', '.join(escape_markdown(reason_label(code)) for code in filters.reason)}”")
    if filters.ends_from or filters.ends_until:
        clauses.append(f"end{_between(filters.ends_from, filters.ends_until)}")
    if filters.ends_within:
        clauses.append(f"end within {int(filters.ends_within)} days")
    return clauses


def _between(begin: str, end: str) -> str:
    since = f" from {show_date(date.fromisoformat(begin))}" if begin else ""
    return since + (f" to {show_date(date.fromisoformat(end))}" if end else "")


def _choose(label: str, key: str, options: Mapping[str, str]) -> list[str]:
    accept_codes(key, dict(options))
    return list(
        st.multiselect(
            label,
            list(options),
            format_func=options.__getitem__,
            key=key,
            bind="query-params",
            placeholder="All",
        )
    )


def clear_qualifications() -> None:
    """Show all again: the callback of a button."""
    for key in LISTS:
        if key in st.session_state:
            st.session_state[key] = []
    for key in (*ALONE, "so", "fsp"):
        st.query_params.pop(key, None)
