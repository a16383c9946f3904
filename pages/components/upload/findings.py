"""Findings of the rules in a file: grouped by rule with examples, and as files to keep or to mend."""

from typing import Any

import streamlit as st

from models.bulk import BulkJob
from pages.components.common.downloads import draw_file_download
from pages.frame.markdown import escape_markdown
from services.core.file_tickets import DownloadKind
from services.core.identity.actor import Actor

LONGEST = 300
ACTIONS = {"error": "to correct", "warning": "to justify", "notice": "to know"}
ORDER = list(ACTIONS)


def draw_findings(actor: Actor, job: BulkJob) -> None:
    """One line a rule, errors first; opened, it shows the first rows and what was expected."""
    if not job.summary:
        if job.rows_done:
            reached = "" if job.rows_done == job.rows_total else " in the rows that were reached"
            st.success(f"Nothing to correct{reached}.", icon=":material/check_circle:")
        return
    st.subheader("What was found", anchor=False)
    ordered = sorted(job.summary.items(), key=lambda pair: (ORDER.index(pair[1]["severity"]), -pair[1]["rows"]))
    for code, rule in ordered:
        # A row that only lacks something may be a draft: "refused" would contradict the counts.
        what = ACTIONS[rule["severity"]]
        first: dict[str, Any] = rule["examples"][0]
        with st.expander(f"**{rule['rows']:,}** {what}: {escape_markdown(first['message'])[:160]} ({code})"):
            _examples(rule)
    _files(actor, job)


def _examples(rule: dict[str, Any]) -> None:
    lines = []
    for example in rule["examples"]:
        text = example["given"] or ""
        also = f" Given: {escape_markdown(text[:LONGEST])}" if text and text not in example["message"] else ""
        lines.append(f"- Row {example['row']}: {escape_markdown(example['message'][:LONGEST])}{also}")
    st.markdown("\n".join(lines))
    more = f" All {rule['rows']:,} stand in the file of findings." if rule["rows"] > len(rule["examples"]) else ""
    st.caption(f"Expected: {escape_markdown(rule['expected'])}.{more}".replace("..", "."))


def _files(actor: Actor, job: BulkJob) -> None:
    if job.rows_refused:
        st.caption("Refused rows come back as the file they came in, with their codes and reasons in two columns more.")
    with st.container(horizontal=True):
        values = {"job": str(job.id)}
        if job.rows_refused:
            label = "Refused rows, to mend and send again"
            draw_file_download(actor, label, DownloadKind.REFUSED_ROWS, values, key=f"refused-{job.id}")
        draw_file_download(actor, "All findings", DownloadKind.FINDINGS, values, key=f"findings-{job.id}")
