"""The assets of the desk as a file: what the filters let through, in the format that is chosen (UC-02.04)."""

import streamlit as st

from pages.components.common.actions import attempt, show_outcome
from pages.components.common.downloads import draw_file_download
from pages.components.desk.export_jobs import draw_exports
from pages.components.desk.table import words_of
from services.assets.bulk.export.jobs import is_large_export, submit_export
from services.assets.filters import AssetFilters, dump_filters
from services.assets.reading.assets import AssetCount
from services.core.file_tickets import DownloadKind
from services.core.identity.actor import Actor
from services.core.identity.permissions import may

FORMATS = {
    "csv": ("CSV", "Edited and uploaded again, it changes what was edited."),
    "xlsx": ("XLSX", "A workbook, with powers as numbers."),
    "jsonl": ("JSON lines", "One asset a line, for programs."),
    "parquet": ("Parquet", "Typed columns, for analysis."),
    "geojson": ("GeoJSON", "For maps and GIS."),
}
OPEN = "desk-export"


def draw_export(actor: Actor, filters: AssetFilters, total: AssetCount) -> None:
    """Download what is filtered, and the large files that were made before: nothing for those who may not export."""
    if not may(actor, "asset.export"):
        return

    @st.fragment
    def menu() -> None:
        """Looked into when it is opened, without drawing the desk anew."""
        popover = st.popover("Download", icon=":material/download:", key=OPEN, on_change="rerun")
        if popover.open:
            with popover:
                show_outcome()
                if total:
                    _choose(actor, filters, total)
                draw_exports(actor)

    menu()


def _choose(actor: Actor, filters: AssetFilters, total: AssetCount) -> None:
    file_format = st.selectbox(
        "Format", list(FORMATS), format_func=lambda code: FORMATS[code][0], key="export-format", width=280
    )
    st.caption(f"{FORMATS[file_format][1]} Headings are ontology terms. The ledger keeps who took what.")
    many = f"{words_of(total)} {'asset' if total == 1 else 'assets'}"
    if is_large_export(actor, filters):
        st.button(
            f"Make a file of {many}",
            icon=":material/hourglass_top:",
            type="primary",
            on_click=attempt,
            args=(lambda: submit_export(actor, file_format, filters), "The file is being made."),
            help="These are so many that it takes a while. You can leave the page meanwhile.",
        )
        return
    draw_file_download(
        actor,
        f"Download {many}",
        DownloadKind.ASSETS,
        {"format": file_format, "filters": dump_filters(filters)},
        key="export-now",
        button="primary",
    )
