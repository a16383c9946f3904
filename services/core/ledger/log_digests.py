"""Digests of logs under the seals: rows outside the ledger that are written once are covered run by run.

Each seal says of each log up to which row it is covered, and the SHA-256 of the rows since the seal before. Records of public
registers are covered edition by edition, with the ledger entries that the seal covers.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import Row, Select, Table, func, select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session as OrmSession
from sqlmodel import SQLModel, col

from models.core import Access, Event, LedgerEntry, LedgerSeal
from models.qualifications import QualificationStep
from models.sources import SourceEdition, SourceKey, SourceRecord
from models.units import UnitHistory
from services.core.canonical_json import canonical
from services.core.jobs.outbox import EVENT_LOCK
from services.core.ledger.writer import table_of

BATCH = 2000
NUMBERED_LOGS: Mapping[str, tuple[type[SQLModel], str]] = {
    "access": (Access, "id"),
    "event": (Event, "seq"),
    "unit_history": (UnitHistory, "id"),
    "qualification_step": (QualificationStep, "id"),
    "source_key": (SourceKey, "id"),
}
"""Logs whose rows are written once and never changed, by table: the model and its column that counts."""
EDITIONS = "source_record"
CHANGING = frozenset({"valid_to", "last_edition_id"})
"""Columns of a source record that a later edition moves on: no part of its edition's digest."""
Digests = dict[str, dict[str, Any]]


def digest_rows(rows: Iterable[Row[Any]], names: list[str]) -> tuple[int, str]:
    """Count rows and digest them in their order; empty columns are left out, so that a new column changes no old row."""
    digest, count = hashlib.sha256(), 0
    for row in rows:
        values = {name: value for name, value in zip(names, row, strict=True) if value is not None}
        digest.update(f"{canonical(values)}\n".encode())
        count += 1
    return count, digest.hexdigest()


def _names(table: Table, without: frozenset[str] = frozenset()) -> list[str]:
    return [column.name for column in table.columns if column.name not in without]


def digest_run(session: OrmSession, log: str, after: int, last: int) -> tuple[int, str]:
    """Count and digest the rows of a log numbered over `after` up to and including `last`."""
    model, key = NUMBERED_LOGS[log]
    table = table_of(model)
    names = _names(table)
    query = select(*(table.c[name] for name in names)).where(table.c[key] > after, table.c[key] <= last)
    return digest_rows(session.execute(_streamed(query.order_by(table.c[key]))), names)


def _streamed(query: Select[Any]) -> Select[Any]:
    return query.execution_options(yield_per=BATCH)


def digest_edition(session: OrmSession, edition_id: UUID) -> tuple[int, str]:
    """Count and digest the records that an edition of a public register added."""
    table = table_of(SourceRecord)
    names = _names(table, CHANGING)
    query = select(*(table.c[name] for name in names)).where(table.c.first_edition_id == edition_id)
    return digest_rows(session.execute(_streamed(query.order_by(table.c.id))), names)


def editions_between(session: OrmSession, after: int, last: int) -> list[UUID]:
    """The editions whose first ledger entry is numbered over `after` up to and including `last`."""
    entry = col(LedgerEntry.record_type) == SourceEdition.record_type()
    numbers = (col(LedgerEntry.seq) > after, col(LedgerEntry.seq) <= last, col(LedgerEntry.version) == 1)
    query = select(col(LedgerEntry.record_id)).where(entry, *numbers)
    return list(session.scalars(query.order_by(col(LedgerEntry.seq))))


def covered_until(seal: LedgerSeal | None, log: str) -> int:
    """The number of the last row of a log (of source records: ledger entry) that the seals up to this one cover."""
    return int(((seal.log_digests if seal else None) or {}).get(log, {}).get("last", 0))


def has_uncovered_rows(session: OrmSession, last_seal: LedgerSeal | None) -> bool:
    """Tell whether a log has rows that no seal covers."""
    return any(
        (session.scalar(select(func.max(col(getattr(model, key))))) or 0) > covered_until(last_seal, log)
        for log, (model, key) in NUMBERED_LOGS.items()
    )


def digest_logs(session: OrmSession, last_seal: LedgerSeal | None, last_seq: int) -> Digests:
    """The digests that the next seal bears, which covers ledger entries up to `last_seq`; inside the sealing transaction.

    A log that somebody is writing at this moment (PostgreSQL) is left to the seal after: a row of it could come in late.
    """
    digests: Digests = {}
    for log, (model, key) in NUMBERED_LOGS.items():
        after = covered_until(last_seal, log)
        digests[log] = {"last": after}
        if not _is_at_rest(session, log):
            continue
        last = session.scalar(select(func.max(col(getattr(model, key))))) or 0
        if last > after:
            count, sha256 = digest_run(session, log, after, last)
            digests[log] = {"last": last, "count": count, "sha256": sha256}
    editions = {}
    for edition_id in editions_between(session, covered_until(last_seal, EDITIONS), last_seq):
        count, sha256 = digest_edition(session, edition_id)
        editions[str(edition_id)] = {"count": count, "sha256": sha256}
    digests[EDITIONS] = {"last": last_seq, **({"editions": editions} if editions else {})}
    return digests


def _is_at_rest(session: OrmSession, log: str) -> bool:
    """Keep a log from being written until the transaction ends; False where somebody is at it, and isn't waited for."""
    if session.get_bind().dialect.name == "sqlite":
        return True
    if log == "event":
        # Numbers of events are drawn before their rows are written, under this lock.
        return bool(session.scalar(text("SELECT pg_try_advisory_xact_lock(:key)"), {"key": EVENT_LOCK}))
    try:
        with session.begin_nested():
            session.execute(text(f"LOCK TABLE {log} IN SHARE MODE NOWAIT"))
    except DBAPIError:
        return False
    return True


def find_digest_faults(session: OrmSession, seals: Iterable[LedgerSeal]) -> Iterator[tuple[str, str]]:
    """Hold the logs against the digests that the seals bear; yield where and what differs."""
    covered: dict[str, int] = {}
    for seal in seals:
        for log, document in (seal.log_digests or {}).items():
            after = covered.get(log, 0)
            if log == EDITIONS:
                yield from _find_edition_faults(session, seal, document.get("editions", {}))
            elif log in NUMBERED_LOGS and "sha256" in document:
                count, sha256 = digest_run(session, log, after, document["last"])
                if (count, sha256) != (document["count"], document["sha256"]):
                    yield (
                        f"{log} {after + 1:,} to {document['last']:,}",
                        f"{document['count']:,} rows were there when seal {seal.number} covered them; {count:,} are"
                        f"{', and some differ' if count == document['count'] else ''}.",
                    )
            covered[log] = int(document["last"])
    for log, (model, key) in NUMBERED_LOGS.items():
        lowest = session.scalar(select(func.min(col(getattr(model, key)))))
        if lowest is not None and lowest < 1:
            yield f"{log} {lowest}", "Rows are numbered from 1; this one was written past the register."


def _find_edition_faults(
    session: OrmSession, seal: LedgerSeal, editions: Mapping[str, Mapping[str, Any]]
) -> Iterator[tuple[str, str]]:
    for edition_id, document in editions.items():
        count, sha256 = digest_edition(session, UUID(edition_id))
        if (count, sha256) != (document["count"], document["sha256"]):
            yield (
                f"source_record of edition {edition_id}",
                f"{document['count']:,} records were there when seal {seal.number} covered them; {count:,} are"
                f"{', and some differ' if count == document['count'] else ''}.",
            )
