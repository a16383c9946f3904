"""The ledger (UC-05.06): entries, seals and anchors, and a verification that anybody entitled can run."""

import streamlit as st

from models.participants import Role
from pages.components.common.moments import moment_column
from pages.components.ledger.entries import draw_entries
from pages.frame import session
from pages.frame.markdown import escape_markdown
from services.core.clock import show_moment
from services.core.jobs.clock_watch import clock_reading, confirm_clock
from services.core.ledger.verifying import Verification, verify_ledger
from services.governance.ledger import LedgerOverview, ledger_overview

RESULT = "ledger-verification"
HOW = """
Every change of every record is written down in the **ledger**, in the same step as the change itself: what the record said
afterwards, who changed it, for whom, when, and under which use case.

- Each entry carries a **fingerprint** of itself and of the entry before it. Change one letter of an old entry, and every
  fingerprint after it no longer fits.
- Every minute, new entries are put under a **seal**: one fingerprint over all of them, chained to the seal before. Take an
  entry out, put one in or swap two, and the seal no longer fits.
- Each seal is **signed** with a key that is not in the database, and written to an **anchor file** outside it. Whoever
  rewrites the whole ledger, seals and all, has neither.
- The database itself refuses to change or delete an entry.

**Verify** works all of it out again, and holds every record against its last entry: a record changed behind the register's
back no longer says what its ledger says. So do the access log, events, files and counts beside the ledger.
"""


def _draw_numbers(overview: LedgerOverview) -> None:
    cells = st.grid(5, min_column_width=150)
    for label, value in (
        ("Entries", overview.entries),
        ("Records", overview.records),
        ("Seals", overview.seal_count),
        ("Waiting for a seal", overview.unsealed),
        ("Anchored seals", overview.anchors),
    ):
        cells.metric(label, f"{value:,}", border=True)


def _run_verification() -> None:
    bar = st.progress(0.0, "Beginning")

    def follow(share: float, doing: str) -> None:
        bar.progress(share, doing)

    st.session_state[RESULT] = verify_ledger(actor, follow)
    bar.empty()


def _draw_result(result: Verification) -> None:
    held = result.summary
    if result.sound:
        st.success(f"**The ledger is sound.** {held}", icon=":material/verified_user:")
    else:
        count = len(result.faults)
        st.error(
            f"**{count} {'fault was' if count == 1 else 'faults were'} found.** {held} Something was changed behind the "
            "register's back: keep the database as it is, and compare the records below with a backup.",
            icon=":material/gpp_bad:",
        )
        rows = [
            {"Fault": fault.kind.value.capitalize(), "Where": fault.where, "What": fault.message}
            for fault in result.faults
        ]
        st.dataframe(rows, hide_index=True, width="stretch", key="faults")
    st.caption(f"Verified on {show_moment(result.started_at)}.")


def _draw_seals(overview: LedgerOverview) -> None:
    st.subheader("Seals")
    if not overview.seals:
        st.info("Nothing is sealed yet: the running portal seals every minute.", icon=":material/hourglass_top:")
        return
    anchored = {True: "Yes", False: "Differs", None: "No"}
    rows = [
        {
            "Seal": seal.number,
            "Sealed": seal.sealed_at,
            "Entries": seal.entry_count,
            "From": seal.first_seq,
            "To": seal.last_seq,
            "Signed": "Yes" if seal.signed else "No",
            "Anchored": anchored[seal.anchored],
            "Merkle root": seal.merkle_root,
            "Fingerprint": seal.hash,
        }
        for seal in overview.seals
    ]
    when = moment_column(seal.sealed_at for seal in overview.seals)
    st.dataframe(rows, hide_index=True, width="stretch", column_config={"Sealed": when}, key="seals")
    file = overview.anchor_file
    st.caption(
        f"Register `{overview.register_id}`. "
        + (
            f"Anchors are kept in {escape_markdown(file)}; keep a copy of it elsewhere."
            if file
            else "No anchor file is kept."
        )
    )


def _draw_clock() -> None:
    """Draw the alarm of a clock that isn't trusted, with the button that confirms it."""
    message = clock_reading(actor).message
    if not message:
        return
    st.error(escape_markdown(message), icon=":material/alarm:")
    if actor.has(Role.ADMINISTRATOR) and st.button(
        "The clock is right: let deadlines go on", icon=":material/alarm_on:"
    ):
        confirm_clock(actor)
        st.rerun()


actor = session.actor()
st.title("Ledger")
st.caption("Every change is kept, and no change can be hidden: here that is proven, not claimed.")
_draw_clock()
overview = ledger_overview(actor)
_draw_numbers(overview)
if st.button("Verify the whole ledger", type="primary", icon=":material/verified_user:"):
    _run_verification()
if RESULT in st.session_state:
    _draw_result(st.session_state[RESULT])
draw_entries(actor)
_draw_seals(overview)
with st.expander("How it works", icon=":material/help:"):
    st.markdown(HOW)
