"""Text that people type: trimmed, and held to its length."""

from services.core.errors import Finding, Invalid

SHORTEST_TEXT, LONGEST_TEXT = 3, 4000


def text_given(field: str, given: str) -> str:
    """A text that somebody wrote, without blanks around it. Raises Invalid (QUERY-01) when it is too short or too long."""
    said = given.replace("\x00", "").strip()
    if not SHORTEST_TEXT <= len(said) <= LONGEST_TEXT:
        expected = f"{SHORTEST_TEXT} to {LONGEST_TEXT:,} characters"
        raise Invalid([Finding("QUERY-01", field, said[:200], expected, f"Write {expected}.")])
    return said
