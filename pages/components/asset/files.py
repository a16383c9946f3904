"""Files that come with a message: handing them in, and taking them out again (UC-02.01)."""

from collections.abc import Sequence
from functools import partial

import streamlit as st

from models.assets import Attachment
from pages.frame.banner import plain
from services.assets.conversation.attachments import MOST_FILES, Upload, read_attachment, small_pictures
from services.assets.conversation.file_types import ALLOWED, PICTURES
from services.core.identity.actor import Actor

KB, MB = 1024, 1024 * 1024
ICONS = {"application/pdf": "picture_as_pdf", "image/png": "image", "image/jpeg": "image"}


def files_field(key: str, largest_mb: int, label: str = "Files") -> None:
    """Where files are handed in; `taken` gives them, `forget_files` empties the field once they are kept."""
    st.file_uploader(
        label,
        accept_multiple_files=True,
        key=_key(key),
        max_upload_size=largest_mb,
        help=f"{ALLOWED}; up to {MOST_FILES} files with a message. What a file is, is judged by its content.",
    )


def taken(key: str) -> list[Upload]:
    """The files that stand in a field."""
    return [Upload(file.name, file.getvalue()) for file in st.session_state.get(_key(key)) or []]


def forget_files(key: str) -> None:
    """Empty a field: a file field can't be emptied, so the next run draws another one in its place."""
    st.session_state[f"{key}!round"] = st.session_state.get(f"{key}!round", 0) + 1


def _key(key: str) -> str:
    return f"{key}-files-{st.session_state.get(f'{key}!round', 0)}"


def draw_files(actor: Actor, files: Sequence[Attachment]) -> None:
    """The files of a message: pictures small, each to be taken out by a button that names it and its size."""
    if not files:
        return
    pictures = [file for file in files if file.media_type in PICTURES]
    drawn = small_pictures(actor, [file.id for file in pictures]) if pictures else {}
    with st.container(horizontal=True, vertical_alignment="bottom"):
        for file in files:
            with st.container(width="content", gap="xsmall"):
                if file.id in drawn:
                    st.image(drawn[file.id], width=160, alt=file.file_name)
                st.download_button(
                    f"{plain(file.file_name)} ({size_in_words(file.size)})",
                    data=partial(_content, actor, file),
                    file_name=file.file_name,
                    mime=file.media_type,
                    key=f"file-{file.id}",
                    icon=f":material/{ICONS.get(file.media_type, 'table')}:",
                    on_click="ignore",
                )


def _content(actor: Actor, file: Attachment) -> bytes:
    return read_attachment(actor, file.id).content


def size_in_words(size: int) -> str:
    """``1.4 MB``, ``12 kB``."""
    return f"{size / MB:,.1f} MB" if size >= MB else f"{max(1, round(size / KB)):,} kB"
