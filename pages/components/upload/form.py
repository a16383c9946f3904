"""Choosing a file of assets, saying what its columns hold, and handing it in for a dry run."""

import hashlib
from collections.abc import Mapping

import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile

from pages.components.common.date_field import draw_date
from pages.components.upload.columns import ask_columns
from pages.components.upload.notices import draw_notices
from pages.components.upload.notifications import follow
from pages.frame.markdown import escape_markdown
from pages.frame.navigation import link
from pages.frame.refusals import show_refusal
from services.assets.bulk.upload.jobs import Wishes, submit_file
from services.assets.bulk.upload.preview import FileLook, attribute_choices, look_at_file
from services.assets.rules.reference import code_list
from services.core.clock import show_date
from services.core.errors import RegisterError
from services.core.identity.actor import Actor

ORDERS = {"day": "Day first, as in Britain", "month": "Month first, as in the United States"}
FILE, LOOK, KEEP = "upload-file", "upload-look", "upload-drafts"


def draw_form(actor: Actor) -> None:
    """The uploader, and what there is to say once a file is chosen."""
    # Of any kind: what can't be read is refused in words, where the browser would only mark it red.
    file = st.file_uploader("Your file: CSV, XLSX, JSON lines or Parquet, up to 200 MB", key=FILE)
    if file is None:
        return
    look = _read_file(actor, file)
    if look is None:
        return
    columns = ask_columns(look)
    order = _ask_date_order(look)
    constants = _ask_constants(look, columns)
    st.toggle(
        "Keep rows that only lack mandatory values as drafts",
        key=KEEP,
        help="They can be completed here once the others are registered.",
    )
    if st.button("Check file", type="primary", icon=":material/science:"):
        if look.dates is not None and order is None:
            st.error("Say which part of the dates is the day, above.", icon=":material/calendar_month:")
        else:
            wishes = Wishes(
                dry_run=True,
                columns=columns,
                constants=constants,
                keep_drafts=bool(st.session_state.get(KEEP)),
                date_order=order,
            )
            _hand_in(actor, file, wishes)


def _read_file(actor: Actor, file: UploadedFile) -> FileLook | None:
    """Facts about the file; read once, however often the page is drawn."""
    data = file.getvalue()
    key = (file.name, hashlib.sha256(data).hexdigest())
    if st.session_state.get(LOOK, (None,))[0] != key:
        try:
            with st.spinner("Reading the file"):
                st.session_state[LOOK] = (key, look_at_file(actor, data, file.name))
        except RegisterError as refused:
            show_refusal(refused)
            return None
    look: FileLook = st.session_state[LOOK][1]
    summary = f"**{look.rows:,} rows**, {len(look.columns)} columns recognised"
    if look.ready_made:
        summary = (
            f"**{look.rows:,} rows** of {'an' if look.ready_made == 'ECR' else 'the'} **{look.ready_made}**, translated"
        )
    if look.ready_made or look.columns:
        st.success(summary, icon=":material/table_view:")
    else:
        st.warning(
            f"**{look.rows:,} rows**, and no column of the file is headed by an attribute. Say below what the columns hold, or "
            "use the template.",
            icon=":material/help:",
        )
    draw_notices(notice.message for notice in look.notices)
    if look.sent_as is not None:
        words = "Your organisation handed in this very file before: what became of it"
        link("assets/upload.py", words, "history", {"job": str(look.sent_as)})
        st.caption("Sent again, rows that are registered count as unchanged: nothing happens twice.")
    return look


def _ask_constants(look: FileLook, columns: Mapping[str, str | None]) -> dict[str, str]:
    """Values for all rows, of what every asset needs and the file doesn't tell."""
    lacking = [term for term in look.lacking if term not in columns.values()]
    if not lacking:
        return {}
    st.subheader("For all rows of the file", anchor=False)
    st.caption("Every asset needs these, and no column of the file holds them.")
    labels = attribute_choices()
    values: dict[str, str] = {}
    if "EffectiveDate" in lacking:
        typed = draw_date(labels["EffectiveDate"], key="upload-effective", width=320)
        if typed.day is not None:
            values["EffectiveDate"] = typed.day.isoformat()
        elif typed.finding is None:
            st.caption("Until a day is given here, no new row can be registered.")
    for term, codes in (("ConnectionType", "ConnectionType"), ("ConnectionStatus", "ConnectionStatus")):
        if term in lacking:
            options = {code.code: code.label for code in code_list(codes) if code.active}
            selected = st.selectbox(
                labels[term],
                list(options),
                index=None,
                format_func=options.__getitem__,
                key=f"upload-{term}",
                width=320,
            )
            if selected:
                values[term] = selected
    rest = [labels[term] for term in lacking if term not in ("EffectiveDate", "ConnectionType", "ConnectionStatus")]
    if rest:
        st.warning(f"No column holds {', '.join(rest)}: add what is missing to the file.", icon=":material/warning:")
    return values


def _ask_date_order(look: FileLook) -> str | None:
    """Ask once for the file which part of dates such as 05/06/2025 is the day; None without a question or an answer."""
    question = look.dates
    if question is None:
        return None
    count = "1 date" if question.cells == 1 else f"{question.cells:,} dates"
    st.subheader("Which part of the dates is the day?", anchor=False)
    st.caption(f"{count} could be two days, such as {escape_markdown(question.example)}. Your answer is remembered.")
    order = st.segmented_control(
        "In dates that could be two",
        list(ORDERS),
        format_func=ORDERS.__getitem__,
        default=question.remembered,
        key="upload-date-order",
    )
    if order is not None:
        st.caption(f"{escape_markdown(question.example)} is read as {show_date(question.read_as(order))}.")
    return order


def _hand_in(actor: Actor, file: UploadedFile, wishes: Wishes) -> None:
    try:
        job = submit_file(actor, file.getvalue(), file.name, wishes)
    except RegisterError as refused:
        show_refusal(refused)
        return
    follow(job)
    # What was said of columns is remembered now: the same file would be looked at with other eyes.
    st.session_state.pop(LOOK, None)
    st.query_params["job"] = str(job.id)
    st.rerun()
