"""Rows of a file that only lack mandatory values: a table in which they are completed and registered."""

from typing import Any

import streamlit as st

from models.bulk import BulkDraft, BulkJob
from pages.frame.refusals import show_refusal
from services.assets.bulk.upload.drafts import job_drafts, register_bulk_draft
from services.assets.registration.record import MINIMUM_JUSTIFICATION
from services.assets.rules.template_columns import TemplateColumn, template_columns
from services.core.errors import RegisterError, Severity
from services.core.identity.actor import Actor

SHOWN = 200
NAME, CATEGORY = "AssetName", "AssetCategory"
SAID, TYPED, WHY = "upload-drafts!said", "upload-drafts!typed", "upload-drafts-why"
Refusals = list[tuple[int, RegisterError]]


def draw_drafts(actor: Actor, job: BulkJob) -> None:
    """The first drafts with a column for everything that any of them lacks."""
    drafts = job_drafts(actor, job.id, limit=SHOWN)
    st.subheader("Drafts to complete", anchor=False)
    _show_outcome()
    if not drafts:
        st.success("No draft of this file waits any more.", icon=":material/check_circle:")
        return
    left = f"The first {SHOWN} are shown." if len(drafts) == SHOWN else f"{len(drafts):,} of {job.rows_draft:,} wait."
    st.caption(f"Fill in what is missing; rows that you change are registered. {left}")
    columns = {column.term: column for column in template_columns(None)}
    terms = _terms(drafts, columns)
    # What was typed into a row that was refused stays in it, though the table is another once a row has left it.
    typed: dict[Any, dict[str, Any]] = st.session_state.setdefault(TYPED, {})
    rows = [
        {"Row": draft.row_number} | {t: (draft.values | typed.get(draft.id, {})).get(t) for t in terms}
        for draft in drafts
    ]
    edited = st.data_editor(
        rows,
        column_config={"Row": st.column_config.NumberColumn(width=60)} | {t: _column(columns[t]) for t in terms},
        disabled=["Row"],
        hide_index=True,
        width="stretch",
        placeholder="–",
        key=f"upload-drafts-{job.id}-{len(drafts)}-{drafts[0].row_number}",
    )
    if typed or any(rule["severity"] == "warning" for rule in job.summary.values()):
        help_words = f"{MINIMUM_JUSTIFICATION} characters or more, kept on each record that raises a warning."
        st.text_input("Why are the values right that raise warnings?", key=WHY, help=help_words)
    if st.button("Register what I completed", icon=":material/check:"):
        _register(actor, drafts, list(edited))


def _column(column: TemplateColumn) -> Any:
    if column.kind == "code" and column.options:
        labels = {option.code: option.label for option in column.options}
        return st.column_config.SelectboxColumn(
            column.label,
            options=list(labels),
            format_func=lambda code: labels.get(str(code), str(code)),
            help=column.meaning,
        )
    return st.column_config.TextColumn(column.label, help=column.allowed)


def _terms(drafts: list[BulkDraft], columns: dict[str, TemplateColumn]) -> list[str]:
    lacks = [lack for draft in drafts for lack in draft.lacks]
    lacking = {lack["field"] for lack in lacks if lack.get("field") and lack.get("severity") != Severity.WARNING}
    if any(lack["code"] == "MPAN-07" for lack in lacks):
        lacking |= {"ImportMPAN", "ExportMPAN"}
    return [NAME, *(term for term in columns if term in lacking and term not in (NAME, CATEGORY)), CATEGORY]


def _register(actor: Actor, drafts: list[BulkDraft], after: list[dict[str, Any]]) -> None:
    done, refused = 0, Refusals()
    typed: dict[Any, dict[str, Any]] = {}
    for draft, new in zip(drafts, after, strict=True):
        values = {term: value or None for term, value in new.items() if term != "Row"}
        changed = {term: value for term, value in values.items() if value != draft.values.get(term)}
        if not changed:
            continue
        try:
            register_bulk_draft(actor, draft.id, changed, justification=st.session_state.get(WHY) or None)
            done += 1
        except RegisterError as error:
            refused.append((draft.row_number, error))
            typed[draft.id] = changed
    st.session_state[SAID], st.session_state[TYPED] = (done, refused), typed
    st.rerun()


def _show_outcome() -> None:
    """Outcome of the rows, once."""
    outcome: tuple[int, Refusals] | None = st.session_state.pop(SAID, None)
    if outcome is None:
        return
    done, refused = outcome
    if done:
        st.success(f"{done:,} registered.", icon=":material/check_circle:")
    for row, error in refused:
        st.markdown(f"**Row {row}**")
        show_refusal(error)
    if not done and not refused:
        st.info("Fill in a value first.", icon=":material/edit:")
