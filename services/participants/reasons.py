"""Reasons given in writing: shown to those they concern, and kept with the record."""

from services.core.text import require_text

SHORTEST, LONGEST = 10, 500


def require_reason(reason: str, field: str = "Reason") -> str:
    """The reason without surrounding space; Invalid unless it has 10 to 500 characters, as justifications do."""
    length = f"{SHORTEST} to {LONGEST} characters"
    message = f"Give a reason of {length}: it is shown to those it concerns and stays with the record."
    return require_text(reason, field, code="REASON-01", message=message, shortest=SHORTEST, longest=LONGEST)
