"""The assets of the desk as a file: what the filters let through, in the format that is chosen (UC-02.04)."""

from collections.abc import Callable

import streamlit as st

from pages.parts.made_file import made_file
from services.assets.bulk.exporting import MEDIA_TYPES, export_file
from services.assets.filters import AssetFilters
from services.assets.reading import AssetCount
from services.core.actor import Actor
from services.core.clock import in_london, now
from services.core.permissions import may

MOST = 50_000
"""A file for the browser is held in memory; the API writes its own in steady memory, however many there are."""
FORMATS = {
    "csv": ("CSV", "Edited and uploaded again, it changes what was edited."),
    "xlsx": ("XLSX", "A workbook, with powers as numbers."),
    "jsonl": ("JSON lines", "One asset a line, for programs."),
    "parquet": ("Parquet", "Typed columns, for analysis."),
    "geojson": ("GeoJSON", "For maps and GIS."),
}


def draw_export(actor: Actor, filters: AssetFilters, total: AssetCount) -> None:
    """Download what is filtered: nothing for those who may not export, the way by the API for what is too many."""
    if not total or not may(actor, "asset.export"):
        return
    with st.popover("Download", icon=":material/download:"):
        if total.more or total > MOST:
            st.info(
                f"These are too many for a download here: {MOST:,} at most, and they must be counted. Choose more "
                "filters, or take them all by the API: GET /api/v1/assets/export, with the same filters.",
                icon=":material/api:",
            )
            return
        chosen = st.selectbox(
            "Format", list(FORMATS), format_func=lambda code: FORMATS[code][0], key="export-format", width=280
        )
        st.caption(f"{FORMATS[chosen][1]} Headings are ontology terms. The access log keeps who downloaded what.")
        st.download_button(
            f"Download {total:,} {'asset' if total == 1 else 'assets'}",
            filtered_file(actor, chosen, filters),
            f"fmar-assets-{in_london(now()):%Y-%m-%d}.{chosen}",
            MEDIA_TYPES[chosen],
            icon=":material/download:",
            type="primary",
            on_click="ignore",
        )


def filtered_file(actor: Actor, file_format: str, filters: AssetFilters) -> Callable[[], bytes]:
    """The file of the assets that pass the filters, made and logged when it is asked for."""
    return made_file(lambda path: export_file(actor, file_format, path, filters), file_format)
