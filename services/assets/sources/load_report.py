"""The report of loading a public register, as lines of text: what became of every row, and what wasn't read."""

from collections.abc import Iterator, Mapping
from typing import Any


def report_lines(name: str, counts: Mapping[str, Any]) -> Iterator[str]:
    """The counts of an edition (`SourceEdition.counts`) as lines for an operator."""
    names = ("rows", "taken", "new", "changed", "unchanged", "gone")
    yield f"{name}: {', '.join(f'{key} {counts.get(key, 0)}' for key in names)}"
    if areas := counts.get("areas"):
        yield f"Licence areas: {', '.join(areas)}."
    for title, by_code in (("Skipped", counts["skipped"]), ("Noted", counts["notes"])):
        if by_code:
            yield f"{title}: {', '.join(f'{code} {number:,}' for code, number in by_code.items())}."
    if columns := counts.get("unread"):
        yield f"Columns not read: {', '.join(columns)}."
    for heading, lost in (counts.get("lost") or {}).items():
        examples = ", ".join(f"“{example}”" for example in lost["examples"])
        yield f"Not read under “{heading}”: {lost['count']:,}, such as {examples}."
