"""A job that a file of assets became: progress, counts, findings, map, confirmation, and what is left to do."""

from pathlib import Path
from typing import Any

import streamlit as st

from models.assets import AssetStatus
from models.bulk import UNFINISHED, BulkJob, JobStatus
from pages.frame.banner import plain
from pages.parts.asset_map import draw_map
from pages.parts.attempt import attempt
from pages.parts.made_file import made_file
from pages.parts.upload_drafts import draw_drafts
from services.assets.bulk.jobs import cancel_job, confirm_job, delete_job, get_job
from services.assets.bulk.judging import EVERY_CODE
from services.assets.bulk.results import job_positions, progress, write_findings, write_refused
from services.assets.recording import MINIMUM_JUSTIFICATION, is_justification
from services.core.actor import Actor
from services.core.clock import show_moment

COLOURS = {
    JobStatus.QUEUED: "blue",
    JobStatus.RUNNING: "blue",
    JobStatus.COMPLETED: "green",
    JobStatus.FAILED: "red",
    JobStatus.CANCELLED: "gray",
}
WHY = "upload-why"


def draw_job(actor: Actor, job: BulkJob) -> None:
    """Everything about one job; while it is under way it draws itself anew."""
    with st.container(horizontal=True, vertical_alignment="center"):
        st.subheader(plain(job.file_name), anchor=False)
        st.badge(job.status, color=COLOURS[job.status])  # pyright: ignore[reportArgumentType]
        if job.dry_run:
            st.badge("Dry run", color="violet", icon=":material/science:")
    st.caption(f"Handed in by {plain(job.submitted_by)}, {show_moment(job.created_at)}.")
    if job.status in UNFINISHED:
        _watch(actor, job)
        return
    if job.reason:
        st.error(plain(job.reason), icon=":material/error:")
    _counts(job)
    _findings(actor, job)
    _map(actor, job)
    if job.dry_run and job.status is JobStatus.COMPLETED:
        _confirm(actor, job)
    elif job.rows_draft:
        draw_drafts(actor, job)
    _remove(actor, job)


def _watch(actor: Actor, job: BulkJob) -> None:
    @st.fragment(run_every="1s")
    def bar() -> None:
        """How far it is, asked again every second."""
        now_at = get_job(actor, job.id)
        if now_at.status not in UNFINISHED:
            st.rerun()
        at = progress(now_at)
        words = f"{at.rows_done:,} of {at.rows_total:,} rows"
        if at.rows_per_second:
            words += f", {at.rows_per_second:,.0f} rows a second"
        if at.seconds_left:
            words += f", about {at.seconds_left // 60} min {at.seconds_left % 60} s left"
        st.progress(at.rows_done / at.rows_total if at.rows_total else 0.0, text=words)

    bar()
    st.caption("You can leave this page: the job goes on, and your organisation's event feed says when it has ended.")
    st.button(
        "Cancel", icon=":material/cancel:", on_click=attempt, args=(lambda: cancel_job(actor, job.id), "Cancelled.")
    )


def _counts(job: BulkJob) -> None:
    would = "would be " if job.dry_run else ""
    shown = (
        (f"New, {would}registered" if job.dry_run else "Registered", job.rows_registered),
        (f"Changed, {would}updated" if job.dry_run else "Updated", job.rows_updated),
        ("Unchanged", job.rows_unchanged),
        ("Refused", job.rows_refused),
        ("Drafts", job.rows_draft),
        ("With warnings", job.rows_warned),
    )
    with st.grid(3, min_column_width=150):
        for label, number in shown:
            st.metric(label, f"{number:,}", border=True)
    if job.unknown:
        st.caption(f"Columns left out: {plain(', '.join(job.unknown))[:500]}")


def _findings(actor: Actor, job: BulkJob) -> None:
    if not job.summary:
        st.success("Nothing to correct.", icon=":material/check_circle:")
        return
    st.subheader("What was found", anchor=False)
    ordered = sorted(job.summary.items(), key=lambda pair: (pair[1]["severity"], -pair[1]["rows"]))
    for code, said in ordered:
        # A row that only lacks something may be a draft: "refused" would contradict the counts.
        what = "to justify" if said["severity"] == "warning" else "to correct"
        first: dict[str, Any] = said["examples"][0]
        with st.expander(f"**{said['rows']:,}** {what}: {plain(first['message'])[:160]} ({code})"):
            st.caption(f"Expected: {plain(said['expected'])}")
            st.dataframe(
                [{"Row": e["row"], "Given": e["given"] or "–", "Message": e["message"]} for e in said["examples"]],
                hide_index=True,
                width="stretch",
                column_config={
                    "Row": st.column_config.NumberColumn(width=60),
                    "Given": st.column_config.TextColumn(width=160),
                },
            )
    with st.container(horizontal=True):
        findings = made_file(lambda path: write_findings(actor, job.id, path), "csv")
        st.download_button(
            "All findings", findings, f"findings-{job.id}.csv", icon=":material/download:", mime="text/csv"
        )
        if job.rows_refused:
            refused = made_file(lambda path: write_refused(actor, job.id, path), job.file_format)
            name = f"refused-{Path(job.file_name).stem}.{job.file_format}"
            st.download_button("Refused rows, to mend and send again", refused, name, icon=":material/download:")


def _map(actor: Actor, job: BulkJob) -> None:
    places = job_positions(actor, job.id, 3_000)
    if not places:
        return
    st.subheader("Where they are", anchor=False)
    if len(places) < job.rows_registered + job.rows_updated:
        st.caption(f"{len(places):,} of them, spread over the file.")
    points = [
        {
            "id": str(one["row"]),
            "name": one["name"],
            "detail": f"row {one['row']}, {one['rated_kw']} kW",
            "lat": one["latitude"],
            "lon": one["longitude"],
            "status": AssetStatus.PENDING_VALIDATION,
        }
        for one in places
    ]
    draw_map(points, key=f"upload-map-{job.id}", height=420, selectable=False)


def _confirm(actor: Actor, job: BulkJob) -> None:
    warned = any(said["severity"] == "warning" for said in job.summary.values())
    st.subheader("Register them", anchor=False)
    if warned:
        st.text_area(
            "Why are the values right that raise warnings?",
            key=WHY,
            height=80,
            persist_state="session",
            help=f"{MINIMUM_JUSTIFICATION} characters or more, kept on each record. Without it those rows are refused.",
        )
    why = (st.session_state.get(WHY) or "") if warned else ""
    reasons = {EVERY_CODE: why} if is_justification(why) else {}
    through = job.rows_registered + job.rows_updated + (job.rows_warned if reasons else 0)
    st.caption("The rows are judged again, as things stand then. Rows that don't go through are left out.")
    st.button(
        "Register",
        type="primary",
        icon=":material/upload:",
        disabled=not through and not job.keep_drafts,
        on_click=attempt,
        args=(lambda: confirm_job(actor, job.id, justifications=reasons), "On its way.", WHY),
    )


def _remove(actor: Actor, job: BulkJob) -> None:
    def remove() -> None:
        delete_job(actor, job.id)
        st.query_params.pop("job", None)

    st.button(
        "Remove this job and its file",
        icon=":material/delete:",
        on_click=attempt,
        args=(remove, "Removed. The assets stay."),
    )
