"""The authenticity checks of an asset: what each source said, when, and field by field (UC-02.01)."""

from collections.abc import Sequence
from typing import Any

import streamlit as st

from models.assets import CHECK_SOURCE_LABELS, Asset, AssetCheck, CheckOutcome
from pages.components.common.asset_labels import AssetLabels
from pages.frame.markdown import escape_markdown
from services.assets.checks.outcomes import DifferenceRuling, label_of_field
from services.assets.checks.run import checks_of, checks_under_way
from services.assets.reading.assets import get_asset
from services.core.clock import show_moment
from services.core.comparison import ComparisonOutcome
from services.core.identity.actor import Actor

OUTCOMES: dict[CheckOutcome, tuple[str, str, str]] = {
    CheckOutcome.WAITING: ("Waiting", "blue", "hourglass_top"),
    CheckOutcome.AGREES: ("Agrees", "green", "verified"),
    CheckOutcome.DIFFERS: ("Differs", "red", "difference"),
    CheckOutcome.NOT_FOUND: ("Not found", "orange", "search_off"),
    CheckOutcome.NOT_APPLICABLE: ("Says nothing", "gray", "remove"),
    CheckOutcome.SETTLED: ("Settled", "violet", "gavel"),
}
DIRECTIONS = {"import": "As an import MPAN", "export": "As an export MPAN"}
COMPARED = {
    ComparisonOutcome.AGREES: ("Agrees", "green", "verified"),
    ComparisonOutcome.DIFFERS: ("Differs", "red", "difference"),
    ComparisonOutcome.NOT_STATED: ("Not stated", "gray", "remove"),
}


def follow_checks(actor: Actor, asset: Asset) -> None:
    """While sources are asked, look again every two seconds, and draw the whole page anew once they have answered."""
    if not checks_under_way(actor, asset.id):
        return

    @st.fragment(run_every="2s")
    def follow() -> None:
        if get_asset(actor, asset.id).version != asset.version or not checks_under_way(actor, asset.id):
            st.rerun()
        now_checks = checks_of(actor, asset.id)
        with st.status("Checks are under way: this page follows them.", state="running", expanded=True):
            for check in now_checks:
                label, _colour, icon = OUTCOMES[check.outcome]
                waits = (
                    f": {escape_markdown(check.summary)}"
                    if check.outcome is CheckOutcome.WAITING and check.summary
                    else ""
                )
                st.markdown(f":material/{icon}: {CHECK_SOURCE_LABELS[check.source]}: {label}{waits}")
            if not now_checks:
                st.markdown("The sources are asked in a moment.")

    follow()


def draw_checks(checks: Sequence[AssetCheck], words: AssetLabels) -> None:
    """Every source with its outcome and evidence."""
    if not checks:
        st.info("No source has been asked yet. Checks run by themselves after registration.", icon=":material/rule:")
        return
    for check in checks:
        _draw_check(check, words)


def _draw_check(check: AssetCheck, words: AssetLabels) -> None:
    label, colour, icon = OUTCOMES[check.outcome]
    with st.container(border=True):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(f"**{CHECK_SOURCE_LABELS[check.source]}**", width="content")
            st.badge(label, icon=f":material/{icon}:", color=colour)  # pyright: ignore[reportArgumentType]
        if check.summary:
            st.markdown(escape_markdown(check.summary))
        facts = [f"Asked {show_moment(check.requested_at)}"]
        facts += [f"answered {show_moment(check.completed_at)}"] if check.completed_at else []
        facts += [escape_markdown(check.source_name)] if check.source_name else []
        facts += [f"found by {escape_markdown(check.matched_by)}"] if check.matched_by else []
        st.caption(f"{', '.join(facts)}. About version {check.asset_version} of the asset.")
        if check.comparisons:
            st.table(
                [comparison_row(row, words) for row in check.comparisons],
                border="horizontal",
                hide_index=True,
                alt=f"What {CHECK_SOURCE_LABELS[check.source]} says, field by field",
            )


def comparison_row(row: dict[str, Any], words: AssetLabels) -> dict[str, str]:
    """One field compared, as a row of a table, in Markdown."""
    label, colour, icon = COMPARED.get(row["outcome"], (str(row["outcome"]), "gray", "remove"))
    settlement = ""
    if row.get("settled_as") == DifferenceRuling.DECLARED_STANDS:
        label, colour, icon, settlement = "Settled", "violet", "gavel", f"{row.get('by')}: {row.get('reason')} "
    elif row.get("settled_as") == DifferenceRuling.THEIRS_RIGHT:
        settlement = f"Found right by {row.get('by')}: {row.get('reason')} "
    elif row["outcome"] == ComparisonOutcome.DIFFERS and not row.get("matters", True):
        label, colour = "Differs, asks nothing", "gray"
    message = (
        f"  \n:small[{escape_markdown(settlement + (row['message'] or ''))}]" if settlement or row["message"] else ""
    )
    return {
        "Field": f"{escape_markdown(label_of_field(row['field']))}  \n:{colour}-badge[:material/{icon}: {label}]",
        "Declared": escape_markdown(_read(words, row["field"], row["declared"])),
        "Source": escape_markdown(_read(words, row["field"], row["theirs"])) + message,
    }


def _read(words: AssetLabels, field: str, value: str | None) -> str:
    if value is None:
        return "–"
    if value in DIRECTIONS:
        # An MPAN register doesn't repeat the number: it says what is measured there.
        return DIRECTIONS[value]
    try:
        return words.value(field, value)
    except (ValueError, ArithmeticError, TypeError, KeyError):
        return str(value)
