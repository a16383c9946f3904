"""Loading an edition of a public register (UC-02.01): every row is taken or skipped with a reason, and history is kept.

A record of the register is valid from the edition that said it until the edition that says otherwise. Records are found
again by their key (`services.assets.sources.keys`), and a project that had no MPAN yet by its place.
"""

import hashlib
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date
from itertools import count
from typing import Any, NamedTuple
from uuid import UUID

import polars as pl
from sqlalchemy import insert, select, text, update
from sqlmodel import col

from models.base import new_id
from models.events import EventType
from models.sources import SourceEdition, SourceKey, SourceKind, SourceRecord
from services.assets.sources.ecr import read_ecr
from services.assets.sources.edition_facts import LICENCES, areas_of, edition_date_of, publisher_of
from services.assets.sources.reading import SourceReading, detect_kind
from services.assets.sources.repd import read_repd
from services.core.canonical_json import canonical
from services.core.clock import show_date
from services.core.errors import Duplicate, Finding, Invalid, Refused
from services.core.identity.actor import Actor
from services.core.identity.permissions import require
from services.core.jobs.outbox import emit
from services.core.operation import operation
from services.core.transaction import current_session

Progress = Callable[[float, str], None]
SITE = "SITE"
"""Scheme of the key by which a project is found again once it is given an MPAN; never an asset's alias."""
_CHUNK = 2_000
_LOAD_LOCK = 0x464D5352
_NOT_CONTENT = ("row", "raw", "key", "unread", "last_updated")
_NUMBER = re.compile(r"#\d+$")


@dataclass
class _Plan:
    """Plan of an edition's load: records to add, to close, to leave as they are."""

    add: list[dict[str, Any]] = field(default_factory=list)
    close: list[UUID] = field(default_factory=list)
    keep: list[UUID] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Facts:
    """Facts of an edition: file name, publisher, date, licence, digest of the file."""

    name: str
    publisher: str
    edition_date: date
    licence: str
    sha256: str


def load_source(
    actor: Actor,
    data: bytes,
    filename: str,
    *,
    publisher: str | None = None,
    edition_date: date | None = None,
    kind: SourceKind | None = None,
    licence: str | None = None,
    progress: Progress | None = None,
) -> SourceEdition:
    """Load one edition of an ECR or of the REPD; what isn't given is told by the file (kind, publisher) or its name (date).

    `progress` is called with a share from 0 to 1 and what is being done. All rows or none are loaded. The file is read
    before the transaction begins, so that nobody waits for it.

    Raises Invalid for a file that is no such register, or whose date nobody tells; Duplicate for a file that is loaded
    already; Refused for an edition older than the newest one of its publisher.
    """
    require(actor, "source.load")
    tell = progress or _ignore_progress
    tell(0.05, "Reading the file")
    reading = _read(data, filename, kind)
    day = edition_date or edition_date_of(filename)
    if day is None:
        expected = "A date, or a file name that tells it, such as ecr-ukpn-2025-08.csv."
        message = "The date of the edition is not known."
        raise Invalid([Finding("SOURCE-02", "edition_date", filename, expected, message)])
    by = (publisher or "").strip() or publisher_of(reading)
    under = licence or LICENCES.get(by, "")
    facts = _Facts(filename[:200], by[:100], day, under[:200], hashlib.sha256(data).hexdigest())
    return load_edition(actor, reading, facts, tell)


@operation("UC-02.01", permission="source.load", name="load_edition")
def load_edition(actor: Actor, reading: SourceReading, facts: _Facts, tell: Progress) -> SourceEdition:
    """Keep an edition that has been read, with its records and their history: the part of `load_source` that writes."""
    edition = SourceEdition(kind=SourceKind(reading.kind), findings=_findings(reading), **asdict(facts))
    _hold_against_editions(edition)
    tell(0.35, "Comparing with the edition before")
    plan = _plan(edition, reading)
    edition.counts = {**reading.counts, **plan.counts, "areas": areas_of(reading)}
    session = current_session()
    session.add(edition)
    session.flush()
    tell(0.55, f"Writing {len(plan.add):,} records")
    _write(edition, plan)
    payload = {"kind": edition.kind, "publisher": facts.publisher, "edition_date": facts.edition_date.isoformat()}
    emit(EventType.SOURCE_LOADED, edition, organisation_id=None, payload=payload)
    tell(1.0, f"{reading.counts['taken']:,} of {reading.counts['rows']:,} rows taken")
    return edition


def _ignore_progress(_share: float, _doing: str) -> None:
    """Progress that nobody follows."""


def _read(data: bytes, filename: str, kind: SourceKind | None) -> SourceReading:
    detected = kind or detect_kind(data, filename)
    if detected is None:
        expected = "An Embedded Capacity Register or a Renewable Energy Planning Database, as CSV or XLSX."
        message = f"“{filename}” has the headings of neither register. Give one of the two as it was published."
        if not data:
            message = f"“{filename}” is empty. Download it again."
        raise Invalid([Finding("SOURCE-01", "file", filename, expected, message)])
    return read_ecr(data, filename) if detected == SourceKind.ECR else read_repd(data, filename)


def _findings(reading: SourceReading) -> list[dict[str, Any]]:
    """Every skipped row, then every odd cell: row (None: the whole column), column, given, code, message."""
    skipped = reading.skipped.select(
        "row", pl.lit(None, pl.String).alias("column"), pl.lit(None, pl.String).alias("given"), "code",
        pl.col("reason").alias("message"), pl.lit(True).alias("skipped"),
    )  # fmt: skip
    notes = reading.notes.drop("field").with_columns(pl.lit(False).alias("skipped"))
    return [*skipped.to_dicts(), *notes.to_dicts()]


def _hold_against_editions(edition: SourceEdition) -> None:
    session = current_session()
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOAD_LOCK})
    of_register = (col(SourceEdition.kind) == edition.kind, col(SourceEdition.publisher) == edition.publisher)
    same = session.execute(
        select(col(SourceEdition.id), col(SourceEdition.edition_date)).where(
            *of_register, col(SourceEdition.sha256) == edition.sha256
        )
    ).first()
    if same is not None:
        message = f"This very file is loaded already, as the edition of {show_date(same[1])}. Nothing was changed."
        raise Duplicate(message, "source_edition", str(same[0]))
    newest = session.scalar(
        select(col(SourceEdition.edition_date)).where(*of_register).order_by(col(SourceEdition.edition_date).desc())
    )
    if newest is not None and edition.edition_date < newest:
        raise Refused(
            f"An edition of {show_date(newest)} of {edition.publisher} is loaded, and this one is of "
            f"{show_date(edition.edition_date)}. Editions are loaded in the order of their dates, so that history holds. "
            "Load a newer edition, or correct the date."
        )


def _content(row: dict[str, Any]) -> dict[str, Any]:
    """A row in our terms, as JSON keeps it; what is not known is left out."""
    return {
        name: _plain(name, value)
        for name, value in row.items()
        if name not in _NOT_CONTENT and value is not None and value != []
    }


def _plain(name: str, value: Any) -> Any:
    if name in ("latitude", "longitude"):
        return round(value, 6)
    return value if isinstance(value, (str, bool, list, int, float)) else str(value)


def _plan(edition: SourceEdition, reading: SourceReading) -> _Plan:
    """Hold the rows of the edition against the records that stand, by key, then by place."""
    current = _current_records(edition)
    plan, fresh, changed = _Plan(), [], 0
    for record, before in _pair(edition, reading, current):
        if before is None:
            fresh.append(record)
        elif before.content_hash == record["content_hash"]:
            plan.keep.append(before.id)
        else:
            changed += 1
            plan.close.append(before.id)
            plan.add.append(record)
    moved = _link_moved(current, fresh)
    plan.add += fresh
    plan.close += [record.id for record in current.values()]
    plan.counts = {
        "new": len(fresh) - moved,
        "changed": changed + moved,
        "unchanged": len(plan.keep),
        "gone": len(current) - moved,
    }
    return plan


class _Current(NamedTuple):
    """A record that stands."""

    id: UUID
    content_hash: str


def _current_records(edition: SourceEdition) -> dict[str, _Current]:
    """Key -> record, of the records of the edition's register that stand."""
    rows = current_session().execute(
        select(col(SourceRecord.record_key), col(SourceRecord.id), col(SourceRecord.content_hash)).where(
            col(SourceRecord.kind) == edition.kind,
            col(SourceRecord.publisher) == edition.publisher,
            col(SourceRecord.valid_to).is_(None),
        )
    )
    return {key: _Current(identifier, digest) for key, identifier, digest in rows}


def _pair(
    edition: SourceEdition, reading: SourceReading, current: dict[str, _Current]
) -> Iterator[tuple[dict[str, Any], _Current | None]]:
    """Each row as a record, with the one before it, which is taken out of `current`; None for a new one.

    Several projects may share a meter or a place, and are numbered there. A row that says what a record says is that
    project, whatever its number has become; of the others, those that have most in common are paired.
    """
    records = [_record(edition, row) for row in reading.rows.iter_rows(named=True)]
    groups: dict[str, list[dict[str, Any]]] = {}
    for record in records:
        groups.setdefault(_without_number(record["record_key"]), []).append(record)
    standing: dict[str, list[str]] = {}
    for key in current:
        standing.setdefault(_without_number(key), []).append(key)
    for base, group in groups.items():
        keys = standing.get(base, [])
        pairs = _pair_group(group, {key: current[key] for key in keys})
        taken = {key for key in pairs.values() if key}
        for record in group:
            key = pairs[record["id"]]
            if key is None:
                key = _free_key(base, record["record_key"], taken | set(keys))
                taken.add(key)
            record["record_key"] = record["values"]["key"] = key
            yield record, current.pop(key, None)


def _pair_group(group: list[dict[str, Any]], standing: dict[str, _Current]) -> dict[UUID, str | None]:
    """Record -> the key of the record before it, within one meter or place."""
    pairs: dict[UUID, str | None] = dict.fromkeys((record["id"] for record in group), None)
    left = dict(standing)
    for record in sorted(group, key=lambda record: record["record_key"] not in left):
        same = [key for key, before in left.items() if before.content_hash == record["content_hash"]]
        if same:
            key = record["record_key"] if record["record_key"] in same else same[0]
            pairs[record["id"]] = key
            del left[key]
    rest = [record for record in group if pairs[record["id"]] is None]
    if len(rest) == len(left) == 1:
        pairs[rest[0]["id"]] = next(iter(left))
    elif rest and left:
        values = _values_of([before.id for before in left.values()])
        scores = sorted(
            (
                (_likeness(record["values"], values[before.id]), record["record_key"] == key, -place, record["id"], key)
                for place, record in enumerate(rest)
                for key, before in left.items()
            ),
            key=lambda score: score[:3],
            reverse=True,
        )
        for _likeness_score, _same_key, _place, identifier, key in scores:
            if pairs[identifier] is None and key in left:
                pairs[identifier] = key
                del left[key]
    return pairs


def _values_of(identifiers: list[UUID]) -> dict[UUID, dict[str, Any]]:
    query = select(col(SourceRecord.id), col(SourceRecord.values)).where(col(SourceRecord.id).in_(identifiers))
    return {row[0]: row[1] for row in current_session().execute(query)}


def _likeness(values: dict[str, Any], before: dict[str, Any]) -> int:
    """The number of fields in which two rows say the same."""
    return sum(before.get(name) == value for name, value in values.items() if name not in (*_NOT_CONTENT, "kind"))


def _without_number(key: str) -> str:
    return _NUMBER.sub("", key)


def _free_key(base: str, key: str, taken: set[str]) -> str:
    """The row's own key, or the next number at its meter or place that no other has."""
    if key not in taken:
        return key
    return next(candidate for number in count(2) if (candidate := f"{base}#{number}") not in taken)


def _record(edition: SourceEdition, row: dict[str, Any]) -> dict[str, Any]:
    content = _content(row)
    # Publishers date every row anew with each edition: that alone changes no project.
    stamp = {"last_updated": str(row["last_updated"])} if row["last_updated"] else {}
    return {
        "id": new_id(),
        "kind": edition.kind,
        "publisher": edition.publisher,
        "record_key": row["key"],
        "first_edition_id": edition.id,
        "last_edition_id": edition.id,
        "valid_from": edition.edition_date,
        "valid_to": None,
        "content_hash": hashlib.sha256(canonical(content).encode()).hexdigest(),
        "latitude": content.get("latitude"),
        "longitude": content.get("longitude"),
        "values": {**content, **stamp, "row": row["row"], "key": row["key"], "kind": str(edition.kind)},
        "raw": json.loads(row["raw"]),
    }


def _link_moved(closed: Mapping[str, _Current], fresh: list[dict[str, Any]]) -> int:
    """Name the record before in each fresh one that stands at the place of one that is gone; how many there are."""
    if not closed or not fresh:
        return 0
    keys = {record.id: key for key, record in closed.items()}
    keys_of_site: dict[str, list[str]] = {}
    for part in _chunks(list(keys)):
        query = select(col(SourceKey.value), col(SourceKey.source_record_id)).where(
            col(SourceKey.scheme) == SITE, col(SourceKey.source_record_id).in_(part)
        )
        for site, identifier in current_session().execute(query.order_by(col(SourceKey.id))):
            keys_of_site.setdefault(site, []).append(keys[identifier])
    moved = 0
    for record in fresh:
        before = keys_of_site.get(_site(record["values"]) or "")
        if before:
            record["values"] = {**record["values"], "previous_key": before.pop(0)}
            moved += 1
    return moved


def _site(values: dict[str, Any]) -> str | None:
    return values["site_key"][:100] if values.get("site_key") else None


def _keys(record: dict[str, Any]) -> Iterator[dict[str, Any]]:
    values = record["values"]
    keys = {("MPAN", mpan) for name in ("export_mpans", "import_mpans") for mpan in values.get(name, ())}
    references = [values.get("reference"), *values.get("other_references", ()), record["record_key"]]
    keys |= {("REF", name[:100]) for name in references if name}
    if values.get("outcode"):
        keys.add(("OUTCODE", values["outcode"]))
    if site := _site(values):
        keys.add((SITE, site))
    for scheme, value in sorted(keys):
        yield {"source_record_id": record["id"], "scheme": scheme, "value": value}


def _write(edition: SourceEdition, plan: _Plan) -> None:
    session = current_session()
    for part in _chunks(plan.close):
        closed = {"valid_to": edition.edition_date}
        session.execute(update(SourceRecord).where(col(SourceRecord.id).in_(part)).values(closed), **_UNSYNCED)
    for part in _chunks(plan.keep):
        moved_on = {"last_edition_id": edition.id}
        session.execute(update(SourceRecord).where(col(SourceRecord.id).in_(part)).values(moved_on), **_UNSYNCED)
    for part in _chunks(plan.add):
        session.execute(insert(SourceRecord), part)
        session.execute(insert(SourceKey), [key for record in part for key in _keys(record)])


_UNSYNCED: dict[str, Any] = {"execution_options": {"synchronize_session": False}}


def _chunks(items: Sequence[Any]) -> Iterator[Sequence[Any]]:
    return (items[start : start + _CHUNK] for start in range(0, len(items), _CHUNK))
