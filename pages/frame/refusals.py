"""Refusals as the portal shows them: in the register's own words, with what to do next."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import streamlit as st

from pages.frame.markdown import escape_markdown
from pages.frame.session import become, persona_before
from services.core.errors import (
    Blocker,
    Conflict,
    Duplicate,
    Finding,
    Forbidden,
    Invalid,
    NotFound,
    Refused,
    RegisterError,
    Severity,
    TooManyRequests,
    Unauthenticated,
    Unavailable,
)

UNIT = "market_unit"
"""What blockers and duplicates call a market unit."""


def show_refusal(error: RegisterError, labels: Mapping[str, str] | None = None) -> None:
    """Draw a refusal where it happened; what was typed stays where it is. `labels` say what the form calls its fields."""
    match error:
        case Invalid():
            show_findings(error.findings, labels)
        case Conflict():
            st.warning(escape_markdown(error.message), icon=":material/sync_problem:")
            show_changes(error.changes)
        case Duplicate():
            st.error(escape_markdown(error.message), icon=":material/content_copy:")
            if error.existing_id and error.kind == "asset":
                st.page_link(
                    "pages/assets/asset.py",
                    label="Open the existing asset",
                    icon=":material/bolt:",
                    query_params={"id": error.existing_id},
                )
            if error.existing_id and error.kind == UNIT:
                link_unit(error.existing_id, "Open the existing unit")
        case Refused():
            st.error(escape_markdown(error.reason), icon=":material/block:")
            show_blockers(error.blockers)
        case Unauthenticated():
            st.error(escape_markdown(error.message), icon=":material/logout:")
            st.button("Sign in again", on_click=st.session_state.clear)
        case NotFound():
            st.warning(escape_markdown(error.message), icon=":material/search_off:")
            st.page_link("pages/home.py", label="Back to home", icon=":material/home:")
            offer_role_before()
        case Forbidden() | TooManyRequests():
            st.error(escape_markdown(error.message), icon=":material/lock:")
        case Unavailable():
            st.error(escape_markdown(error.message), icon=":material/cloud_off:")
        case _:
            st.error(escape_markdown(error.message))


def offer_role_before() -> None:
    """In the demo, the way back to the role through which this address showed something."""
    before = persona_before()
    if before is not None:
        st.button(f"Back to {before.label}", icon=":material/undo:", on_click=become, args=(before.key,))


def show_findings(
    findings: Sequence[Finding], labels: Mapping[str, str] | None = None, anchors: Mapping[str, str] | None = None
) -> None:
    """All findings in one summary, errors first; beside their fields they are shown by the form.

    `anchors`: where the fields of terms stand on the page, for links to them.
    """
    labels, anchors = labels or {}, anchors or {}
    errors = [finding for finding in findings if finding.severity is Severity.ERROR]
    warnings = [finding for finding in findings if finding.severity is Severity.WARNING]
    if errors:
        lines = "\n".join(_line(finding, labels, anchors) for finding in errors)
        st.error(f"**There is a problem: {fields_in_words(len(errors))}**\n\n{lines}", icon=":material/error:")
    if warnings:
        lines = "\n".join(_line(finding, labels, anchors) for finding in warnings)
        count = "1 value needs" if len(warnings) == 1 else f"{len(warnings)} values need"
        st.warning(f"**{count} a reason**\n\n{lines}", icon=":material/warning:")


def fields_in_words(count: int) -> str:
    """Say how many fields are to be corrected."""
    return "1 field needs attention" if count == 1 else f"{count:,} fields need attention"


def _line(finding: Finding, labels: Mapping[str, str], anchors: Mapping[str, str]) -> str:
    term = finding.field or ""
    where = escape_markdown(labels.get(term, term))
    head = f"[**{where}**](#{anchors[term]}): " if term in anchors else f"**{where}**: " if where else ""
    return f"- {head}{escape_markdown(finding.message)} :small[{escape_markdown(finding.code)}]"


def show_blockers(blockers: Sequence[Blocker]) -> None:
    """List of blockers, a line each, with what to do about it."""
    for blocker in blockers:
        st.markdown(f"- **{escape_markdown(blocker.label)}** — {escape_markdown(blocker.action)}")
        link_blocker(blocker)


RECORD_PAGES = {
    "asset": ("pages/assets/asset.py", "Open that asset", "bolt"),
    UNIT: ("pages/market/unit.py", "Open that unit", "hub"),
    "qualification": ("pages/market/application.py", "Open that application", "assignment"),
    "organisation": ("pages/participants/organisation.py", "Open that organisation", "apartment"),
}


def link_blocker(blocker: Blocker) -> None:
    """The way to the record that stands in the way, where it is one."""
    page = RECORD_PAGES.get(blocker.kind)
    try:
        UUID(blocker.id)
    except ValueError:
        return
    if page is not None:
        file, label, icon = page
        st.page_link(file, label=label, icon=f":material/{icon}:", query_params={"id": blocker.id})


def link_unit(identifier: str, label: str) -> None:
    """The way to a market unit that is named."""
    st.page_link("pages/market/unit.py", label=label, icon=":material/hub:", query_params={"id": identifier})


def show_changes(changes: Mapping[str, tuple[Any, Any]], labels: Mapping[str, str] | None = None) -> None:
    """Before and after, field by field, as a table."""
    labels = labels or {}
    if not changes:
        return
    rows = [
        {"Field": labels.get(name, name), "Before": format_value(before), "After": format_value(after)}
        for name, (before, after) in changes.items()
    ]
    st.dataframe(rows, hide_index=True, width="stretch")


def format_value(value: Any) -> str:
    """A value as people read it; a dash for nothing."""
    if value is None or value == "" or value == [] or value == {}:
        return "–"
    if isinstance(value, bool):
        return "Yes" if value else "No"
    if isinstance(value, dict):
        return ", ".join(f"{key}: {format_value(item)}" for key, item in value.items())
    if isinstance(value, (list, tuple)):
        return "; ".join(format_value(item) for item in value)
    return str(value)
