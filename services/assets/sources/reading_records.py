"""Reading what public registers say: the editions that are loaded, their findings, and their records by identifier or place."""

import math
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlmodel import col

from models.assets import SourceEdition, SourceKey, SourceKind, SourceRecord
from services.assets.sources.places import distance_m
from services.core.actor import Actor
from services.core.errors import NotFound
from services.core.operation import operation
from services.core.transaction import current_session
from services.core.visibility import see, visible

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


@operation("UC-02.01", permission="source.read", writes=False)
def list_editions(actor: Actor) -> list[Edition]:
    """All editions that are loaded, newest first."""
    newest = (col(SourceEdition.edition_date).desc(), col(SourceEdition.id).desc())
    rows = current_session().execute(select(*_COLUMNS).where(visible(SourceEdition, actor)).order_by(*newest))
    return [Edition(*row) for row in rows]


@operation("UC-02.01", permission="source.read", writes=False)
def edition_findings(actor: Actor, edition_id: UUID, code: str | None = None) -> list[dict[str, Any]]:
    """Skipped rows, then odd cells of an edition (all, or of one code): row, column, given, code, message, skipped.

    `row` is None where a finding concerns a whole column.
    """
    found = see(SourceEdition, actor, edition_id).findings
    return [finding for finding in found if code is None or finding["code"] == code]


@operation("UC-02.01", permission="source.read", writes=False)
def source_record(actor: Actor, record_id: UUID) -> SourceRecord:
    """One record of a public register, current or closed, with the row as it was given (`raw`)."""
    found = select(SourceRecord).where(col(SourceRecord.id) == record_id, visible(SourceRecord, actor))
    record = current_session().scalar(found)
    if record is None:
        raise NotFound("source record", record_id)
    return record


@operation("UC-02.01", permission="source.read", writes=False)
def find_records(
    actor: Actor,
    *,
    mpan: str | None = None,
    reference: str | None = None,
    near: tuple[float, float, float] | None = None,
    kind: SourceKind | None = None,
) -> list[SourceRecord]:
    """Current records with this MPAN, or this reference, or near (latitude, longitude, metres), nearest first; at most 50."""
    chosen = select(SourceRecord).where(col(SourceRecord.valid_to).is_(None), visible(SourceRecord, actor))
    if kind is not None:
        chosen = chosen.where(col(SourceRecord.kind) == kind)
    for scheme, value in (("MPAN", mpan), ("REF", reference)):
        if value is not None:
            keyed = select(col(SourceKey.source_record_id)).where(
                col(SourceKey.scheme) == scheme, col(SourceKey.value) == value.strip()
            )
            chosen = chosen.where(col(SourceRecord.id).in_(keyed))
    if near is None:
        return list(current_session().scalars(chosen.order_by(col(SourceRecord.record_key)).limit(MOST_RECORDS)))
    latitude, longitude, metres = near
    high = metres / METRES_PER_DEGREE
    wide = high / max(0.1, math.cos(math.radians(latitude)))
    box = chosen.where(
        col(SourceRecord.latitude).between(latitude - high, latitude + high),
        col(SourceRecord.longitude).between(longitude - wide, longitude + wide),
    )
    found = [(_metres(record, latitude, longitude), record) for record in current_session().scalars(box)]
    inside = [(apart, record) for apart, record in found if apart <= metres]
    return [record for _apart, record in sorted(inside, key=lambda pair: pair[0])[:MOST_RECORDS]]


def _metres(record: SourceRecord, latitude: float, longitude: float) -> float:
    return float(distance_m(latitude, longitude, record.latitude or 0.0, record.longitude or 0.0))


@operation("UC-02.01", permission="source.read", writes=False)
def record_history(actor: Actor, kind: SourceKind, publisher: str, key: str) -> list[SourceRecord]:
    """What editions have said of one site, newest first; follows a project to the key it had before its MPAN."""
    versions: list[SourceRecord] = []
    wanted: str | None = key
    followed: set[str] = set()
    while wanted is not None and wanted not in followed:
        followed.add(wanted)
        chosen = select(SourceRecord).where(
            col(SourceRecord.kind) == kind,
            col(SourceRecord.publisher) == publisher,
            col(SourceRecord.record_key) == wanted,
            visible(SourceRecord, actor),
        )
        found = list(
            current_session().scalars(chosen.order_by(col(SourceRecord.valid_from).desc(), col(SourceRecord.id).desc()))
        )
        versions += found
        wanted = found[-1].values.get("previous_key") if found else None
    return versions


@operation("UC-02.01", permission="source.read", writes=False)
def record_versions(actor: Actor, record_id: UUID) -> list[SourceRecord]:
    """The history of the site that a record speaks of, newest first."""
    record = source_record(actor, record_id)
    return record_history(actor, record.kind, record.publisher, record.record_key)
