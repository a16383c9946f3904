"""File type detection by the first bytes of the content: a file's name and what a browser calls it count for nothing."""

PDF, PNG, JPEG = "application/pdf", "image/png", "image/jpeg"
ZIP, PARQUET = "application/zip", "application/vnd.apache.parquet"
OLD_OFFICE = "application/x-ole-storage"
SIGNATURES: dict[bytes, str] = {
    b"PK\x03\x04": ZIP,
    b"PAR1": PARQUET,
    b"%PDF-": PDF,
    b"\x89PNG\r\n\x1a\n": PNG,
    b"\xff\xd8\xff": JPEG,
    b"\xd0\xcf\x11\xe0": OLD_OFFICE,
    b"{\\rtf": "application/rtf",
    b"\x1f\x8b": "application/gzip",
    b"7z\xbc\xaf": "application/x-7z-compressed",
    b"Rar!": "application/vnd.rar",
    b"SQLite format 3": "application/vnd.sqlite3",
}
"""First bytes -> media type. Workbooks are ZIP archives; text has no signature."""


def signature_of(content: bytes) -> str | None:
    """The media type that content claims by its first bytes; None for text and whatever has no signature here."""
    return next((media_type for magic, media_type in SIGNATURES.items() if content.startswith(magic)), None)
