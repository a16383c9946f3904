"""Labels of a file's outcome, the same on its page, in the list of files, on home and in passing."""

from typing import Literal

import streamlit as st

from models.bulk import UNFINISHED, BulkJob, JobStatus
from pages.frame.markdown import escape_markdown
from services.assets.bulk.upload.column_mapping import CODES, REASONS
from services.assets.bulk.upload.results import Progress

LONGEST_REASON = 120
COLOURS: dict[JobStatus, Literal["blue", "green", "red", "gray"]] = {
    JobStatus.QUEUED: "blue",
    JobStatus.RUNNING: "blue",
    JobStatus.COMPLETED: "green",
    JobStatus.FAILED: "red",
    JobStatus.CANCELLED: "gray",
}


def describe_counts(job: BulkJob) -> str:
    """Outcome of the job's rows in words; what is nought is left out."""
    if job.status in UNFINISHED:
        return "under way"
    numbers = (
        (job.rows_registered, "new" if job.dry_run else "registered"),
        (job.rows_updated, "to change" if job.dry_run else "changed"),
        (job.rows_unchanged, "unchanged"),
        (job.rows_refused, "refused"),
        (job.rows_draft, "draft" if job.rows_draft == 1 else "drafts"),
    )
    return ", ".join(f"{number:,} {word}" for number, word in numbers if number) or "nothing done"


def describe_end(job: BulkJob) -> str:
    """One sentence, in Markdown, for its owner: which file, how it ended, with what."""
    name = f"**{escape_markdown(job.file_name)}**"
    match job.status:
        case JobStatus.FAILED:
            reason = job.reason or "something went wrong"
            cut = reason if len(reason) <= LONGEST_REASON else f"{reason[: LONGEST_REASON - 1]}…"
            return f"{name} could not go on: {escape_markdown(cut)}"
        case JobStatus.CANCELLED:
            return f"{name} was cancelled: {describe_counts(job)}"
        case _ if job.dry_run:
            return f"{name} was checked: {describe_counts(job)}; nothing is registered yet"
        case _:
            return f"{name} is through: {describe_counts(job)}"


def draw_badge(job: BulkJob) -> None:
    """Badge of the job's state, in one word and a colour."""
    if job.dry_run and job.status is JobStatus.COMPLETED:
        st.badge("Checked", color="violet", icon=":material/science:")
        return
    st.badge(job.status, color=COLOURS[job.status])
    if job.dry_run:
        st.badge("Dry run", color="violet", icon=":material/science:")


def time_left(at: Progress) -> str:
    """Remaining time in words, from what is done; nothing where that isn't known."""
    if not at.seconds_left:
        return ""
    minutes, seconds = divmod(at.seconds_left, 60)
    return f", about {f'{minutes} min {seconds} s' if minutes else f'{seconds} s'} left"


def left_out(job: BulkJob) -> list[str]:
    """The headings of the file whose columns are not read."""
    if job.ready_made:
        return []
    read = {int(place) for place in job.columns}
    own = (CODES, REASONS)
    return [heading for place, heading in enumerate(job.headings) if place not in read and heading not in ("", *own)]
