"""What happened to an asset, readable: who, when, in words, and each field from what to what."""

from collections.abc import Sequence
from typing import Any

import streamlit as st

from pages.frame.banner import plain
from pages.parts.asset_words import Words
from services.core.clock import show_moment
from services.core.ledger.reading import Change

WORDS: dict[str, tuple[str, str]] = {
    "register_asset": ("Registered", "add_circle"),
    "update_asset": ("Changed", "edit"),
    "conclude_checks": ("Checks concluded", "fact_check"),
    "request_checks": ("Checks asked for again", "refresh"),
    "query_asset": ("Query raised", "help"),
    "answer_query": ("Query answered", "reply"),
    "settle_query": ("Query decided", "gavel"),
    "suspend_unanswered": ("Suspended: query unanswered", "pause_circle"),
    "confirm_consent": ("Consent confirmed", "verified_user"),
    "refuse_consent": ("Consent refused", "block"),
    "revoke_consent": ("Consent revoked", "block"),
    "deregister_asset": ("De-registered", "archive"),
}
"""Operations in the past tense; others are told by their own name."""
TOLD_IN_HEAD = ("Status", "StatusReason", "StatusSince")
MOST = 50


def draw_timeline(changes: Sequence[Change], words: Words) -> None:
    """One entry a change, newest first."""
    for change in changes[:MOST]:
        _draw_change(change, words)
    if len(changes) > MOST:
        st.caption(f"The newest {MOST} of {len(changes)} entries.")


def _draw_change(change: Change, words: Words) -> None:
    label, icon = WORDS.get(change.operation, (change.operation.replace("_", " ").capitalize(), "history"))
    by = f"{plain(change.actor)}{f', {plain(change.organisation)}' if change.organisation else ''}"
    with st.container(border=True):
        st.markdown(f":material/{icon}: **{label}** by {by}  \n{show_moment(change.at)}{_status(change, words)}")
        told = {term: pair for term, pair in change.changes.items() if term not in TOLD_IN_HEAD and _is_news(pair)}
        if change.version == 1:
            with st.expander(f"The {len(told)} values it began with"):
                st.markdown("\n".join(_began(term, pair[1], words) for term, pair in told.items()))
        elif told:
            st.markdown("\n".join(_moved(term, *pair, words) for term, pair in told.items()))
        st.caption(f"Version {change.version} · {change.use_case} · ledger entry {change.hash[:12]}")


def _is_news(pair: tuple[Any, Any]) -> bool:
    return any(value not in (None, "", [], {}, False) for value in pair)


def _status(change: Change, words: Words) -> str:
    """The step from status to status, and the reason that was given."""
    told = ""
    if "Status" in change.changes:
        before, after = change.changes["Status"]
        step = f"{words.value('Status', before)} → " if before else ""
        told = f"  \nStatus: {step}**{words.value('Status', after)}**"
    reason = change.changes.get("StatusReason", (None, None))[1]
    return f"{told}  \n{plain(str(reason))}".replace("\n\n", "\n") if reason else told


def _began(term: str, value: Any, words: Words) -> str:
    return f"- **{plain(words.label(term))}**: {plain(words.value(term, value))}"


def _moved(term: str, before: Any, after: Any, words: Words) -> str:
    old, new = plain(words.value(term, before)), plain(words.value(term, after))
    return f"- **{plain(words.label(term))}**: {old} → **{new}**"
