"""A portfolio in a file (UC-02.01, UC-02.03, UC-02.04): tried first, then registered, by the same rules as one asset."""

from uuid import UUID

import streamlit as st

from models.bulk import BulkJob
from pages.components.common.actions import show_outcome
from pages.components.common.downloads import draw_file_download
from pages.components.upload.form import draw_form
from pages.components.upload.job import draw_job
from pages.components.upload.labels import describe_counts, draw_badge
from pages.frame import session
from pages.frame.markdown import escape_markdown
from pages.frame.navigation import link
from services.assets.bulk.upload.jobs import get_job, list_jobs
from services.assets.rules.reference import categories
from services.core.clock import show_moment
from services.core.errors import NotFound
from services.core.file_tickets import DownloadKind

SHOWN = 10
ALL = "All categories"
BEGIN = """
1. **Fill in the template, or take a file of your own.** Columns are known by their names, in any order; you say what the
   others hold, and the register remembers. Files of the Embedded Capacity Register and the REPD are translated.
2. **Check file.** You see what would be registered, changed and refused, and why.
3. **Register.** What goes through is registered; refused rows come back as a file to mend; rows that only lack something
   can wait as drafts.
"""


def read_job() -> BulkJob | None:
    """The job that the address names, if one may see it."""
    text = st.query_params.get("job")
    if not text:
        return None
    try:
        return get_job(actor, UUID(text))
    except (ValueError, NotFound):
        st.warning("This job isn't among your organisation's: it was removed, or belongs to others.")
        return None


def leave_job() -> None:
    """Take the job out of the address. A link from the page to itself would leave it there, and the next run back at it."""
    st.query_params.pop("job", None)


def draw_template() -> None:
    """The workbook to fill in, for one category or all."""
    names = {schema.category: schema.document.get("title", schema.category) for schema in categories(actor)}
    with st.container(horizontal=True, vertical_alignment="bottom"):
        category = st.selectbox(
            "Template for",
            [None, *names],
            format_func=lambda code: names.get(code, ALL),
            key="upload-template",
            width=320,
        )
        draw_file_download(
            actor, "Download the template", DownloadKind.TEMPLATE, {"category": category}, key="upload-template-file"
        )
    link("assets/assets.py", "To change assets: download them, edit the file, upload it here", "edit_note")


def draw_jobs(jobs: list[BulkJob]) -> None:
    """The latest files of the organisation, each a link."""
    if not jobs:
        st.markdown(BEGIN)
        return
    st.subheader("Uploads", anchor=False)
    for job in jobs:
        with st.container(border=True, horizontal=True, vertical_alignment="center"):
            link("assets/upload.py", f"**{escape_markdown(job.file_name)}**", "table_view", {"job": str(job.id)})
            draw_badge(job)
            st.caption(
                f"{job.rows_total:,} rows: {describe_counts(job)}. {escape_markdown(job.submitted_by)}, "
                f"{show_moment(job.created_at)}"
            )


actor = session.actor()
st.title("Upload a portfolio", anchor=False)
st.caption(
    "Many assets at once, new ones and changes. Every file is tried first; nothing is registered before you say so."
)
show_outcome()
if (current := read_job()) is not None:
    st.query_params["job"] = str(current.id)  # the address follows a link from the list, too
    st.button("Another file", key="upload-another", icon=":material/arrow_back:", type="tertiary", on_click=leave_job)
    draw_job(actor, current)
else:
    draw_template()
    draw_form(actor)
    draw_jobs(list_jobs(actor, SHOWN))
