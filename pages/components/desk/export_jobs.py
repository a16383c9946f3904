"""Large files of assets that one's organisation had made: how far they are, and the way to fetch them (UC-02.04)."""

import streamlit as st

from models.bulk import UNFINISHED, JobStatus
from models.exports import ExportJob
from pages.components.common.actions import attempt
from pages.components.common.base_map import origin
from pages.components.upload.labels import COLOURS, time_left
from pages.frame.markdown import escape_markdown
from pages.frame.session import browser_mark
from services.assets.bulk.export.jobs import cancel_export, delete_export, export_ticket, kept_days, list_exports
from services.assets.bulk.upload.results import progress
from services.core.clock import show_moment
from services.core.identity.actor import Actor

SHOWN = 5


def draw_exports(actor: Actor) -> None:
    """The latest exports; while one is under way they draw themselves anew."""
    exports = list_exports(actor, SHOWN)
    if not exports:
        return
    days = kept_days(actor)
    st.caption(f"Files that were made before are kept for {days} {'day' if days == 1 else 'days'}.")
    if not any(job.status in UNFINISHED for job in exports):
        _draw(actor, exports)
        return

    @st.fragment(run_every="2s")
    def follow() -> None:
        """Progress of the exports, asked again every other second."""
        latest = list_exports(actor, SHOWN)
        if not any(job.status in UNFINISHED for job in latest):
            st.rerun()
        _draw(actor, latest)

    follow()


def _draw(actor: Actor, exports: list[ExportJob]) -> None:
    for job in exports:
        with st.container(border=True):
            _draw_job(actor, job)


def _draw_job(actor: Actor, job: ExportJob) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f"**{job.file_format.upper()}**", width="content")
        st.badge(job.status, color=COLOURS[job.status])
        st.caption(f"{escape_markdown(job.submitted_by)}, {show_moment(job.created_at)}")
    if job.status in UNFINISHED:
        at = progress(job)
        words = (
            f"{at.rows_done:,} of {at.rows_total:,} assets{time_left(at)}" if at.rows_total else "Waits for its turn"
        )
        st.progress(min(at.rows_done / at.rows_total, 1.0) if at.rows_total else 0.0, text=words)
        _act("Cancel", "cancel", job, lambda: cancel_export(actor, job.id), "Cancelled.")
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        if job.status is JobStatus.COMPLETED:
            st.link_button(_label(job), _address(actor, job), icon=":material/download:", key=f"take-{job.id}")
        elif job.reason:
            st.caption(escape_markdown(job.reason))
        _act("Remove", "delete", job, lambda: delete_export(actor, job.id), "Removed.")


def _label(job: ExportJob) -> str:
    return f"Download {job.rows_done:,} assets, {(job.size or 0) / 1_000_000:,.1f} MB"


def _address(actor: Actor, job: ExportJob) -> str:
    """Address at which this browser alone fetches the file: a browser can send no token, and memory holds no such file."""
    return f"{origin()}/api/files/export?ticket={export_ticket(actor, job.id, browser_mark())}"


def _act(label: str, icon: str, job: ExportJob, act: object, done: str) -> None:
    st.button(
        label,
        icon=f":material/{icon}:",
        type="tertiary",
        key=f"{icon}-{job.id}",
        on_click=attempt,
        args=(act, done),
    )
