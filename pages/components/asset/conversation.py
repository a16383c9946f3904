"""Conversation on an asset: its messages, and the form of a comment (UC-02.01)."""

from functools import partial

import streamlit as st

from pages.components.conversation.comment_form import draw_comment_form
from pages.components.conversation.files import FileReader, files_field
from pages.components.conversation.messages import draw_messages
from services.assets.asset_page.page import WholeAsset
from services.assets.conversation.comments import comment_on_asset, small_pictures
from services.core.file_tickets import DownloadKind
from services.core.identity.actor import Actor

ASSET_FILES = FileReader(DownloadKind.ASSET_ATTACHMENT, small_pictures)


def draw_conversation(actor: Actor, whole: WholeAsset, *, with_form: bool) -> None:
    """Draw the messages about an asset, oldest first, and the form of a comment."""
    if whole.messages:
        draw_messages(actor, whole.messages, ASSET_FILES)
    else:
        st.info("Nothing has been said about this asset yet.", icon=":material/forum:")
    if with_form:
        draw_comment_form(
            actor,
            whole.asset.id,
            involved=whole.involved,
            readers="Everybody who may see this asset reads this, and it stays with the record.",
            draw_files_field=partial(files_field, largest_mb=whole.largest_file_mb),
            post=comment_on_asset,
        )
