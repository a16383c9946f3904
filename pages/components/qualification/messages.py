"""What was said on an application, and saying more: who reads it stands on every message and on the button (UC-04.02)."""

from functools import partial

import streamlit as st

from models.qualifications import Qualification, SaidKind
from pages.components.asset.files import size_in_words
from pages.components.asset.messages import COLOURS, ICONS, audience_badge
from pages.components.common.actions import attempt
from pages.components.qualification.forms import evidence, evidence_field, forget_evidence
from pages.frame.banner import plain
from services.assets.conversation.comments import Audience
from services.core.clock import show_moment
from services.core.identity.actor import Actor
from services.core.identity.permissions import may
from services.market.qualification.evidence import read_evidence
from services.market.qualification.messages import (
    MessageWithFiles,
    comment_on_application,
    involved_in_application,
    said_on_application,
)

KINDS = {
    SaidKind.QUESTION: ("Question", "help"),
    SaidKind.ANSWER: ("Answer", "reply"),
    SaidKind.DECISION: ("Decision", "gavel"),
    SaidKind.COMMENT: ("Comment", "chat"),
}


def draw_talk(actor: Actor, one: Qualification) -> None:
    """Everything said, oldest first, and the form of a comment."""
    said = said_on_application(actor, one.id)
    if not said:
        st.info("Nothing has been said on this application yet.", icon=":material/forum:")
    for message in said:
        _draw(actor, message)
    if may(actor, "qualification.comment"):
        _compose(actor, one)


def _draw(actor: Actor, said: MessageWithFiles) -> None:
    own = actor.organisation_name or "my organisation"
    label, icon = KINDS[said.message.kind]
    if said.audience is Audience.OWN_ORGANISATION:
        label, icon = "Internal note", "lock"
    with st.chat_message(said.message.author_name, avatar=f":material/{icon}:"):
        author = plain(said.message.author_name)
        st.markdown(
            f"**{label}** · {author} · {show_moment(said.message.sent_at)} {audience_badge(said.audience, own)}"
        )
        st.text(said.message.text)
        for file in said.files:
            st.download_button(
                f"{plain(file.file_name)} ({size_in_words(file.size)})",
                data=lambda file=file: read_evidence(actor, file.id).content,
                file_name=file.file_name,
                mime=file.media_type,
                key=f"file-{file.id}",
                icon=":material/attach_file:",
                on_click="ignore",
            )


def _compose(actor: Actor, one: Qualification) -> None:
    """Nothing is chosen beforehand: who reads it is never a matter of habit."""
    own, key = actor.organisation_name or "my organisation", f"comment-{one.id}"
    choices = {
        Audience.EVERYONE: f"Everyone involved ({plain(', '.join(involved_in_application(actor, one.id)))})",
        Audience.OWN_ORGANISATION: f"Only {plain(own)}",
    }
    with st.container(border=True):
        st.radio("Who reads it", list(choices), format_func=choices.__getitem__, key=f"{key}-audience", index=None)
        audience = st.session_state.get(f"{key}-audience")
        if audience is None:
            st.caption("Choose who reads it, then write.")
            return
        told = {
            Audience.EVERYONE: "The FSP, the SO and the FMAR administrator read this, and it stays with the record.",
            Audience.OWN_ORGANISATION: f"Only people of {plain(own)} read this. Nobody else does, the FMAR administrator "
            "included; no notice tells of it.",
        }
        st.markdown(f":{COLOURS[audience]}-background[:material/{ICONS[audience]}: {told[audience]}]")
        everyone = audience is Audience.EVERYONE
        st.text_area("Comment for everyone involved" if everyone else f"Note within {plain(own)}", key=f"{key}-text")
        evidence_field(key)
        st.button(
            "Send to everyone involved" if everyone else f"Keep within {plain(own)}",
            type="primary",
            icon=":material/send:" if everyone else ":material/lock:",
            key=f"{key}-send",
            on_click=partial(_send, actor, one, audience, key),
        )


def _send(actor: Actor, one: Qualification, audience: Audience, key: str) -> None:
    text, files = str(st.session_state.get(f"{key}-text") or ""), evidence(key)
    done = "Sent to everyone involved." if audience is Audience.EVERYONE else "Kept within your organisation."

    def act() -> None:
        comment_on_application(actor, one.id, text, audience, files)
        forget_evidence(key)

    attempt(act, done, f"{key}-text", f"{key}-audience")
