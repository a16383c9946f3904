"""Telling whoever handed a file in that its job has ended, on whichever page they are by then."""

from uuid import UUID

import streamlit as st

from models.bulk import UNFINISHED, BulkJob
from pages.components.upload.labels import describe_end
from services.assets.bulk.upload.jobs import get_job
from services.assets.bulk.upload.notifications import note_seen
from services.core.errors import NotFound
from services.core.identity.actor import Actor

FOLLOWED, SEEN = "upload-followed!", "upload-seen!"


def follow(job: BulkJob) -> None:
    """Tell of this job's end in this browser session."""
    st.session_state.setdefault(FOLLOWED, set()).add(job.id)


def mark_seen(actor: Actor, job: BulkJob) -> None:
    """Its end stands on the screen now: nobody needs to be told, here or on home. Kept once for each end."""
    st.session_state.get(FOLLOWED, set()).discard(job.id)
    end = (job.id, job.finished_at)
    if st.session_state.get(SEEN) != end:
        note_seen(actor, job.id)
        st.session_state[SEEN] = end


def announce_ends(actor: Actor) -> None:
    """Look now and then after the jobs that are followed, while there are any, and tell of each end once."""
    open_job = st.query_params.get("job")
    if all(str(job_id) == open_job for job_id in st.session_state.get(FOLLOWED, ())):
        return

    @st.fragment(run_every="5s")
    def look() -> None:
        """Asked again without drawing the page anew."""
        waiting: set[UUID] = st.session_state.get(FOLLOWED, set())
        for job_id in sorted(waiting):
            if str(job_id) == open_job:
                continue
            try:
                job = get_job(actor, job_id)
            except NotFound:
                waiting.discard(job_id)
                continue
            if job.status not in UNFINISHED:
                waiting.discard(job_id)
                st.toast(f"{describe_end(job)}. Home leads to it.", icon=":material/upload_file:", duration="long")

    look()
