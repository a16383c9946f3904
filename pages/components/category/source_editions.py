"""One edition of a public register: rows taken, rows skipped with the reason, and every odd cell."""

from collections.abc import Mapping
from typing import Any

import streamlit as st

from pages.components.common.downloads import draw_file_download
from pages.frame.refusals import format_value
from services.assets.sources.reading_records import Edition, edition_findings, holds_text
from services.core.file_tickets import DownloadKind
from services.core.identity.actor import Actor

COUNTS = (
    ("rows", "Rows"),
    ("taken", "Taken"),
    ("new", "New"),
    ("changed", "Changed"),
    ("unchanged", "Unchanged"),
    ("gone", "No longer there"),
)


def words(code: str) -> str:
    """A code of a finding as people read it."""
    return code.replace("_", " ").capitalize().replace("Mpan", "MPAN").replace("Northern ireland", "Northern Ireland")


def _total(counts: Any) -> int:
    return sum(counts.values()) if isinstance(counts, Mapping) else int(counts or 0)


def draw_counts(counts: Mapping[str, Any]) -> None:
    """Numbers of rows by result, and of odd cells."""
    skipped = _total(counts.get("skipped"))
    cells = st.grid(4, min_column_width=150)
    for name, label in COUNTS:
        cells.metric(label, f"{counts.get(name, 0):,}", border=True)
    cells.metric("Skipped", f"{skipped:,}", border=True)
    cells.metric("Odd cells", f"{_total(counts.get('notes')):,}", border=True)
    tables = (("Why rows were skipped", counts.get("skipped")), ("Data quality issues", counts.get("notes")))
    grid = st.grid(2, min_column_width=320)
    for title, by_code in tables:
        if isinstance(by_code, Mapping) and by_code:
            with grid.container():
                st.markdown(f"**{title}**")
                most_first = sorted(by_code.items(), key=lambda pair: -pair[1])
                rows = [{"Reason": words(code), "Count": count} for code, count in most_first]
                st.dataframe(
                    rows,
                    hide_index=True,
                    width="stretch",
                    key=f"counts-{title}",
                    column_config={"Count": st.column_config.NumberColumn(format="localized")},
                )


def draw_findings(actor: Actor, edition: Edition) -> None:
    """Every skipped row and odd cell, to filter and to download."""
    findings = edition_findings(actor, edition.id)
    if not findings:
        st.markdown(":green[:material/task_alt:] Nothing was odd in this edition.")
        return
    cells = st.grid(2, min_column_width=260)
    codes = sorted({finding["code"] for finding in findings})
    selected_codes = cells.multiselect(
        "What was odd", codes, format_func=words, placeholder="Everything", key=f"codes-{edition.id}"
    )
    text = cells.text_input("Find", placeholder="Part of a column or cell", live="300ms", key=f"cells-{edition.id}")
    rows = [
        {
            "Row": finding.get("row"),
            "Column": finding.get("column") or "–",
            "Cell": format_value(finding.get("given")),
            "What was made of it": finding["message"],
            "Code": finding["code"],
            "Row skipped": "Yes" if finding.get("skipped") else "No",
        }
        for finding in findings
        if (not selected_codes or finding["code"] in selected_codes) and holds_text(finding, text)
    ]
    st.dataframe(rows, hide_index=True, width="stretch", height=420, key=f"findings-{edition.id}")
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(f"{len(rows):,} of {len(findings):,}. A finding without a row concerns the whole column.")
        draw_file_download(
            actor,
            "Download these (CSV)",
            DownloadKind.EDITION_FINDINGS,
            {
                "edition": str(edition.id),
                "codes": selected_codes,
                "text": text,
                "name": f"{edition.kind.lower()}-{edition.edition_date}",
            },
            key=f"download-findings-{edition.id}",
            disabled=not rows,
        )
