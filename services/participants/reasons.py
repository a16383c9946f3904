"""Reasons given in writing: shown to those they concern, and kept with the record."""

from services.core.errors import Finding, Invalid

SHORTEST, LONGEST = 10, 500


def require_reason(reason: str, field: str = "Reason") -> str:
    """The reason without surrounding space; Invalid unless it has 10 to 500 characters, as justifications do."""
    text = reason.strip()
    if SHORTEST <= len(text) <= LONGEST:
        return text
    words = f"Give a reason of {SHORTEST} to {LONGEST} characters: it is shown to those it concerns and stays with the record."
    raise Invalid([Finding("REASON-01", field, text or None, f"{SHORTEST} to {LONGEST} characters", words)])
