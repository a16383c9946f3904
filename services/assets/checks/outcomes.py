"""Outcomes of outside sources' answers: which differences matter, and the words for them (UC-02.01).

docs/checks.md explains the decisions. Pure: no database, no network.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Any
from uuid import UUID

from models.assets import CHECK_SOURCE_LABELS, CheckOutcome, CheckSource
from services.assets.rules.schemas import CORE
from services.core.attributes import CodeLists
from services.core.clock import show_date
from services.core.comparison import Comparison, ComparisonOutcome

POSITION = "Latitude, Longitude"
DAY = re.compile(r"[0-9]{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01])")
_OWN_LABELS = {POSITION: "Position", "GspGroup": "GSP group"}
CAPACITIES = ("RatedCapacity", "GenCapacity", "DemandCapacity", "InstalledCapacity")
LISTED = frozenset({"BESS", "SOLAR_PV", "WIND_TURBINE", "CHP", "OTHER"})
"""Categories whose capacity a connection register states; of others it states that of the connection only."""
MINOR: Mapping[CheckSource, frozenset[str]] = {
    CheckSource.CONNECTION_REGISTER: frozenset({"Postcode", "InstalledCapacity"}),
    CheckSource.INSTALLATION_REGISTRY: frozenset({"AssetModel", "CommissioningDate"}),
    CheckSource.MPAN_REGISTER: frozenset(),
}
"""Differences that are shown and ask nothing: the address of a site and that of its meter, rounding, spelling."""


class DifferenceRuling(StrEnum):
    """Operator's verdict on a difference: the declared value is right after all, or the source is."""

    DECLARED_STANDS = "DECLARED_STANDS"
    THEIRS_RIGHT = "THEIRS_RIGHT"


@dataclass(frozen=True, slots=True)
class Answer:
    """Answer of one source about one asset, ready to be stored. `expected`: the source should have known the asset."""

    outcome: CheckOutcome
    summary: str
    comparisons: list[dict[str, Any]] = field(default_factory=list)
    matched_by: str | None = None
    source_name: str | None = None
    source_record_id: UUID | None = None
    evidence: dict[str, Any] = field(default_factory=dict)
    expected: bool = False


def comparison_rows(source: CheckSource, comparisons: Iterable[Comparison]) -> list[dict[str, Any]]:
    """Comparisons as rows to store: each also says whether its difference `matters`."""
    return [
        {**asdict(comparison), "outcome": str(comparison.outcome), "matters": comparison.field not in MINOR[source]}
        for comparison in comparisons
    ]


def outcome_of(comparisons: Iterable[Mapping[str, Any]]) -> CheckOutcome:
    """One outcome for all fields: a difference that matters and isn't settled decides, then a settled one."""
    rows = list(comparisons)
    differing = [row for row in rows if differs(row)]
    if any(is_open(row) for row in differing):
        return CheckOutcome.DIFFERS
    if differing:
        return CheckOutcome.SETTLED
    if any(row["outcome"] == ComparisonOutcome.AGREES for row in rows):
        return CheckOutcome.AGREES
    return CheckOutcome.NOT_APPLICABLE


def differs(row: Mapping[str, Any]) -> bool:
    """True where a stored comparison is a difference that matters."""
    return row["outcome"] == ComparisonOutcome.DIFFERS and bool(row.get("matters"))


def is_open(row: Mapping[str, Any]) -> bool:
    """True while a difference has no verdict, or the source was found right and nothing changed yet."""
    return differs(row) and row.get("settled_as") != DifferenceRuling.DECLARED_STANDS


def label_of_field(name: str) -> str:
    """A field as people read it."""
    return _OWN_LABELS.get(name) or (CORE[name].label if name in CORE else name)


def field_in_words(name: str) -> str:
    """A field inside a sentence: small letters but for abbreviations."""
    label = label_of_field(name)
    first = label.split(" ")[0]
    return label if first.isupper() or "MPAN" in label else f"{label[0].lower()}{label[1:]}"


def source_in_words(source: CheckSource, source_name: str | None) -> str:
    """``the connection register (UK Power Networks, August 2025)``."""
    label = CHECK_SOURCE_LABELS[source]
    label = label if label.startswith("MPAN") else label[0].lower() + label[1:]
    return f"the {label} ({source_name})" if source_name else f"the {label}"


def reason(source: CheckSource, source_name: str | None, row: Mapping[str, Any], codes: CodeLists) -> str:
    """A difference as the FSP reads it in a query: what was declared, who says otherwise, and what they say."""
    label, source_label = label_of_field(row["field"]), source_in_words(source, source_name)
    direction = source is CheckSource.MPAN_REGISTER and row["field"] in ("ImportMPAN", "ExportMPAN")
    if direction or row["declared"] is None or row["theirs"] is None:
        return f"{label}: {row['message']}"
    declared = value_in_words(row["field"], row["declared"], codes)
    source_value = value_in_words(row["field"], row["theirs"], codes)
    more = f" ({row['message'].rstrip('.')})" if row["field"] == POSITION else ""
    return f"{label}: you declared {declared}, {source_label} says {source_value}{more}."


def value_in_words(name: str, value: str, codes: CodeLists) -> str:
    """Codes by their labels, as in the forms."""
    attribute = CORE.get(name)
    if attribute is None:
        return value
    entries = codes.get(attribute.code_list or "", {})
    text = ", ".join(entries[part].label if part in entries else part for part in value.split(", "))
    if attribute.kind == "power" and not text.endswith("kW"):
        return f"{Decimal(text):,.2f} kW"
    if attribute.kind == "date" and DAY.fullmatch(text):
        return show_date(date.fromisoformat(text))
    return text


def agreement(comparisons: Iterable[Mapping[str, Any]]) -> str:
    """``Agrees on category, rated capacity and position.``"""
    agreed = [label_of_field(row["field"]) for row in comparisons if row["outcome"] == ComparisonOutcome.AGREES]
    names = [
        name if name.isupper() or "MPAN" in name or "GSP" in name else name.lower() for name in dict.fromkeys(agreed)
    ]
    if not names:
        return "Says nothing that can be compared."
    return f"Agrees on {', '.join(names[:-1])} and {names[-1]}." if len(names) > 1 else f"Agrees on {names[0]}."


def adjust_comparisons(
    comparisons: Iterable[Comparison],
    *,
    category: str,
    site_wide: frozenset[str],
    commissioned: date | None,
    edition_date: date,
    metres: float | None,
    tolerance_m: float,
) -> list[Comparison]:
    """Adjust a connection register's comparisons to what is known of the asset.

    The position is held to the register's own setting. What stands behind a connection as demand has a capacity of its
    own; `site_wide` names capacities that the register gives above what is registered, so for more than this asset. A
    register that was published before the asset was commissioned can't know that it is connected.
    """
    result = []
    for comparison in comparisons:
        adjusted = comparison
        if comparison.field == POSITION and metres is not None:
            adjusted = replace(
                comparison, outcome=ComparisonOutcome.AGREES if metres <= tolerance_m else ComparisonOutcome.DIFFERS
            )
        elif comparison.outcome is not ComparisonOutcome.DIFFERS:
            pass
        elif comparison.field in site_wide or (comparison.field in CAPACITIES and category not in LISTED):
            message = "The register states the capacity of the connection, behind which this asset is one of several."
            adjusted = replace(comparison, outcome=ComparisonOutcome.NOT_STATED, message=message)
        elif comparison.field == "ConnectionStatus" and _is_published_earlier(comparison, commissioned, edition_date):
            message = f"{comparison.message} The asset was commissioned after this edition, which can't know of it yet."
            adjusted = replace(comparison, outcome=ComparisonOutcome.NOT_STATED, message=message)
        result.append(adjusted)
    return result


def _is_published_earlier(comparison: Comparison, commissioned: date | None, edition_date: date) -> bool:
    waits = comparison.declared == "CONNECTED" and comparison.theirs == "PENDING"
    return waits and commissioned is not None and commissioned >= edition_date
