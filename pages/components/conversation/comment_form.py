"""Form of a comment: its readers first, then its text; the button says once more where it goes (UC-02.01, UC-04.02)."""

from collections.abc import Callable, Sequence
from functools import partial
from uuid import UUID

import streamlit as st

from pages.components.common.actions import attempt
from pages.components.conversation.files import forget_files, uploads_in
from pages.components.conversation.messages import COLOURS, ICONS, own_name
from pages.frame.markdown import escape_markdown
from services.core.conversation.definition import Audience
from services.core.conversation.files import Upload
from services.core.identity.actor import Actor

Post = Callable[[Actor, UUID, str, Audience, Sequence[Upload]], object]


def draw_comment_form(
    actor: Actor,
    subject_id: UUID,
    *,
    involved: Sequence[str],
    readers: str,
    draw_files_field: Callable[[str], None],
    post: Post,
) -> None:
    """Draw the form of a comment on a subject. No audience is preselected: who reads it is never a matter of habit.

    `involved` are the readers' names, `readers` says in a sentence who everyone involved is; `draw_files_field` draws the
    field for files under a key, `post` writes the comment.
    """
    own, key = own_name(actor), f"comment-{subject_id}"
    choices = {
        Audience.EVERYONE: f"Everyone involved ({escape_markdown(', '.join(involved))})",
        Audience.OWN_ORGANISATION: f"Only {escape_markdown(own)}",
    }
    with st.container(border=True, key="composer"):
        st.radio(
            "Who reads it",
            list(choices),
            format_func=choices.__getitem__,
            key=f"{key}-audience",
            index=None,
            persist_state="session",
        )
        audience = st.session_state.get(f"{key}-audience")
        if audience is None:
            st.caption("Choose who reads it, then write.")
            return
        consequences = {
            Audience.EVERYONE: readers,
            Audience.OWN_ORGANISATION: f"Only people of {escape_markdown(own)} read this. Nobody else "
            "does, the FMAR administrator "
            "included; no notice tells of it.",
        }
        st.markdown(f":{COLOURS[audience]}-background[:material/{ICONS[audience]}: {consequences[audience]}]")
        everyone = audience is Audience.EVERYONE
        st.text_area(
            "Comment for everyone involved" if everyone else f"Note within {escape_markdown(own)}",
            key=f"{key}-text",
            persist_state="session",
        )
        draw_files_field(key)
        st.button(
            "Send to everyone involved" if everyone else f"Keep within {escape_markdown(own)}",
            type="primary",
            icon=":material/send:" if everyone else ":material/lock:",
            key=f"{key}-send",
            on_click=partial(_send, actor, subject_id, audience, key, post),
        )


def _send(actor: Actor, subject_id: UUID, audience: Audience, key: str, post: Post) -> None:
    text = str(st.session_state.get(f"{key}-text") or "")
    done = "Sent to everyone involved." if audience is Audience.EVERYONE else "Kept within your organisation."

    def act() -> None:
        post(actor, subject_id, text, audience, uploads_in(key))
        forget_files(key)

    attempt(act, done, f"{key}-text", f"{key}-audience")
