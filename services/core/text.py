"""Text that people type: without what no database keeps, trimmed, and held to its length."""

from services.core.errors import Finding, Invalid

SHORTEST_TEXT, LONGEST_TEXT = 3, 4000
QUOTED = 200
"""So much of a text is repeated in a finding about it."""


def storable_text(text: str) -> str:
    """The text without NUL characters and halves of surrogate pairs, which no database keeps."""
    return text.replace("\x00", "").encode("utf-8", "ignore").decode()


def clean_text(text: str) -> str:
    """The storable text without blanks around it; line breaks stay."""
    return storable_text(text).strip()


def clean_line(text: str) -> str:
    """The storable text on one line, its words apart by single blanks."""
    return " ".join(storable_text(text).split())


def require_text(
    text: str, field: str, *, code: str, message: str = "", shortest: int = SHORTEST_TEXT, longest: int = LONGEST_TEXT
) -> str:
    """The clean text. Raises Invalid with a finding under `code` when it is too short or too long."""
    cleaned = clean_text(text)
    if not shortest <= len(cleaned) <= longest:
        expected = f"{shortest} to {longest:,} characters"
        raise Invalid([Finding(code, field, cleaned[:QUOTED] or None, expected, message or f"Write {expected}.")])
    return cleaned


def require_statement(field: str, text: str) -> str:
    """The clean question, answer or comment on an asset. Raises Invalid (QUERY-01) unless 3 to 4,000 characters."""
    return require_text(text, field, code="QUERY-01")
