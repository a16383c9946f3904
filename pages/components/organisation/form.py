"""The form of an organisation, made from the attribute catalogue: attributes, help and findings."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import groupby
from typing import Any

import streamlit as st

from pages.components.common.aliases import alias_values, draw_aliases, typed_aliases
from pages.components.common.form_field import draw_field, value_of
from pages.components.common.form_state import FormState
from services.core.attributes import FormField, options_of, shipped_code_lists
from services.core.errors import Finding, Severity
from services.participants.reading import column_of
from services.participants.rules import ORGANISATION_ATTRIBUTES

IDENTIFIERS = "Identifiers"
ONLY_WHEN: Mapping[str, tuple[str, str]] = {
    "OrganisationTypeDescription": ("OrganisationType", "Other"),
    "OrganisationRolesDescription": ("OrganisationRoles", "Other"),
    "NonUkCompanyBusinessType": ("OrganisationType", "Non-UK Company"),
    "NonUkCompanyName": ("OrganisationType", "Non-UK Company"),
}
"""Fields that are drawn only while another one has a certain value; what was typed into them is kept."""
LABELS: dict[str, str] = {
    attribute.term: attribute.label
    if attribute.group in ("Organisation", "Registered address", "Identifiers")
    else f"{attribute.group}: {attribute.label.lower()}"
    for attribute in ORGANISATION_ATTRIBUTES
}
"""Labels that stand alone, in summaries and histories, by ontology term."""
COLUMN_LABELS: dict[str, str] = {
    **{column_of(term): label for term, label in LABELS.items()},
    "organisation_status": "Status",
    "status_reason": "Reason",
    "approved_at": "Approved at",
    "licence_areas": "Licence areas",
    "registry_check": "Company registry check",
}
"""The same by the columns that the ledger names."""


def _as_drawn(attribute: FormField) -> FormField:
    kind = "code" if attribute.kind == "country" else attribute.kind
    return replace(attribute, kind=kind, label=LABELS[attribute.term])


FIELDS: tuple[FormField, ...] = tuple(map(_as_drawn, ORGANISATION_ATTRIBUTES))


def draw_form(state: FormState, findings: Sequence[Finding]) -> None:
    """Draw all fields, group by group, each with its findings right under it. Fields marked * are mandatory."""
    beside: dict[str | None, list[Finding]] = {}
    for finding in findings:
        beside.setdefault(finding.field, []).append(finding)
    for group, members in groupby(FIELDS, key=lambda field: field.group):
        with st.container(border=True):
            st.subheader(group)
            _draw_group(list(members), state, beside)


def _draw_group(members: Sequence[FormField], state: FormState, beside: Mapping[str | None, Sequence[Finding]]) -> None:
    if members[0].term == IDENTIFIERS:
        draw_aliases(members[0], options_of(shipped_code_lists(), "IdentifierScheme"), state, beside)
        return
    fields = [field for field in members if _applies(field, state)]
    for start in range(0, len(fields), 2):
        cells = st.grid(2, min_column_width=300)
        for field in fields[start : start + 2]:
            with cells.container():
                draw_field(field, state, beside)


def _applies(field: FormField, state: FormState) -> bool:
    if field.term not in ONLY_WHEN:
        return True
    on, expected = ONLY_WHEN[field.term]
    value = state.get(on)
    return value == expected or (isinstance(value, list) and expected in value)


def read_values(state: FormState) -> dict[str, Any]:
    """Read the typed values by ontology term; None for what is empty or doesn't apply."""
    values = {
        field.term: value_of(field, state) if _applies(field, state) else None
        for field in FIELDS
        if field.term != IDENTIFIERS
    }
    return {**values, IDENTIFIERS: alias_values(state) or []}


def fill_form(state: FormState, values: Mapping[str, Any]) -> None:
    """Put a record's values, by ontology term, into the form."""
    typed = {field.term: values.get(field.term) for field in FIELDS if field.term != IDENTIFIERS}
    texts = {term: str(value) if isinstance(value, int) else value for term, value in typed.items() if value}
    state.fill({**texts, **typed_aliases(values.get(IDENTIFIERS) or [])}, ())


def draw_justification(state: FormState, findings: Sequence[Finding]) -> str | None:
    """Ask for the reason when warnings are all that is left, and return it."""
    if not findings or any(finding.severity is Severity.ERROR for finding in findings):
        return None
    return st.text_area(
        "Why is this right all the same?",
        key=state.key("_justification"),
        help="10 characters or more; kept with the record.",
        persist_state="session",
    )
