"""Case file on an application's page: needs, has and met by requirement; assets, changes and like cases (UC-04.02)."""

from collections.abc import Sequence
from uuid import UUID

import streamlit as st

from models.assets import STATUS_LABELS, AssetStatus
from pages.components.common.asset_labels import group_words
from pages.components.common.base_map import draw_map
from pages.components.common.power import show_kw
from pages.components.desk.table import code_labels
from pages.components.qualification.table import draw_qualification_table
from pages.components.table.cells import power_cell, text_cell
from pages.components.table.table import Column, Row, TablePage, draw_table
from pages.frame.markdown import escape_markdown
from services.core.identity.actor import Actor
from services.market.eligibility.requirements import REQUIREMENT_LABELS, Reason
from services.market.qualification.case_file import CaseAsset, case_file, requirements_of

RESULTS = {True: "✓ Met", False: "✗ Not met", None: "? Not known"}
COLUMNS = (
    Column("Name"),
    Column("Category"),
    Column("Rated", number=True),
    Column("GSP group"),
    Column("Status now"),
    Column("Since submission"),
)
MOST_POINTS = 2_000


def draw_requirements(actor: Actor, qualification_id: UUID) -> None:
    """Each requirement with what it needs, what the unit has, and whether that is met; what isn't met comes first."""
    reasons = requirements_of(actor, qualification_id)
    if reasons is None:
        return
    counts = {met: sum(reason.met is met for reason in reasons) for met in RESULTS}
    head = f"{counts[True]} met, {counts[False]} not met, {counts[None]} not known"
    with st.expander(f"Requirements: {head}", icon=":material/checklist:", expanded=True):
        st.table(
            [
                _line(reason)
                for reason in sorted(reasons, key=lambda reason: (reason.met is not False, reason.met is True))
            ],
            border="horizontal",
            hide_index=True,
        )
        st.caption("The unit as it stands now, held against the version applied for. Indicative: you assess.")


def _line(reason: Reason) -> dict[str, str]:
    return {
        "Requirement": REQUIREMENT_LABELS[reason.requirement],
        "Needs": escape_markdown(reason.needs),
        "Has": escape_markdown(reason.has),
        "Result": RESULTS[reason.met],
    }


def draw_case_file(actor: Actor, qualification_id: UUID) -> None:
    """The assets handed in on map and table, what changed since, and how like cases were decided."""
    case = case_file(actor, qualification_id)
    left = sum(asset.left for asset in case.assets)
    changed = sum(bool(asset.changes) for asset in case.assets)
    st.markdown(
        f"**{len(case.assets):,} assets handed in.** Since then: {changed:,} changed, {left:,} left the unit, "
        f"{case.joined:,} came in."
    )
    labels = code_labels()
    draw_table(
        f"case-assets-{qualification_id}",
        "Assets of the application",
        COLUMNS,
        [_row(asset, labels.get(asset.category, asset.category)) for asset in case.assets],
        page=TablePage("assets/asset.py"),
        views=False,
        height=360,
    )
    _draw_map(case.assets, qualification_id)
    st.subheader("Like cases", anchor=False)
    if case.like:
        st.caption("Decided applications for the same version of the product, the nearest in capacity first.")
        draw_qualification_table(case.like, ("Clock", "Due", "Assigned to"), key=f"like-{qualification_id}")
    else:
        st.caption("No other application for this version of the product has been decided yet.")


def _row(asset: CaseAsset, category: str) -> Row:
    unseen = asset.status is None
    since = "Left the unit" if asset.left else ", ".join(asset.changes) or ("–" if unseen else "Unchanged")
    return Row(
        str(asset.asset_id),
        (
            text_cell(asset.name),
            text_cell(category),
            power_cell(asset.rated_kw),
            text_cell(group_words(asset.gsp_group)),
            text_cell(STATUS_LABELS[asset.status] if asset.status else "Beyond what you may see"),
            text_cell(since),
        ),
    )


def _draw_map(assets: Sequence[CaseAsset], qualification_id: UUID) -> None:
    points = [
        {
            "id": str(asset.asset_id),
            "name": asset.name,
            "detail": show_kw(asset.rated_kw),
            "lat": asset.position[0],
            "lon": asset.position[1],
            "status": asset.status or AssetStatus.PENDING_VALIDATION,
        }
        for asset in assets[:MOST_POINTS]
        if asset.position is not None
    ]
    if points:
        draw_map(points, key=f"case-map-{qualification_id}", height=360, selectable=False, close=True)
