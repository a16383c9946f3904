"""Writing a comment: first who reads it, then what it says; the button says once more where it goes (UC-02.01)."""

from functools import partial

import streamlit as st

from models.assets import Asset
from pages.components.asset.files import files_field, forget_files, taken
from pages.components.asset.messages import COLOURS, ICONS
from pages.components.common.actions import attempt
from pages.frame.banner import plain
from services.assets.asset_page.page import WholeAsset
from services.assets.conversation.comments import Audience, comment_on_asset
from services.core.identity.actor import Actor


def draw_composer(actor: Actor, whole: WholeAsset) -> None:
    """The form of a comment. Nothing is chosen beforehand: who reads it is never a matter of habit."""
    asset, own = whole.asset, actor.organisation_name or "my organisation"
    key = f"comment-{asset.id}"
    choices = {
        Audience.EVERYONE: f"Everyone involved ({plain(', '.join(whole.involved))})",
        Audience.OWN_ORGANISATION: f"Only {plain(own)}",
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
        told = {
            Audience.EVERYONE: "Everybody who may see this asset reads this, and it stays with the record.",
            Audience.OWN_ORGANISATION: f"Only people of {plain(own)} read this. Nobody else does, the FMAR administrator "
            "included; no notice tells of it.",
        }
        st.markdown(f":{COLOURS[audience]}-background[:material/{ICONS[audience]}: {told[audience]}]")
        everyone = audience is Audience.EVERYONE
        st.text_area(
            "Comment for everyone involved" if everyone else f"Note within {plain(own)}",
            key=f"{key}-text",
            persist_state="session",
        )
        files_field(key, whole.largest_file_mb)
        st.button(
            "Send to everyone involved" if everyone else f"Keep within {plain(own)}",
            type="primary",
            icon=":material/send:" if everyone else ":material/lock:",
            key=f"{key}-send",
            on_click=partial(_send, actor, asset, audience, key),
        )


def _send(actor: Actor, asset: Asset, audience: Audience, key: str) -> None:
    text = str(st.session_state.get(f"{key}-text") or "")
    done = "Sent to everyone involved." if audience is Audience.EVERYONE else "Kept within your organisation."

    def act() -> None:
        comment_on_asset(actor, asset.id, text, audience, taken(key))
        forget_files(key)

    attempt(act, done, f"{key}-text", f"{key}-audience")
