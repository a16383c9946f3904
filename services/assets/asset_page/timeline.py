"""Timeline of an asset: its changes, checks, decisions, messages and files, newest first (UC-05.06)."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from models.assets import CHECK_SOURCE_LABELS, Asset, CheckOutcome, CheckSource, MessageKind
from services.assets.asset_page.ledger_queries import Entry, entries_around
from services.assets.checks.outcomes import label_of_field
from services.assets.conversation.comments import AssetMessageWithFiles, messages_about
from services.assets.registration.record import changed_terms
from services.core.identity.actor import Actor
from services.core.identity.visibility import see
from services.core.ledger.history import differences
from services.core.operation import operation

ONE_ACT = timedelta(milliseconds=500)
"""Entries of one act are written in one commit, one soon after the other; each bears the moment at which it was written."""

A_WHILE = timedelta(seconds=5)
"""A mark bears whole seconds, and is written a little later."""


class Touches(StrEnum):
    """The subject of an act in the timeline; one act may have several."""

    RECORD = "RECORD"
    STATUS = "STATUS"
    CHECKS = "CHECKS"
    QUERY = "QUERY"
    COMMENTS = "COMMENTS"


@dataclass(frozen=True, slots=True)
class CheckNews:
    """The news of one source's check: its new outcome, and the decisions and answers field by field."""

    source: CheckSource
    source_name: str | None
    outcome: CheckOutcome
    summary: str | None
    marks: Sequence[str] = ()


@dataclass(slots=True)
class Happening:
    """One act: who, when, under which use case, and everything that it changed. `changes` by term: before and after."""

    at: datetime
    operation: str
    use_case: str
    actor: str
    organisation: str | None
    version: int | None = None
    hash: str = ""
    changes: dict[str, tuple[Any, Any]] = field(default_factory=dict)
    checks: list[CheckNews] = field(default_factory=list)
    messages: list[AssetMessageWithFiles] = field(default_factory=list)

    @property
    def touches(self) -> frozenset[Touches]:
        """The subjects of the act, for a timeline filtered by subject."""
        kinds: set[Touches] = set()
        if self.version is not None:
            kinds.add(Touches.RECORD)
        if "Status" in self.changes:
            kinds.add(Touches.STATUS)
        if self.checks:
            kinds.add(Touches.CHECKS)
        for message in self.messages:
            kinds.add(Touches.COMMENTS if message.message.kind is MessageKind.COMMENT else Touches.QUERY)
        return frozenset(kinds)


@operation("UC-05.06", permission="history.read", writes=False, name="asset_timeline")
def asset_timeline(actor: Actor, asset_id: UUID, until: datetime | None = None) -> list[Happening]:
    """Everything that happened to an asset and that the actor may know, newest first; `until` a moment where one is given.

    Notes that another organisation keeps for itself are not in it. Raises NotFound when the asset is unseen.
    """
    see(Asset, actor, asset_id)
    messages = {message.message.id: message for message in messages_about(actor, asset_id, until)}
    entries = [entry for entry in entries_around(actor, asset_id) if until is None or entry.recorded_at <= until]
    acts: list[Happening] = []
    before: dict[UUID, dict[str, Any]] = {}
    record_ids: set[UUID] = set()
    last: Entry | None = None
    for entry in entries:
        state = json.loads(entry.state)
        previous, before[entry.record_id] = before.get(entry.record_id, {}), state
        if last is None or not _same_act(last, entry, record_ids):
            record_ids = set()
            acts.append(
                Happening(
                    at=entry.recorded_at,
                    operation=entry.operation,
                    use_case=entry.use_case,
                    actor=entry.author,
                    organisation=entry.organisation_name,
                )
            )
        last = entry
        record_ids.add(entry.record_id)
        _add(acts[-1], entry, previous, state, messages)
    return [act for act in reversed(acts) if act.touches]


def _same_act(previous: Entry, entry: Entry, record_ids: set[UUID]) -> bool:
    """Compare two entries: one act has one author and one moment, and changes no record twice."""
    return (
        previous.author_key == entry.author_key
        and entry.record_id not in record_ids
        and abs(entry.recorded_at - previous.recorded_at) < ONE_ACT
    )


def _add(
    act: Happening,
    entry: Entry,
    before: dict[str, Any],
    after: dict[str, Any],
    messages: dict[UUID, AssetMessageWithFiles],
) -> None:
    match entry.record_type:
        case "asset":
            act.operation, act.use_case = entry.operation, entry.use_case
            act.version, act.hash = entry.version, entry.hash
            act.changes = changed_terms(differences(before, after))
        case "asset_check":
            news = _news(before, after, entry.recorded_at)
            if news is not None:
                act.checks.append(news)
        case _:
            act.messages.append(messages[entry.record_id])
    if not act.hash:
        act.hash = entry.hash


def _news(before: dict[str, Any], after: dict[str, Any], moment: datetime) -> CheckNews | None:
    """The news in a change of a check; None where the check was only opened, or its answer concerns nothing."""
    outcome = CheckOutcome(after["outcome"])
    marks = list(_marks(before, after, moment - A_WHILE))
    answered = after.get("completed_at") != before.get("completed_at") and outcome is not CheckOutcome.WAITING
    if not marks and (not answered or outcome is CheckOutcome.NOT_APPLICABLE):
        return None
    return CheckNews(
        CheckSource(after["source"]),
        after.get("source_name"),
        outcome,
        after.get("summary") if answered else None,
        marks,
    )


def _marks(before: dict[str, Any], after: dict[str, Any], since: datetime) -> Iterable[str]:
    """Verdicts and answers that were given with this change, in words; those taken over from an older check are no news."""
    earlier_rows = {row["field"]: row for row in before.get("comparisons", [])}
    rows = [
        (label_of_field(row["field"]), row, earlier_rows.get(row["field"], {})) for row in after.get("comparisons", [])
    ]
    old, new = before.get("evidence", {}), after.get("evidence", {})
    verdict, earlier = new.get("settled", {}), old.get("settled", {})
    answers = ({"answer": new.get("answer")}, {"answer": old.get("answer")})
    rows.append(
        (CHECK_SOURCE_LABELS[CheckSource(after["source"])], {**verdict, **answers[0]}, {**earlier, **answers[1]})
    )
    for label, row, earlier_row in rows:
        if row.get("settled_as") and row.get("at") != earlier_row.get("at") and _since(row, since):
            stands = row["settled_as"] == "DECLARED_STANDS"
            yield f"{label}: {'the declared value stands' if stands else 'the source is right'}. {row.get('reason') or ''}"
        answer = row.get("answer")
        if answer and answer != earlier_row.get("answer") and _since(answer, since):
            yield f"{label}: answered. {answer['text']}"


def _since(mark: dict[str, Any], moment: datetime) -> bool:
    return datetime.fromisoformat(mark["at"]) >= moment
