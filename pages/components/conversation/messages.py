"""Messages of a conversation: author, moment and readers on every message, with its files (UC-02.01, UC-04.02)."""

from collections.abc import Sequence
from typing import Any

import streamlit as st

from pages.components.conversation.files import FileReader, draw_files
from pages.frame.markdown import escape_markdown
from services.core.clock import show_moment
from services.core.conversation.definition import Audience, MessageWithFiles
from services.core.identity.actor import Actor

KINDS = {
    "QUERY": ("Query", "help"),
    "QUESTION": ("Question", "help"),
    "ANSWER": ("Answer", "reply"),
    "DECISION": ("Decision", "gavel"),
    "COMMENT": ("Comment", "chat"),
}
"""Label and icon of each kind of message, of every conversation."""
NOTE = ("Internal note", "lock")
COLOURS = {Audience.EVERYONE: "blue", Audience.OWN_ORGANISATION: "violet"}
ICONS = {Audience.EVERYONE: "groups", Audience.OWN_ORGANISATION: "lock"}


def label_of(row: MessageWithFiles[Any, Any]) -> tuple[str, str]:
    """Label and icon of a message."""
    return NOTE if row.audience is Audience.OWN_ORGANISATION else KINDS[row.message.kind]


def describe_audience(audience: Audience, own: str) -> str:
    """``Everyone involved``, or ``Only Northgate``."""
    return "Everyone involved" if audience is Audience.EVERYONE else f"Only {own}"


def audience_badge(audience: Audience, own: str) -> str:
    """Badge of a message's readers: told by colour, sign and words."""
    return (
        f":{COLOURS[audience]}-badge[:material/{ICONS[audience]}: {escape_markdown(describe_audience(audience, own))}]"
    )


def own_name(actor: Actor) -> str:
    """The name of the actor's organisation, as its own notes bear it."""
    return actor.organisation_name or "my organisation"


def draw_messages(actor: Actor, rows: Sequence[MessageWithFiles[Any, Any]], reader: FileReader) -> None:
    """Draw messages in the order given, with their files."""
    own = own_name(actor)
    for row in rows:
        message, (label, icon) = row.message, label_of(row)
        with st.chat_message(message.author_name, avatar=f":material/{icon}:"):
            author, sent_at = escape_markdown(message.author_name), show_moment(message.sent_at)
            st.markdown(f"**{label}** · {author} · {sent_at} {audience_badge(row.audience, own)}")
            st.text(message.text)
            draw_files(actor, row.files, reader)
