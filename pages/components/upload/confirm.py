"""From a dry run to the register: why warnings are right, whether drafts are kept, and the button that registers."""

from typing import Any

import streamlit as st

from models.bulk import BulkJob
from pages.components.common.actions import attempt
from pages.frame.markdown import escape_markdown
from services.assets.bulk.upload.jobs import confirm_job
from services.assets.registration.record import MINIMUM_JUSTIFICATION, is_justification
from services.core.identity.actor import Actor


def draw_confirmation(actor: Actor, job: BulkJob) -> None:
    """Confirmation before the rows are judged again and written: reasons, drafts, the button."""
    warned = {code: rule for code, rule in sorted(job.summary.items()) if rule["severity"] == "warning"}
    if not (job.rows_registered or job.rows_updated or job.rows_refused or job.rows_draft):
        st.success(
            "Every row is in the register as it stands in the file: there is nothing to do.", icon=":material/task_alt:"
        )
        return
    st.subheader("Register them", anchor=False)
    reasons = _ask_reasons(job, warned)
    key = f"upload-keep/{job.id}"
    if job.rows_refused or job.rows_draft:
        st.toggle("Keep rows that only lack mandatory values as drafts", value=job.keep_drafts, key=key)
    keep = bool(st.session_state.get(key, job.keep_drafts))
    through = job.rows_registered + job.rows_updated
    st.caption(_outlook(through, job, bool(warned), bool(reasons)))
    st.button(
        "Register",
        type="primary",
        icon=":material/upload:",
        disabled=not (through or reasons or keep),
        on_click=attempt,
        args=(
            lambda: confirm_job(actor, job.id, justifications=reasons, keep_drafts=keep),
            "Registration started.",
            *(_key(job, code) for code in warned),
        ),
    )


def _key(job: BulkJob, code: str) -> str:
    return f"upload-why/{job.id}/{code}"


def _ask_reasons(job: BulkJob, warned: dict[str, Any]) -> dict[str, str]:
    """One justification for all warnings of a rule: code -> what was said, where it says enough."""
    if not warned:
        return {}
    st.caption(
        f"Rows with warnings go through once it is said why they are right, in {MINIMUM_JUSTIFICATION} characters or more. One "
        "sentence covers all warnings of a rule; it is kept on each record."
    )
    reasons: dict[str, str] = {}
    for code, rule in warned.items():
        rows = "1 row" if rule["rows"] == 1 else f"{rule['rows']:,} rows"
        st.markdown(f"**{rows}**: {escape_markdown(rule['examples'][0]['message'][:200])}")
        why = st.text_area(
            f"Why is it right ({code}, {rows})?", key=_key(job, code), height=72, persist_state="session"
        )
        if is_justification(why):
            reasons[code] = why or ""
        elif why:
            st.caption(f":orange[Say a little more: {MINIMUM_JUSTIFICATION} characters or more.]")
    return reasons


def _outlook(through: int, job: BulkJob, warned: bool, reasons: bool) -> str:
    rows = "1 row goes" if through == 1 else f"{through:,} rows go"
    words = f"{rows} through as things stand."
    if warned:
        words += (
            " Rows whose warnings are justified are added."
            if reasons
            else " Rows with warnings are refused unless justified."
        )
    return escape_markdown(f"{words} All are judged again when you register; those that don't go through are left out.")
