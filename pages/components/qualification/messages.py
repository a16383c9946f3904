"""Conversation on an application: its messages with evidence, and the form of a comment (UC-04.02)."""

import streamlit as st

from models.qualifications import Qualification
from pages.components.conversation.comment_form import draw_comment_form
from pages.components.conversation.files import FileReader
from pages.components.conversation.messages import draw_messages
from pages.components.qualification.forms import evidence_field
from services.core.file_tickets import DownloadKind
from services.core.identity.actor import Actor
from services.core.identity.permissions import may
from services.market.qualification.messages import (
    comment_on_application,
    involved_in_application,
    said_on_application,
)

EVIDENCE = FileReader(DownloadKind.APPLICATION_ATTACHMENT)


def draw_conversation(actor: Actor, qualification: Qualification) -> None:
    """Draw the messages on an application, oldest first, and the form of a comment."""
    rows = said_on_application(actor, qualification.id)
    if not rows:
        st.info("Nothing has been said on this application yet.", icon=":material/forum:")
    draw_messages(actor, rows, EVIDENCE)
    if may(actor, "qualification.comment"):
        draw_comment_form(
            actor,
            qualification.id,
            involved=involved_in_application(actor, qualification.id),
            readers="The FSP, the SO and the FMAR administrator read this, and it stays with the record.",
            draw_files_field=evidence_field,
            post=comment_on_application,
        )
