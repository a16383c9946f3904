"""The query of an asset, on top of its page: what is asked, each difference, and the form for whoever's turn it is."""

from collections.abc import Sequence
from functools import partial

import streamlit as st

from models.assets import AssetStatus, MessageKind
from pages.components.asset.conversation import ASSET_FILES
from pages.components.asset.differences import draw_differences
from pages.components.asset.take_back import note_decision
from pages.components.common.actions import attempt
from pages.components.conversation.files import files_field, forget_files, uploads_in
from pages.components.conversation.messages import draw_messages
from services.assets.asset_page.page import WholeAsset
from services.assets.checks.outcomes import DifferenceRuling
from services.assets.checks.queries import QueryDecision, answer_query, settle_query
from services.assets.checks.settlement import settle_differences
from services.assets.conversation.comments import AssetMessageWithFiles
from services.core.identity.actor import Actor

DECISIONS = {
    QueryDecision.VERIFY: "Verify: the declared values stand",
    QueryDecision.ASK_AGAIN: "Ask again: the answer isn't enough",
}
ALL_AT_ONCE = {
    DifferenceRuling.DECLARED_STANDS: "Verify: the declared values stand",
    DifferenceRuling.THEIRS_RIGHT: "The sources are right: ask the FSP to change every value",
}
IN_REVIEW = (AssetStatus.QUERY, AssetStatus.PENDING_VALIDATION)


def open_thread(messages: Sequence[AssetMessageWithFiles]) -> list[AssetMessageWithFiles]:
    """The query that is being talked about: from its first question on, without comments; nothing once it is decided."""
    of_query = [row for row in messages if row.message.kind is not MessageKind.COMMENT]
    decisions = [index for index, row in enumerate(of_query) if row.message.kind is MessageKind.DECISION]
    return of_query[decisions[-1] + 1 :] if decisions else of_query


def draw_query(actor: Actor, whole: WholeAsset, allowed: set[str]) -> None:
    """The open query with the form for the actor's turn; nothing at all when nothing waits for anybody."""
    asset, differences = whole.asset, whole.differences
    turn = allowed & {"answer_query", "settle_query", "settle_differences"}
    thread = open_thread(whole.messages)
    if asset.status not in IN_REVIEW or not (thread or "settle_query" in turn):
        return
    with st.container(border=True):
        st.subheader("Query" if thread else "Decision", anchor="query")
        _draw_thread(actor, thread, bool(differences))
        mine = actor.organisation_id == asset.service_provider_id
        draw_differences(
            actor,
            asset,
            differences,
            settle="settle_differences" in turn,
            answer="answer_query" in turn and mine,
            accept="update_asset" in allowed and mine,
        )
        if "answer_query" in turn and mine:
            ask_for_answer(actor, whole)
        if "settle_query" in turn or (
            "settle_differences" in turn and any(difference.open for difference in differences)
        ):
            ask_for_decision(actor, whole)
        if "answer_query" in turn and not mine:
            with st.expander("Answer on behalf of the FSP", icon=":material/reply:"):
                ask_for_answer(actor, whole)


def _draw_thread(actor: Actor, thread: Sequence[AssetMessageWithFiles], in_cards: bool) -> None:
    """Messages of the query; a question of the checks is folded away where each difference follows, side by side."""
    by_checks = [row for row in thread if row.message.author_organisation_id is None]
    people = [row for row in thread if row not in by_checks]
    if by_checks and in_cards:
        with st.expander("The question in words", icon=":material/help:"):
            draw_messages(actor, by_checks, ASSET_FILES)
        draw_messages(actor, people, ASSET_FILES)
    else:
        draw_messages(actor, thread, ASSET_FILES)


def ask_for_answer(actor: Actor, whole: WholeAsset) -> None:
    """The FSP's answer to everything that is open."""
    asset = whole.asset
    key = f"answer-{asset.id}"
    st.text_area(
        "Your answer",
        key=key,
        persist_state="session",
        placeholder="Say why the declared values are right, or what you have corrected",
        help="The FMAR administrator reads it and decides. If a value is wrong, correct it first (Change its details).",
    )
    files_field(key, whole.largest_file_mb, "Files with your answer")

    def act() -> None:
        text = str(st.session_state.get(key) or "")
        answer_query(actor, asset.id, text, asset.version, uploads_in(key))
        forget_files(key)

    def send() -> None:
        attempt(act, "Answer sent. FMAR decides.", key)

    st.button("Send the answer", type="primary", icon=":material/send:", on_click=send)


def ask_for_decision(actor: Actor, whole: WholeAsset) -> None:
    """The administrator's decision on everything that is open at once."""
    asset, differences = whole.asset, whole.differences
    key, choice_key = f"settle-{asset.id}", f"decision-{asset.id}"
    options: dict[QueryDecision | DifferenceRuling, str] = {**ALL_AT_ONCE}
    if asset.status is AssetStatus.PENDING_VALIDATION:
        options = {**DECISIONS}
        if any(difference.open for difference in differences):
            options[DifferenceRuling.THEIRS_RIGHT] = ALL_AT_ONCE[DifferenceRuling.THEIRS_RIGHT]
    if st.session_state.get(choice_key) not in options:
        st.session_state.pop(choice_key, None)
    st.radio(
        "Decision", list(options), format_func=options.__getitem__, key=choice_key, persist_state="session", index=None
    )
    asking = st.session_state.get(choice_key) is QueryDecision.ASK_AGAIN
    st.text_area(
        "Question to the FSP" if asking else "Reason",
        key=key,
        persist_state="session",
        help="It is kept with the record: the FSP and everybody who sees the asset can read it.",
    )
    files_field(key, whole.largest_file_mb, "Files with your decision")

    def act(decision: QueryDecision | DifferenceRuling) -> None:
        reason = str(st.session_state.get(key) or "")
        if isinstance(decision, QueryDecision):
            settle_query(actor, asset.id, decision, reason, asset.version, files=uploads_in(key))
        else:
            settle_differences(actor, asset.id, decision, reason, asset.version, files=uploads_in(key))
        note_decision(asset.id)
        forget_files(key)

    def decide() -> None:
        decision = st.session_state.get(choice_key)
        if decision is None:
            st.session_state[f"{key}-missing"] = True
            return
        done = (
            "Verified." if decision in (QueryDecision.VERIFY, DifferenceRuling.DECLARED_STANDS) else "The FSP is asked."
        )
        attempt(partial(act, decision), done, key, choice_key)

    if st.session_state.pop(f"{key}-missing", False):
        st.error("Choose a decision first.", icon=":material/error:")
    st.button("Decide", type="primary", icon=":material/gavel:", on_click=decide)
