"""Differences between what is declared and what a source says: told one by one, settled, answered (UC-02.01).

A difference stands on the check that found it. What people say of it is written beside it (`check_records.MARKS`), so that
it is told with the attribute, in the ledger, and again when the same difference is found anew.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from models.assets import AssetCheck, CheckOutcome, CheckSource
from services.assets.checks.outcomes import (
    POSITION,
    DifferenceRuling,
    differs,
    field_in_words,
    label_of_field,
    outcome_of,
    reason,
    source_in_words,
    value_in_words,
)
from services.assets.checks.records import outcome_of_absence
from services.assets.rules.reference import code_lists
from services.core.clock import now
from services.core.errors import Finding, Invalid
from services.core.identity.actor import Actor

ABSENT = "NotFound"
"""The name of the difference that a source, which should, doesn't know the asset at all."""
TELLING = (CheckOutcome.DIFFERS, CheckOutcome.SETTLED, CheckOutcome.AGREES, CheckOutcome.NOT_FOUND)
Mark = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that matters and that a source says otherwise; what the operator and the FSP said of it.

    `field` is the ontology term, both terms for a position, or `NotFound`. `declared` and `source_value` are as people
    read them, `source_text` is as the source wrote it.
    """

    source: CheckSource
    source_name: str | None
    field: str
    label: str
    declared: str | None
    source_value: str | None
    source_text: str | None
    in_words: str
    found_at: datetime | None
    verdict: DifferenceRuling | None = None
    reason: str | None = None
    by: str | None = None
    organisation: str | None = None
    decided_at: datetime | None = None
    answer: str | None = None
    answered_by: str | None = None
    answered_at: datetime | None = None

    @property
    def open(self) -> bool:
        """True while the difference still has to be settled."""
        return self.verdict is not DifferenceRuling.DECLARED_STANDS


def differences_of(checks: Iterable[AssetCheck]) -> list[Difference]:
    """Every difference that matters on these checks, settled ones too, in the order of sources and fields."""
    codes = code_lists()
    differences: list[Difference] = []
    for check in checks:
        if check.outcome not in TELLING:
            continue
        differences += [
            Difference(
                source=check.source,
                source_name=check.source_name,
                field=row["field"],
                label=label_of_field(row["field"]),
                declared=_read(row["field"], row["declared"], codes),
                source_value=_read(row["field"], row["theirs"], codes),
                source_text=row["theirs"],
                in_words=reason(check.source, check.source_name, row, codes),
                found_at=check.completed_at,
                **_marks_of(row, row.get("answer")),
            )
            for row in check.comparisons
            if differs(row) and check.outcome is not CheckOutcome.NOT_FOUND
        ]
        if _absent(check):
            differences.append(_absence(check))
    return differences


def _absent(check: AssetCheck) -> bool:
    """True where the source should know the asset and doesn't, settled or not."""
    missing = check.outcome is CheckOutcome.NOT_FOUND or (check.outcome is CheckOutcome.SETTLED and _is_absence(check))
    return missing and bool(check.evidence.get("expected"))


def _is_absence(check: AssetCheck) -> bool:
    return "settled" in check.evidence and not any(differs(row) and "settled_as" in row for row in check.comparisons)


def _absence(check: AssetCheck) -> Difference:
    settlement = check.evidence.get("settled", {})
    return Difference(
        source=check.source,
        source_name=check.source_name,
        field=ABSENT,
        label="Entry",
        declared="Registered here",
        source_value="Not known there",
        source_text=None,
        in_words=check.summary or "The source does not know this asset.",
        found_at=check.completed_at,
        **_marks_of(settlement, check.evidence.get("answer")),
    )


def _read(field: str, value: str | None, codes: Any) -> str | None:
    try:
        return None if value is None else value_in_words(field, value, codes)
    except ArithmeticError:
        return value


def _marks_of(mark: Mapping[str, Any], answer: Mapping[str, Any] | None) -> dict[str, Any]:
    answer = answer or {}
    return {
        "verdict": DifferenceRuling(mark["settled_as"]) if "settled_as" in mark else None,
        "reason": mark.get("reason"),
        "by": mark.get("by"),
        "organisation": mark.get("organisation"),
        "decided_at": _moment(mark.get("at")),
        "answer": answer.get("text"),
        "answered_by": answer.get("by"),
        "answered_at": _moment(answer.get("at")),
    }


def _moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


def select_differences(
    checks: Sequence[AssetCheck],
    fields: Sequence[str] | None,
    source: CheckSource | None = None,
    *,
    settled: bool = True,
) -> list[Difference]:
    """Select differences: all open ones without `fields`, else those in the fields named.

    With `settled`, one that was settled may be named too, to decide it anew. The position is one field, by either of its
    terms. Raises Invalid for a field in which nothing that matters differs.
    """
    differences = [difference for difference in differences_of(checks) if source is None or difference.source is source]
    if fields is None:
        return [difference for difference in differences if difference.open]
    differences = differences if settled else [difference for difference in differences if difference.open]
    selected = {POSITION if name in POSITION.split(", ") else name for name in fields}
    differing = {difference.field for difference in differences}
    if unknown := sorted(selected - differing):
        expected = f"Fields that differ: {', '.join(sorted(differing)) or 'there are none'}."
        message = f"Nothing that matters differs in {', '.join(unknown)}."
        raise Invalid([Finding("QUERY-02", "Fields", ", ".join(unknown), expected, message)])
    return [difference for difference in differences if difference.field in selected]


def verdict_mark(actor: Actor, verdict: DifferenceRuling, reason: str, question_id: str | None = None) -> Mark:
    """The mark of an operator's verdict on a difference, as it is stored with the check."""
    mark = {"settled_as": str(verdict), "reason": reason, **_signed(actor)}
    return mark if question_id is None else {**mark, "asked": question_id}


def answer_mark(actor: Actor, text: str) -> Mark:
    """The mark of the FSP's answer to a difference, as it is stored with the check."""
    return {"answer": {"text": text, **_signed(actor)}}


def _signed(actor: Actor) -> Mark:
    return {"by": actor.name, "organisation": actor.organisation_name, "at": now().isoformat(timespec="seconds")}


def write_mark(
    checks: Iterable[AssetCheck], differences: Iterable[Difference], mark: Mark, forget: Sequence[str] = ()
) -> None:
    """Write a mark beside the differences that are meant; `forget` names older marks that it makes an end of."""
    names = {(difference.source, difference.field) for difference in differences}
    for check in checks:
        if (check.source, ABSENT) in names:
            check.evidence = _absence_marked(check.evidence, mark, forget)
            check.outcome = outcome_of_absence(check.evidence)
        elif any(source is check.source for source, _field in names):
            check.comparisons = [
                _merge_mark(row, mark, forget) if differs(row) and (check.source, row["field"]) in names else row
                for row in check.comparisons
            ]
            check.outcome = outcome_of(check.comparisons)


def _merge_mark(row: Mark, mark: Mark, forget: Sequence[str]) -> Mark:
    return {**{name: value for name, value in row.items() if name not in forget}, **mark}


def _absence_marked(evidence: Mark, mark: Mark, forget: Sequence[str]) -> Mark:
    remaining = {name: value for name, value in evidence.items() if name not in forget}
    if "answer" in mark or not mark:
        return {**remaining, **mark}
    return {**remaining, "settled": {**remaining.get("settled", {}), **mark}}


def describe_difference(difference: Difference) -> str:
    """``rated capacity: 2,500.00 kW declared, the connection register (...) says 2,000.00 kW``, inside a sentence."""
    source = source_in_words(difference.source, difference.source_name)
    if difference.field == ABSENT:
        return f"{source} does not know the asset"
    declared, source_value = difference.declared or "nothing", difference.source_value or "nothing"
    return f"{field_in_words(difference.field)}: {declared} declared, {source} says {source_value}"
