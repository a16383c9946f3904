"""Files of a message: the field that takes them in, and the buttons that hand them out (UC-02.01, UC-04.02)."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

import streamlit as st

from pages.components.common.downloads import LARGEST_TABLE, draw_file_download
from pages.frame.markdown import escape_markdown
from services.core.conversation.definition import FileRecord
from services.core.conversation.file_types import KINDS, PICTURES, labels_of
from services.core.conversation.files import MOST_FILES, Upload
from services.core.file_tickets import DownloadKind
from services.core.identity.actor import Actor

KB, MB = 1024, 1024 * 1024
ICONS = {"application/pdf": "picture_as_pdf", "image/png": "image", "image/jpeg": "image"}
HELP = f"{labels_of(KINDS)}; up to {MOST_FILES} files with a message. What a file is, is judged by its content."


@dataclass(frozen=True, slots=True)
class FileReader:
    """The kind of file that one kind of conversation hands out; `thumbnails` where pictures are drawn small."""

    kind: DownloadKind
    thumbnails: Callable[[Actor, Iterable[UUID]], dict[UUID, bytes]] | None = None


def files_field(key: str, largest_mb: int, label: str = "Files", help_text: str = HELP) -> None:
    """Draw the field for files; `uploads_in` reads it, `forget_files` empties it once they are stored."""
    st.file_uploader(label, accept_multiple_files=True, key=_key(key), max_upload_size=largest_mb, help=help_text)


def uploads_in(key: str) -> list[Upload]:
    """The files in a field."""
    return [Upload(file.name, file.getvalue()) for file in st.session_state.get(_key(key)) or []]


def forget_files(key: str) -> None:
    """Empty a field: a file field can't be emptied, so the next run draws another one in its place."""
    st.session_state[f"{key}!round"] = st.session_state.get(f"{key}!round", 0) + 1


def _key(key: str) -> str:
    return f"{key}-files-{st.session_state.get(f'{key}!round', 0)}"


def draw_files(actor: Actor, files: Sequence[FileRecord], reader: FileReader) -> None:
    """Draw the files of a message: pictures small, each with a button that names it and its size."""
    if not files:
        return
    pictures = [file.id for file in files if file.media_type in PICTURES]
    made = reader.thumbnails(actor, pictures) if reader.thumbnails and pictures else {}
    thumbnails = {file_id: picture for file_id, picture in made.items() if len(picture) <= LARGEST_TABLE}
    with st.container(horizontal=True, vertical_alignment="bottom"):
        for file in files:
            with st.container(width="content", gap="xsmall"):
                if file.id in thumbnails:
                    st.image(thumbnails[file.id], width=160, alt=file.file_name)
                draw_file_download(
                    actor,
                    f"{escape_markdown(file.file_name)} ({describe_size(file.size)})",
                    reader.kind,
                    {"file": str(file.id)},
                    key=f"file-{file.id}",
                    icon=f":material/{ICONS.get(file.media_type, 'table')}:",
                )


def describe_size(size: int) -> str:
    """``1.4 MB``, ``12 kB``."""
    return f"{size / MB:,.1f} MB" if size >= MB else f"{max(1, round(size / KB)):,} kB"
