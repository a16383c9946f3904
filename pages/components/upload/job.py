"""A job that a file of assets became: progress, counts, findings, map, confirmation, and what is left to do."""

from datetime import timedelta

import streamlit as st

from models.assets import AssetStatus
from models.bulk import UNFINISHED, BulkJob, JobStatus
from pages.components.common.actions import attempt
from pages.components.common.base_map import draw_map
from pages.components.upload.confirm import draw_confirmation
from pages.components.upload.drafts import draw_drafts
from pages.components.upload.findings import draw_findings
from pages.components.upload.labels import draw_badge, left_out, time_left
from pages.components.upload.notices import draw_notices
from pages.components.upload.notifications import follow, mark_seen
from pages.frame.markdown import escape_markdown
from pages.frame.navigation import link
from services.assets.bulk.upload.jobs import cancel_job, delete_job, get_job
from services.assets.bulk.upload.notifications import kept_until, worker_seen
from services.assets.bulk.upload.results import job_positions, progress
from services.core.clock import now, show_date, show_moment
from services.core.identity.actor import Actor

QUIET = timedelta(seconds=90)
"""A worker that hasn't looked after jobs for so long is stopped, or busy with something large."""
NEW, CHANGED = [86, 180, 233], [230, 159, 0]
MOST_POINTS = 3_000


def draw_job(actor: Actor, job: BulkJob) -> None:
    """Everything about one job; while it is under way it draws itself anew."""
    if job.status in UNFINISHED:
        _watch(actor, job)
        return
    _heading(job)
    mark_seen(actor, job)
    _show_end(job)
    draw_notices(notice["message"] for notice in job.notices)
    _counts(job)
    draw_findings(actor, job)
    _map(actor, job)
    if job.dry_run and job.status is JobStatus.COMPLETED:
        draw_confirmation(actor, job)
    elif job.rows_draft and not job.dry_run:
        draw_drafts(actor, job)
    _remove(actor, job)


def _heading(job: BulkJob) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        st.subheader(escape_markdown(job.file_name), anchor=False, width="content")
        draw_badge(job)
    st.caption(f"Uploaded by {escape_markdown(job.submitted_by)}, {show_moment(job.created_at)}.")


def _watch(actor: Actor, job: BulkJob) -> None:
    follow(job)

    @st.fragment(run_every="1s")
    def bar() -> None:
        """Progress of the job, asked again every second."""
        now_at = get_job(actor, job.id)
        if now_at.status not in UNFINISHED:
            st.rerun()
        _heading(now_at)
        at = progress(now_at)
        words = f"{at.rows_done:,} of {at.rows_total:,} rows"
        if now_at.status is JobStatus.QUEUED and not at.rows_done:
            words = f"{at.rows_total:,} rows wait for their turn"
        if at.rows_per_second:
            words += f", {at.rows_per_second:,.0f} rows a second"
        st.progress(at.rows_done / at.rows_total if at.rows_total else 0.0, text=words + time_left(at))
        if now_at.reason:
            st.info(escape_markdown(now_at.reason), icon=":material/hourglass_empty:")
        _warn_of_idle_worker(actor)

    bar()
    st.caption("You can leave this page or close the browser: the job goes on, and Home tells you when it has ended.")
    st.button(
        "Cancel",
        icon=":material/cancel:",
        on_click=attempt,
        args=(
            lambda: cancel_job(actor, job.id),
            f"Cancelled. {'Nothing was registered' if job.dry_run else 'What was registered by then stays'}.",
        ),
    )


def _warn_of_idle_worker(actor: Actor) -> None:
    seen = worker_seen(actor)
    if seen is None or now() - seen > QUIET:
        since = "" if seen is None else f" since {show_moment(seen)}"
        st.warning(
            f"The register's worker hasn't looked after files{since}: it is stopped, or busy with something large. Nothing is "
            "lost, and the job goes on by itself as soon as it runs. If this lasts, tell the register's operator.",
            icon=":material/hourglass_disabled:",
        )


def _show_end(job: BulkJob) -> None:
    """State of the job, and what there is to do next."""
    next_steps = " Mend the refused rows and send them again." if job.rows_refused else ""
    next_steps += " Complete the drafts below." if job.rows_draft else ""
    if job.status is JobStatus.FAILED:
        st.error(escape_markdown(job.reason or "The job could not go on."), icon=":material/error:")
        st.markdown(_describe_way_on(job))
    elif job.status is JobStatus.CANCELLED:
        st.info(escape_markdown(job.reason or "Cancelled."), icon=":material/cancel:")
        st.markdown(_describe_way_on(job))
    elif job.dry_run:
        st.info(
            "Checked: nothing is registered yet. See what was found, then register what goes through; or mend the file and "
            "send it again.",
            icon=":material/science:",
        )
    elif job.rows_registered or job.rows_updated:
        st.success(
            f"Done. Authenticity checks of what is new are under way.{next_steps}", icon=":material/check_circle:"
        )
        link("assets/assets.py", "See them among your assets", "map")
    else:
        st.info(f"Done, and nothing has changed in the register.{next_steps}", icon=":material/check_circle:")


def _describe_way_on(job: BulkJob) -> str:
    """Rows done of a job that stopped half way, and that sending its file again does no harm."""
    if not job.rows_done:
        return "No row of the file was reached: nothing is registered. Send the same file again when you want to go on."
    if job.dry_run:
        return (
            f"It was a dry run: nothing was registered. The first {job.rows_done:,} of {job.rows_total:,} rows were judged. "
            "Send the same file again to try it whole."
        )
    left = job.rows_total - job.rows_done
    return (
        f"The first {job.rows_done:,} rows of the file were worked on, and what was registered stays; the other {left:,} were "
        "not reached. To go on, **send the same file again**: rows that are registered count as unchanged, so nothing "
        "happens twice."
    )


def _counts(job: BulkJob) -> None:
    left = job.rows_total - job.rows_done
    figures = (
        ("New" if job.dry_run else "Registered", job.rows_registered),
        ("To change" if job.dry_run else "Changed", job.rows_updated),
        ("Unchanged", job.rows_unchanged),
        ("Refused", job.rows_refused),
        ("Drafts", job.rows_draft),
        *([("With warnings", job.rows_warned)] if job.rows_warned or not left else []),
        *([("Not reached", left)] if left else []),
    )
    with st.grid(3, min_column_width=150):
        for label, number in figures:
            st.metric(label, f"{number:,}", border=True)
    if passed := left_out(job):
        st.caption(f"Columns left out: {escape_markdown(', '.join(passed))[:500]}")


def _map(actor: Actor, job: BulkJob) -> None:
    places = job_positions(actor, job.id, MOST_POINTS)
    if not places:
        return
    st.subheader("Where they would be" if job.dry_run else "Where they are", anchor=False)
    through = job.rows_registered + job.rows_updated
    remarks = [f"{len(places):,} of {through:,} rows: the others tell no position, or lie close by."]
    both = {position["outcome"] for position in places} == {"registered", "updated"}
    words = [
        *(remarks if len(places) < through else []),
        *(["New ones are blue, changed ones orange."] if both else []),
    ]
    if words:
        st.caption(" ".join(words))
    points = [
        {
            "id": str(position["row"]),
            "name": position["name"],
            "detail": f"row {position['row']}, {position['rated_kw']} kW",
            "lat": position["latitude"],
            "lon": position["longitude"],
            "status": AssetStatus.PENDING_VALIDATION,
            "colour": NEW if position["outcome"] == "registered" else CHANGED,
        }
        for position in places
    ]
    draw_map(points, key=f"upload-map-{job.id}", height=420, selectable=False, close=True)


def _remove(actor: Actor, job: BulkJob) -> None:
    def remove() -> None:
        delete_job(actor, job.id)
        st.query_params.pop("job", None)

    until = kept_until(actor, job.id)
    st.divider()
    if until is not None:
        st.caption(f"This page and its files are kept until {show_date(until)}.")
    with st.popover("Remove this job and its file", icon=":material/delete:"):
        drafts = " So do the drafts that nobody has completed." if job.rows_draft and not job.dry_run else ""
        st.markdown(f"The file, what was found and the refused rows go.{drafts} The assets stay.")
        st.button(
            "Remove it",
            icon=":material/delete:",
            on_click=attempt,
            args=(remove, "Removed. The assets stay."),
        )
