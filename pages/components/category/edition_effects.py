"""Effects of an edition of a public register on assets: how many were held against it, and whose status moved and why."""

from datetime import timedelta

import streamlit as st

from models.assets import STATUS_LABELS
from pages.frame.markdown import escape_markdown
from pages.frame.navigation import link
from services.assets.checks.edition_effects import EditionEffects, edition_effects
from services.assets.sources.reading_records import Edition
from services.core.identity.actor import Actor

SHOWN = 50
EVERY = timedelta(seconds=3)


def draw_effects(actor: Actor, edition: Edition) -> None:
    """Draw the effects; while sources are still being compared, look again by itself."""
    effects = edition_effects(actor, edition.id)
    if effects.begun and not effects.waiting:
        _draw(effects)
        return

    @st.fragment(run_every=EVERY)
    def follow() -> None:
        now = edition_effects(actor, edition.id)
        if now.begun and not now.waiting:
            st.rerun()
        st.info(_progress(now), icon=":material/sync:")
        _draw(now)

    follow()


def _progress(effects: EditionEffects) -> str:
    if not effects.begun:
        return "Assets that it may concern are being looked for."
    return f"{effects.waiting:,} of {effects.checked:,} assets are still being compared with it."


def _draw(effects: EditionEffects) -> None:
    if not effects.checked:
        st.caption("No asset that you may see had to be compared with it.")
        return
    st.markdown(f"**{_count(effects.checked)} compared with it; the status of {len(effects.changes):,} changed**")
    for change in effects.changes[:SHOWN]:
        with st.container(border=True, gap="xxsmall"):
            words = f"{STATUS_LABELS[change.before]} → {STATUS_LABELS[change.after]}"
            link(
                "assets/asset.py", f"**{escape_markdown(change.name)}**: {words}", "bolt", {"id": str(change.asset_id)}
            )
            if change.reason:
                st.caption(escape_markdown(change.reason))
    if more := effects.changes[SHOWN:]:
        st.caption(f"And {len(more):,} more.")


def _count(number: int) -> str:
    return "1 asset was" if number == 1 else f"{number:,} assets were"
