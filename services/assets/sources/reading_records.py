"""Reading what public registers say: the editions that are loaded, their findings, and their records by identifier or place."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import polars as pl
from sqlalchemy import ColumnElement, func, select
from sqlmodel import col

from models.sources import SourceEdition, SourceKey, SourceKind, SourceRecord
from services.assets.files.writer import write_table
from services.assets.sources.places import distance_m
from services.core.attributes import text_of
from services.core.errors import NotFound
from services.core.identity.actor import Actor
from services.core.identity.visibility import see, visible
from services.core.operation import operation
from services.core.transaction import current_session

MOST_RECORDS = 50
METRES_PER_DEGREE = 111_320.0


@dataclass(frozen=True, slots=True)
class Edition:
    """An edition in a list: everything of `SourceEdition` but its findings, which may be thousands.

    `counts`: rows, taken, skipped and notes (each by code), new, changed, unchanged, gone, areas (DNO codes).
    """

    id: UUID
    kind: SourceKind
    publisher: str
    name: str
    edition_date: date
    licence: str
    sha256: str
    counts: dict[str, Any]
    loaded_at: datetime

    @property
    def title(self) -> str:
        """The edition as a sentence names it: ``UK Power Networks, August 2025``."""
        return f"{self.publisher}, {self.edition_date:%B %Y}"


@dataclass(frozen=True, slots=True)
class RecordQuery:
    """Query of register records: MPAN, reference, or near (latitude, longitude, metres); None is no condition."""

    mpan: str | None = None
    reference: str | None = None
    near: tuple[float, float, float] | None = None
    kind: SourceKind | None = None


_COLUMNS = (
    col(SourceEdition.id),
    col(SourceEdition.kind),
    col(SourceEdition.publisher),
    col(SourceEdition.name),
    col(SourceEdition.edition_date),
    col(SourceEdition.licence),
    col(SourceEdition.sha256),
    col(SourceEdition.counts),
    col(SourceEdition.recorded_at),
)


@operation("UC-02.01", permission="source.read", writes=False, name="list_editions")
def list_editions(actor: Actor) -> list[Edition]:
    """All editions that are loaded, newest first."""
    newest = (col(SourceEdition.edition_date).desc(), col(SourceEdition.id).desc())
    rows = current_session().execute(select(*_COLUMNS).where(visible(SourceEdition, actor)).order_by(*newest))
    return [Edition(*row) for row in rows]


@operation("UC-02.01", permission="source.read", writes=False, name="edition_findings")
def edition_findings(actor: Actor, edition_id: UUID, code: str | None = None) -> list[dict[str, Any]]:
    """Skipped rows, then odd cells of an edition (all, or of one code): row, column, given, code, message, skipped.

    `row` is None where a finding concerns a whole column.
    """
    findings = see(SourceEdition, actor, edition_id).findings
    return [finding for finding in findings if code is None or finding["code"] == code]


@operation("UC-02.01", permission="source.read", writes=False, name="write_edition_findings")
def write_edition_findings(
    actor: Actor, edition_id: UUID, path: Path, *, codes: Sequence[str] = (), text: str = ""
) -> int:
    """Write the findings of an edition to a CSV file, those of `codes` (all without any) that hold `text`; how many."""
    findings = [
        finding
        for finding in see(SourceEdition, actor, edition_id).findings
        if (not codes or finding["code"] in codes) and holds_text(finding, text)
    ]
    columns = {
        "Row": [finding.get("row") for finding in findings],
        "Column": [finding.get("column") for finding in findings],
        "Cell": [text_of(finding.get("given")) for finding in findings],
        "What was made of it": [finding["message"] for finding in findings],
        "Code": [finding["code"] for finding in findings],
        "Row skipped": ["Yes" if finding.get("skipped") else "No" for finding in findings],
    }
    series = [
        pl.Series(name, [None if value is None else str(value) for value in values], dtype=pl.String)
        for name, values in columns.items()
    ]
    write_table(path, "csv", pl.DataFrame(series))
    return len(findings)


def holds_text(finding: Mapping[str, Any], text: str) -> bool:
    """Tell whether a text is part of a finding's column, cell or message, capitals or not."""
    return text.casefold() in f"{finding.get('column')} {finding.get('given')} {finding['message']}".casefold()


@operation("UC-02.01", permission="source.read", writes=False, name="source_record")
def source_record(actor: Actor, record_id: UUID) -> SourceRecord:
    """One record of a public register, current or closed, with the row as it was given (`raw`)."""
    query = select(SourceRecord).where(col(SourceRecord.id) == record_id, visible(SourceRecord, actor))
    record = current_session().scalar(query)
    if record is None:
        raise NotFound("source record", record_id)
    return record


@operation("UC-02.01", permission="source.read", writes=False, name="find_records")
def find_records(
    actor: Actor,
    *,
    mpan: str | None = None,
    reference: str | None = None,
    near: tuple[float, float, float] | None = None,
    kind: SourceKind | None = None,
) -> list[SourceRecord]:
    """Current records with this MPAN, or this reference, or near (latitude, longitude, metres), nearest first; at most 50."""
    query = RecordQuery(mpan, reference, near, kind)
    statement = select(SourceRecord).where(*_conditions(actor, query)).order_by(col(SourceRecord.record_key))
    if near is None:
        return list(current_session().scalars(statement.limit(MOST_RECORDS)))
    distances = [
        (metres_from(near, record.latitude, record.longitude), record)
        for record in current_session().scalars(statement)
    ]
    inside = [(distance, record) for distance, record in distances if distance <= near[2]]
    return [record for _distance, record in sorted(inside, key=lambda pair: pair[0])[:MOST_RECORDS]]


def candidates(actor: Actor, query: RecordQuery) -> list[dict[str, Any]]:
    """Current records as they are compared, without the rows as given: their values, `id` and `last_edition_id`.

    Inside an operation. Near a place, all in the square around it.
    """
    columns = (col(SourceRecord.id), col(SourceRecord.last_edition_id), col(SourceRecord.values))
    rows = current_session().execute(select(*columns).where(*_conditions(actor, query)))
    return [{**values, "id": identifier, "last_edition_id": edition} for identifier, edition, values in rows]


def _conditions(actor: Actor, query: RecordQuery) -> list[ColumnElement[bool]]:
    until = col(SourceRecord.valid_to)
    if query.near is None:
        # Said so, SQLite does not start from the thousands of current records but from the few that the key names.
        until = func.coalesce(until, until)
    conditions = [until.is_(None), visible(SourceRecord, actor)]
    if query.kind is not None:
        conditions.append(col(SourceRecord.kind) == query.kind)
    for scheme, value in (("MPAN", query.mpan), ("REF", query.reference)):
        if value is not None:
            keyed = select(col(SourceKey.source_record_id)).where(
                col(SourceKey.scheme) == scheme, col(SourceKey.value) == value.strip()
            )
            conditions.append(col(SourceRecord.id).in_(keyed))
    if query.near is not None:
        latitude, longitude, metres = query.near
        high = metres / METRES_PER_DEGREE
        wide = high / max(0.1, math.cos(math.radians(latitude)))
        conditions.append(col(SourceRecord.latitude).between(latitude - high, latitude + high))
        conditions.append(col(SourceRecord.longitude).between(longitude - wide, longitude + wide))
    return conditions


def metres_from(near: tuple[float, float, float], latitude: float | None, longitude: float | None) -> float:
    """Metres from the place that `near` names."""
    return float(distance_m(near[0], near[1], latitude or 0.0, longitude or 0.0))


@operation("UC-02.01", permission="source.read", writes=False, name="record_history")
def record_history(actor: Actor, kind: SourceKind, publisher: str, key: str) -> list[SourceRecord]:
    """History of one site through the editions, newest first; follows a project to the key it had before its MPAN."""
    versions: list[SourceRecord] = []
    next_key: str | None = key
    followed: set[str] = set()
    while next_key is not None and next_key not in followed:
        followed.add(next_key)
        query = select(SourceRecord).where(
            col(SourceRecord.kind) == kind,
            col(SourceRecord.publisher) == publisher,
            col(SourceRecord.record_key) == next_key,
            visible(SourceRecord, actor),
        )
        records = list(
            current_session().scalars(query.order_by(col(SourceRecord.valid_from).desc(), col(SourceRecord.id).desc()))
        )
        versions += records
        next_key = records[-1].values.get("previous_key") if records else None
    return versions


@operation("UC-02.01", permission="source.read", writes=False, name="record_versions")
def record_versions(actor: Actor, record_id: UUID) -> list[SourceRecord]:
    """The history of the site that a record speaks of, newest first."""
    record = source_record(actor, record_id)
    return record_history(actor, record.kind, record.publisher, record.record_key)
