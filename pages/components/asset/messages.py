"""What was said about an asset: who said it, when, and who reads it, on every message (UC-02.01)."""

from collections.abc import Sequence

import streamlit as st

from models.assets import MessageKind
from pages.components.asset.files import draw_files
from pages.frame.banner import plain
from services.assets.conversation.comments import Audience, Said
from services.core.clock import show_moment
from services.core.identity.actor import Actor

KINDS = {
    MessageKind.QUERY: ("Query", "help"),
    MessageKind.ANSWER: ("Answer", "reply"),
    MessageKind.DECISION: ("Decision", "gavel"),
    MessageKind.COMMENT: ("Comment", "chat"),
}
COLOURS = {Audience.EVERYONE: "blue", Audience.OWN_ORGANISATION: "violet"}
ICONS = {Audience.EVERYONE: "groups", Audience.OWN_ORGANISATION: "lock"}


def audience_in_words(audience: Audience, own: str) -> str:
    """``Everyone involved``, or ``Only Northgate``."""
    return "Everyone involved" if audience is Audience.EVERYONE else f"Only {own}"


def audience_badge(audience: Audience, own: str) -> str:
    """Who reads a message, as a badge: told by colour, sign and words."""
    return f":{COLOURS[audience]}-badge[:material/{ICONS[audience]}: {plain(audience_in_words(audience, own))}]"


def draw_said(actor: Actor, said: Sequence[Said]) -> None:
    """The messages, in the order given, with their files."""
    own = actor.organisation_name or "my organisation"
    for one in said:
        label, icon = KINDS[one.message.kind]
        if one.audience is Audience.OWN_ORGANISATION:
            label, icon = "Internal note", "lock"
        author = plain(one.message.author_name)
        with st.chat_message(one.message.author_name, avatar=f":material/{icon}:"):
            st.markdown(
                f"**{label}** · {author} · {show_moment(one.message.sent_at)} {audience_badge(one.audience, own)}"
            )
            st.text(one.message.text)
            draw_files(actor, one.files)
