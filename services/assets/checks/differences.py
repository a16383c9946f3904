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
    Verdict,
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

    `field` is the ontology term, both terms for a position, or `NotFound`. `declared` and `theirs` are as people read them,
    `theirs_given` is as the source wrote it.
    """

    source: CheckSource
    source_name: str | None
    field: str
    label: str
    declared: str | None
    theirs: str | None
    theirs_given: str | None
    in_words: str
    found_at: datetime | None
    verdict: Verdict | None = None
    reason: str | None = None
    by: str | None = None
    organisation: str | None = None
    decided_at: datetime | None = None
    answer: str | None = None
    answered_by: str | None = None
    answered_at: datetime | None = None

    @property
    def open(self) -> bool:
        """Whether it still has to be settled."""
        return self.verdict is not Verdict.DECLARED_STANDS


def differences_of(checks: Iterable[AssetCheck]) -> list[Difference]:
    """Every difference that matters on these checks, settled ones too, in the order of sources and fields."""
    codes = code_lists()
    found: list[Difference] = []
    for check in checks:
        if check.outcome not in TELLING:
            continue
        found += [
            Difference(
                source=check.source,
                source_name=check.source_name,
                field=row["field"],
                label=label_of_field(row["field"]),
                declared=_read(row["field"], row["declared"], codes),
                theirs=_read(row["field"], row["theirs"], codes),
                theirs_given=row["theirs"],
                in_words=reason(check.source, check.source_name, row, codes),
                found_at=check.completed_at,
                **_marks_of(row, row.get("answer")),
            )
            for row in check.comparisons
            if differs(row) and check.outcome is not CheckOutcome.NOT_FOUND
        ]
        if _absent(check):
            found.append(_absence(check))
    return found


def _absent(check: AssetCheck) -> bool:
    """Whether the source should know the asset and doesn't, be it settled or not."""
    missing = check.outcome is CheckOutcome.NOT_FOUND or (check.outcome is CheckOutcome.SETTLED and _is_absence(check))
    return missing and bool(check.evidence.get("expected"))


def _is_absence(check: AssetCheck) -> bool:
    return "settled" in check.evidence and not any(differs(row) and "settled_as" in row for row in check.comparisons)


def _absence(check: AssetCheck) -> Difference:
    said = check.evidence.get("settled", {})
    return Difference(
        source=check.source,
        source_name=check.source_name,
        field=ABSENT,
        label="Entry",
        declared="Registered here",
        theirs="Not known there",
        theirs_given=None,
        in_words=check.summary or "The source does not know this asset.",
        found_at=check.completed_at,
        **_marks_of(said, check.evidence.get("answer")),
    )


def _read(field: str, value: str | None, codes: Any) -> str | None:
    try:
        return None if value is None else value_in_words(field, value, codes)
    except ArithmeticError:
        return value


def _marks_of(said: Mapping[str, Any], answer: Mapping[str, Any] | None) -> dict[str, Any]:
    answer = answer or {}
    return {
        "verdict": Verdict(said["settled_as"]) if "settled_as" in said else None,
        "reason": said.get("reason"),
        "by": said.get("by"),
        "organisation": said.get("organisation"),
        "decided_at": _moment(said.get("at")),
        "answer": answer.get("text"),
        "answered_by": answer.get("by"),
        "answered_at": _moment(answer.get("at")),
    }


def _moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


def chosen(
    checks: Sequence[AssetCheck],
    fields: Sequence[str] | None,
    source: CheckSource | None = None,
    *,
    settled: bool = True,
) -> list[Difference]:
    """The differences that are meant: all open ones without `fields`, else those in the fields named.

    With `settled`, one that was settled may be named too, to decide it anew. The position is one field, by either of its
    terms. Raises Invalid for a field in which nothing that matters differs.
    """
    there = [one for one in differences_of(checks) if source is None or one.source is source]
    if fields is None:
        return [one for one in there if one.open]
    there = there if settled else [one for one in there if one.open]
    named = {POSITION if name in POSITION.split(", ") else name for name in fields}
    known = {one.field for one in there}
    if unknown := sorted(named - known):
        expected = f"Fields that differ: {', '.join(sorted(known)) or 'there are none'}."
        message = f"Nothing that matters differs in {', '.join(unknown)}."
        raise Invalid([Finding("QUERY-02", "Fields", ", ".join(unknown), expected, message)])
    return [one for one in there if one.field in named]


def verdict_mark(actor: Actor, verdict: Verdict, why: str, asked: str | None = None) -> Mark:
    """What is written beside a difference that an operator has decided."""
    mark = {"settled_as": str(verdict), "reason": why, **_signed(actor)}
    return mark if asked is None else {**mark, "asked": asked}


def answer_mark(actor: Actor, text: str) -> Mark:
    """What is written beside a difference that the FSP has answered."""
    return {"answer": {"text": text, **_signed(actor)}}


def _signed(actor: Actor) -> Mark:
    return {"by": actor.name, "organisation": actor.organisation_name, "at": now().isoformat(timespec="seconds")}


def write_mark(
    checks: Iterable[AssetCheck], meant: Iterable[Difference], mark: Mark, forget: Sequence[str] = ()
) -> None:
    """Write a mark beside the differences that are meant; `forget` names older marks that it makes an end of."""
    names = {(one.source, one.field) for one in meant}
    for check in checks:
        if (check.source, ABSENT) in names:
            check.evidence = _absence_marked(check.evidence, mark, forget)
            check.outcome = outcome_of_absence(check.evidence)
        elif any(source is check.source for source, _field in names):
            check.comparisons = [
                _marked(row, mark, forget) if differs(row) and (check.source, row["field"]) in names else row
                for row in check.comparisons
            ]
            check.outcome = outcome_of(check.comparisons)


def _marked(row: Mark, mark: Mark, forget: Sequence[str]) -> Mark:
    return {**{name: value for name, value in row.items() if name not in forget}, **mark}


def _absence_marked(evidence: Mark, mark: Mark, forget: Sequence[str]) -> Mark:
    kept = {name: value for name, value in evidence.items() if name not in forget}
    if "answer" in mark or not mark:
        return {**kept, **mark}
    return {**kept, "settled": {**kept.get("settled", {}), **mark}}


def said_of(one: Difference) -> str:
    """``rated capacity: 2,500.00 kW declared, the connection register (...) says 2,000.00 kW``, inside a sentence."""
    who = source_in_words(one.source, one.source_name)
    if one.field == ABSENT:
        return f"{who} does not know the asset"
    return f"{field_in_words(one.field)}: {one.declared or 'nothing'} declared, {who} says {one.theirs or 'nothing'}"
