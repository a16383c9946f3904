"""File types, judged by content: a file's name and what the browser calls it count for nothing (UC-02.01)."""

import csv
import io
import unicodedata
import zipfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import PurePosixPath

from pathvalidate import sanitize_filename
from PIL import Image, UnidentifiedImageError

from services.core.file_signatures import JPEG, PDF, PNG, ZIP, signature_of

MOST_PIXELS = 40_000_000
"""A picture of more is not opened: a few kilobytes can unpack to gigabytes."""
THUMBNAIL_PX = 320
LONGEST_NAME = 120
_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@dataclass(frozen=True, slots=True)
class FileKind:
    """One kind of file that may be attached: its label, the endings it may have, and the test that proves it."""

    media_type: str
    label: str
    endings: tuple[str, ...]
    proven: Callable[[bytes], bool]


def _is_pdf(content: bytes) -> bool:
    return content.startswith(b"%PDF-")


def _is_picture(format_name: str) -> Callable[[bytes], bool]:
    def proven(content: bytes) -> bool:
        try:
            with Image.open(io.BytesIO(content), formats=[format_name]) as picture:
                fits = picture.width * picture.height <= MOST_PIXELS
                picture.verify()
        except (UnidentifiedImageError, Image.DecompressionBombError, OSError, SyntaxError, ValueError):
            return False
        return fits

    return proven


def _is_workbook(content: bytes) -> bool:
    """A workbook without macros. Nothing is unpacked."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as workbook:
            names = set(workbook.namelist())
    except (zipfile.BadZipFile, ValueError, NotImplementedError):
        return False
    return {"[Content_Types].xml", "xl/workbook.xml"} <= names and not any(
        "vbaproject" in name.lower() for name in names
    )


def _is_table(content: bytes) -> bool:
    """Text of a table: no control characters, no markup, and more than one column in its first line."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = content.decode("cp1252", errors="replace")
        if "\ufffd" in text:
            return False
    start = text.lstrip()
    if not start or start.startswith("<") or any(ord(sign) < 32 and sign not in "\t\r\n" for sign in text):
        return False
    first = start.splitlines()[0]
    return any(len(next(csv.reader([first], delimiter=sign))) > 1 for sign in ",;\t|")


KINDS: dict[str, FileKind] = {
    kind.media_type: kind
    for kind in (
        FileKind(PDF, "PDF", (".pdf",), _is_pdf),
        FileKind(PNG, "PNG", (".png",), _is_picture("PNG")),
        FileKind(JPEG, "JPEG", (".jpg", ".jpeg"), _is_picture("JPEG")),
        FileKind(_XLSX, "XLSX", (".xlsx",), _is_workbook),
        FileKind("text/csv", "CSV", (".csv", ".tsv", ".txt"), _is_table),
    )
}
_CLAIMS = {PDF: PDF, PNG: PNG, JPEG: JPEG, ZIP: _XLSX, None: "text/csv"}
"""Signature -> the kind that the content may be."""
PICTURES = (PNG, JPEG)


def labels_of(media_types: Iterable[str]) -> str:
    """The kinds of file as people call them: ``PDF, PNG``."""
    return ", ".join(KINDS[media_type].label for media_type in media_types)


def kind_of(content: bytes) -> FileKind | None:
    """The kind of a file, of those that may be attached; None for anything else.

    A signature says what it claims to be, and opening it proves that. Text has no signature: its own test decides.
    """
    kind = KINDS.get(_CLAIMS.get(signature_of(content), ""))
    return kind if kind is not None and kind.proven(content) else None


def clean_name(name: str, kind: FileKind) -> str:
    """A file's name that is safe to store, show and save: no folders, no invisible signs, an ending that fits the content."""
    last = name.replace("\\", "/").rsplit("/", 1)[-1]
    visible = "".join(sign for sign in unicodedata.normalize("NFC", last) if unicodedata.category(sign)[0] != "C")
    safe = str(sanitize_filename(visible, replacement_text="-", platform="universal")).strip(" .")
    path = PurePosixPath(safe or "file")
    stem = path.stem[:LONGEST_NAME].strip(" .") or "file"
    ending = path.suffix.lower()
    if ending in kind.endings:
        return f"{stem}{ending}"
    return f"{path.name[:LONGEST_NAME].strip(' .')}{kind.endings[0]}"


def make_thumbnail(content: bytes) -> bytes:
    """A PNG of at most 320 pixels a side, drawn anew: nothing but the picture itself is left of the file."""
    with Image.open(io.BytesIO(content), formats=["PNG", "JPEG"]) as picture:
        picture.thumbnail((THUMBNAIL_PX, THUMBNAIL_PX))
        thumbnail = io.BytesIO()
        picture.convert("RGBA" if "A" in picture.getbands() or "transparency" in picture.info else "RGB").save(
            thumbnail, "PNG"
        )
    return thumbnail.getvalue()
