"""Preview of a change of a unit before it is confirmed: sums, qualifications, and what stands in the way."""

import streamlit as st

from pages.components.unit.labels import count_of, draw_places, draw_totals
from pages.frame.markdown import escape_markdown
from pages.frame.refusals import show_blockers, show_findings
from services.market.unit_changes.composition import CompositionPreview


def draw_preview(preview: CompositionPreview, *, new: bool = False) -> None:
    """The sums as they would be, then what that means, then what stands in the way."""
    if preview.after is not None:
        draw_totals(preview.after, preview.before)
        draw_places(preview.areas)
    if not new and preview.after is not None and (preview.added or preview.removed):
        sign = "warning" if preview.affected else "info"
        box = st.warning if preview.affected else st.info
        box(escape_markdown(preview.sentence), icon=f":material/{sign}:")
    if preview.findings:
        show_findings(preview.findings)
    if preview.blockers:
        st.error("Some of the assets are in another unit of the same family.", icon=":material/block:")
        show_blockers(preview.blockers)


def has_obstacles(preview: CompositionPreview) -> bool:
    """Test whether a finding or a blocker stands in the way."""
    return bool(preview.findings or preview.blockers)


def describe_change(preview: CompositionPreview) -> str:
    """Number of assets that go in and come out, in words."""
    parts = [f"{count_of(preview.added)} in"] if preview.added else []
    parts += [f"{count_of(preview.removed)} out"] if preview.removed else []
    return ", ".join(parts) or "nothing changes"
