"""The query of an asset as a conversation: what was asked, answered and decided, and the form for whoever's turn it is."""

from collections.abc import Sequence

import streamlit as st

from models.assets import Asset, AssetCheck, AssetMessage, AssetStatus, MessageKind
from pages.frame.banner import plain
from pages.parts.asset_checks import open_differences
from pages.parts.asset_words import Words
from pages.parts.attempt import attempt
from services.assets.queries import Decision, answer_query, settle_query
from services.core.actor import Actor
from services.core.clock import show_moment

KINDS = {
    MessageKind.QUERY: ("Query", "help"),
    MessageKind.ANSWER: ("Answer", "reply"),
    MessageKind.DECISION: ("Decision", "gavel"),
}
DECISIONS = {
    Decision.VERIFY: "Verify: the declared values stand",
    Decision.ASK_AGAIN: "Ask again: the answer isn't enough",
}


def draw_conversation(messages: Sequence[AssetMessage]) -> None:
    """What was said so far, oldest first."""
    for message in messages:
        label, icon = KINDS[message.kind]
        with st.chat_message(message.author_name, avatar=f":material/{icon}:"):
            st.markdown(f"**{label}** · {plain(message.author_name)} · {show_moment(message.sent_at)}")
            st.text(message.text)


def ask_for_answer(actor: Actor, asset: Asset) -> None:
    """The FSP's answer to an open query."""
    key = f"answer-{asset.id}"
    st.text_area(
        "Your answer",
        key=key,
        persist_state="session",
        placeholder="Say why the declared values are right, or what you have corrected",
        help="The FMAR administrator reads it and decides. If a value is wrong, correct it first (Change its details).",
    )

    def send() -> None:
        text = str(st.session_state.get(key) or "")
        attempt(lambda: answer_query(actor, asset.id, text, asset.version), "Answer sent: the operator decides.", key)

    st.button("Send the answer", type="primary", icon=":material/send:", on_click=send)


def ask_for_decision(actor: Actor, asset: Asset, checks: Sequence[AssetCheck], words: Words) -> None:
    """The administrator's decision, with every open difference side by side."""
    rows = open_differences(checks, words)
    if rows:
        st.markdown("**What sources say otherwise**")
        shown = [{name: value for name, value in row.items() if name != "Term"} for row in rows]
        st.dataframe(shown, hide_index=True, width="stretch", alt="Declared values and what sources say otherwise")
    key, chosen = f"settle-{asset.id}", f"decision-{asset.id}"
    st.radio(
        "Decision", list(DECISIONS), format_func=DECISIONS.__getitem__, key=chosen, persist_state="session", index=None
    )
    asking = st.session_state.get(chosen) is Decision.ASK_AGAIN
    st.text_area(
        "Question to the FSP" if asking else "Reason",
        key=key,
        persist_state="session",
        help="It is kept with the record: the FSP and everybody who sees the asset can read it.",
    )

    def decide() -> None:
        decision = st.session_state.get(chosen)
        if decision is None:
            st.session_state[f"{key}-missing"] = True
            return
        reason = str(st.session_state.get(key) or "")
        done = "Asked again." if decision is Decision.ASK_AGAIN else "Verified."
        attempt(lambda: settle_query(actor, asset.id, decision, reason, asset.version), done, key, chosen)

    if st.session_state.pop(f"{key}-missing", False):
        st.error("Choose a decision first.", icon=":material/error:")
    st.button("Decide", type="primary", icon=":material/gavel:", on_click=decide)


def draw_query(
    actor: Actor,
    asset: Asset,
    messages: Sequence[AssetMessage],
    checks: Sequence[AssetCheck],
    words: Words,
    allowed: set[str],
) -> None:
    """The conversation with the form for the actor's turn; nothing at all when there is nothing to say."""
    turn = allowed & {"answer_query", "settle_query"}
    if not messages and not ("settle_query" in turn and asset.status is AssetStatus.PENDING_VALIDATION):
        return
    with st.container(border=True):
        st.subheader("Query" if messages else "Decision", anchor="query")
        draw_conversation(messages)
        if "answer_query" in turn and actor.organisation_id == asset.service_provider_id:
            ask_for_answer(actor, asset)
        elif "answer_query" in turn:
            with st.expander("Answer on behalf of the FSP", icon=":material/reply:"):
                ask_for_answer(actor, asset)
        if "settle_query" in turn:
            ask_for_decision(actor, asset, checks, words)
