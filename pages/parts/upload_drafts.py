"""Rows of a file that only lack mandatory values: a table in which they are completed and registered."""

from typing import Any

import streamlit as st

from models.bulk import BulkDraft, BulkJob
from pages.frame.refusals import show_refusal
from services.assets.bulk.drafts import job_drafts, register_bulk_draft
from services.assets.bulk.looking import attribute_choices
from services.core.actor import Actor
from services.core.errors import RegisterError

SHOWN = 200
ALWAYS = ("AssetName", "AssetCategory")


def draw_drafts(actor: Actor, job: BulkJob) -> None:
    """The first drafts with a column for everything that any of them lacks."""
    drafts = job_drafts(actor, job.id, limit=SHOWN)
    if not drafts:
        return
    st.subheader("Drafts to complete", anchor=False)
    more = f" The first {SHOWN} of {job.rows_draft:,}." if job.rows_draft > SHOWN and len(drafts) == SHOWN else ""
    st.caption(f"Fill in what is missing; rows that you change are registered.{more}")
    labels = attribute_choices()
    terms = _terms(drafts, labels)
    rows = [{"Row": one.row_number, **{term: one.values.get(term) for term in terms}} for one in drafts]
    config = {term: st.column_config.TextColumn(labels.get(term, term)) for term in terms}
    # A table of its own for each state of the drafts: what was registered leaves no edit behind.
    key = f"upload-drafts-{job.id}-{len(drafts)}-{drafts[0].row_number}"
    edited = st.data_editor(rows, column_config=config, disabled=["Row"], hide_index=True, width="stretch", key=key)
    if st.button("Register what I completed", icon=":material/check:"):
        _register(actor, drafts, rows, list(edited))


def _terms(drafts: list[BulkDraft], labels: dict[str, str]) -> list[str]:
    lacking = {lack["field"] for one in drafts for lack in one.lacks if lack.get("field")}
    if any(lack["code"] == "MPAN-07" for one in drafts for lack in one.lacks):
        lacking |= {"ImportMPAN", "ExportMPAN"}
    return [*ALWAYS, *(term for term in labels if term in lacking and term not in ALWAYS)]


def _register(actor: Actor, drafts: list[BulkDraft], before: list[dict[str, Any]], after: list[dict[str, Any]]) -> None:
    done = 0
    refused: list[tuple[int, RegisterError]] = []
    for draft, old, new in zip(drafts, before, after, strict=True):
        changed = {term: text for term, text in new.items() if term != "Row" and text != old[term]}
        if not changed:
            continue
        try:
            register_bulk_draft(actor, draft.id, changed)
            done += 1
        except RegisterError as error:
            refused.append((draft.row_number, error))
    if done:
        st.success(f"{done:,} registered.", icon=":material/check_circle:")
    for row, error in refused:
        st.markdown(f"**Row {row}**")
        show_refusal(error)
    if not done and not refused:
        st.info("Fill in a value first.", icon=":material/edit:")
