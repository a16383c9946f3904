"""Checks of verification beyond the ledger (UC-05.06): files against their digests, what is worked out against the records."""

import hashlib
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session as OrmSession
from sqlmodel import SQLModel, col

from models.assets import ENDED_STATUSES, Asset, AssetAlias, Attachment, AttachmentContent
from models.bulk import JobStatus
from models.core import DeliveryStatus, Event, EventDelivery
from models.events import EventType
from models.exports import AssetExport, ExportJob, ExportPart
from models.market_tallies import UnitCounted
from models.qualifications import (
    DataPackage,
    DataPackageContent,
    QualificationAttachment,
    QualificationAttachmentContent,
)
from models.sources import SourceEdition, SourceRecord
from models.tallies import AssetCellTally, AssetMonthTally, AssetProviderTally, AssetTally
from models.units import MarketUnit, UnitArea, UnitCapability, UnitHistory, UnitMember
from services.assets.cells import derive_cell
from services.assets.counters.reconcile import Drift
from services.assets.counters.reconcile import drifts as find_asset_drifts
from services.core.ledger.faults import FaultKind
from services.core.ledger.writer import table_of
from services.core.reactions import TableCheck
from services.market.counters.maintain import TABLES as MARKET_TALLIES
from services.market.counters.reconcile import find_drifts as find_market_drifts
from services.market.counters.units import load_contributions, load_operator_areas
from services.market.units.capability import measure_assets, sum_areas_and_limits, sum_units
from services.market.units.totals import Totals, load_unit_assets, totals_from_row

BATCH_SIZE = 500
Finding = tuple[str, str]


def _names(*models: type[SQLModel]) -> tuple[str, ...]:
    return tuple(table_of(model).name for model in models)


def _find_file_faults(
    session: OrmSession, file: type[Any], content: type[Any], key: str, *, compressed: bool = False
) -> Iterator[Finding]:
    """Hold the bytes of each file against the digest in its ledgered record."""
    query = select(col(file.id), col(file.sha256), col(content.content))
    query = query.join(content, col(getattr(content, key)) == col(file.id), isouter=True).order_by(col(file.id))
    for file_id, sha256, data in session.execute(query.execution_options(yield_per=10)):
        where = f"{table_of(file).name} {file_id}"
        if data is None:
            yield where, "Its bytes are gone."
        elif _digest([data], compressed) != sha256:
            yield where, "Its bytes are not those whose digest the ledger holds."


def _digest(parts: Iterable[bytes], compressed: bool) -> str:
    """SHA-256 over parts of a file; empty where they can't be decompressed."""
    digest = hashlib.sha256()
    try:
        for part in parts:
            digest.update(zlib.decompress(part) if compressed else part)
    except zlib.error:
        return ""
    return digest.hexdigest()


def find_attachment_faults(session: OrmSession) -> Iterator[Finding]:
    """Hold attachments of assets against their digests."""
    yield from _find_file_faults(session, Attachment, AttachmentContent, "attachment_id")


def find_qualification_file_faults(session: OrmSession) -> Iterator[Finding]:
    """Hold attachments of applications, and data packages, against their digests."""
    content = QualificationAttachmentContent
    yield from _find_file_faults(session, QualificationAttachment, content, "attachment_id")
    yield from _find_file_faults(session, DataPackage, DataPackageContent, "package_id", compressed=True)


def find_export_faults(session: OrmSession) -> Iterator[Finding]:
    """Hold the files of finished exports against the digests in their ledgered records."""
    finished = select(col(ExportJob.id)).where(col(ExportJob.status) == JobStatus.COMPLETED).order_by(col(ExportJob.id))
    for job_id in session.scalars(finished).all():
        ledgered = session.scalar(select(col(AssetExport.sha256)).where(col(AssetExport.job_id) == job_id).limit(1))
        parts = select(col(ExportPart.content)).where(col(ExportPart.job_id) == job_id).order_by(col(ExportPart.number))
        digest = _digest(session.scalars(parts.execution_options(yield_per=1)), compressed=True)
        if digest != ledgered:
            yield f"export_part of {job_id}", "The file is not the one whose digest the ledger holds."


def find_asset_faults(session: OrmSession) -> Iterator[Finding]:
    """Hold the look-up index of aliases, and the cells of the map, against the assets."""
    expected: Counter[tuple[UUID, str, str]] = Counter()
    columns = (Asset.id, Asset.status, Asset.aliases, Asset.latitude, Asset.longitude, Asset.cell)
    query = select(*(col(column) for column in columns)).execution_options(yield_per=BATCH_SIZE)
    for row in session.execute(query):
        if row.cell != derive_cell(row._mapping.__getitem__):
            yield f"asset {row.id}", "The cell of the map is not that of its position."
        if row.status not in ENDED_STATUSES:
            expected.update((row.id, alias["scheme"], alias["value"]) for alias in row.aliases)
    alias = (col(AssetAlias.asset_id), col(AssetAlias.scheme), col(AssetAlias.value))
    stored = Counter((row[0], row[1], row[2]) for row in session.execute(select(*alias).where(col(AssetAlias.active))))
    for key in sorted(expected.keys() | stored.keys(), key=str):
        if expected[key] != stored[key]:
            words = (
                "isn't in the look-up index"
                if stored[key] < expected[key]
                else "is in the look-up index, not on the asset"
            )
            yield f"asset_alias of {key[0]}", f"The alias {key[1]} {key[2]} {words}."


def find_asset_tally_faults(session: OrmSession) -> Iterator[Finding]:
    """Count assets anew and compare."""
    return _as_findings(find_asset_drifts(session))


def find_market_tally_faults(session: OrmSession) -> Iterator[Finding]:
    """Count the market anew and compare, with what each unit was last counted for."""
    yield from _as_findings(find_market_drifts(session))
    operators = load_operator_areas(session)
    unit_ids = list(session.scalars(select(col(MarketUnit.id)).order_by(col(MarketUnit.id))))
    for batch in _batches(unit_ids):
        counted = {unit: list(values) for unit, values in load_contributions(session, batch, operators).items()}
        query = select(col(UnitCounted.unit_id), col(UnitCounted.counted)).where(col(UnitCounted.unit_id).in_(batch))
        stored = {row[0]: list(row[1]) for row in session.execute(query)}
        for unit in sorted(counted.keys() | stored.keys()):
            if counted.get(unit) != stored.get(unit):
                yield f"unit_counted {unit}", "The unit counts for something else than was counted for it."


def _as_findings(drifts: Iterable[Drift]) -> Iterator[Finding]:
    for drift in drifts:
        key = ", ".join(str(part) for part in drift.key)
        yield (
            f"{drift.table} {key}",
            f"It says {drift.stored or 'nothing'}; counted anew it is {drift.recounted or 'nothing'}.",
        )


def _batches(unit_ids: list[UUID]) -> Iterator[list[UUID]]:
    return (unit_ids[start : start + BATCH_SIZE] for start in range(0, len(unit_ids), BATCH_SIZE))


def find_unit_faults(session: OrmSession) -> Iterator[Finding]:
    """Hold what units add up to, and where they lie, against their assets: who sees a unit follows from that."""
    unit_ids = list(session.scalars(select(col(MarketUnit.id)).order_by(col(MarketUnit.id))))
    for batch in _batches(unit_ids):
        stored = {
            row.unit_id: row
            for row in session.scalars(select(UnitCapability).where(col(UnitCapability.unit_id).in_(batch)))
        }
        areas = _areas_of(session, batch)
        contributions = measure_assets(load_unit_assets(batch))
        units = sum_units(contributions)
        counted: dict[UUID, Totals] = {}
        counted_areas: dict[UUID, dict[tuple[str, str], tuple[int, Decimal, Decimal]]] = {}
        if not units.is_empty():
            counted = {UUID(row["unit_id"]): totals_from_row(row) for row in units.iter_rows(named=True)}
            for unit, dno_code, gsp_group, assets, up, down in sum_areas_and_limits(contributions, units)[
                0
            ].iter_rows():
                share = (assets, Decimal(up).scaleb(-2), Decimal(down).scaleb(-2))
                counted_areas.setdefault(UUID(unit), {})[dno_code, gsp_group] = share
        for unit in batch:
            yield from _unit_faults(
                session, unit, stored.get(unit), areas.get(unit, {}), counted.get(unit), counted_areas
            )


def _areas_of(
    session: OrmSession, unit_ids: list[UUID]
) -> dict[UUID, dict[tuple[str, str], tuple[int, Decimal, Decimal]]]:
    areas: dict[UUID, dict[tuple[str, str], tuple[int, Decimal, Decimal]]] = {}
    for area in session.scalars(select(UnitArea).where(col(UnitArea.unit_id).in_(unit_ids))):
        areas.setdefault(area.unit_id, {})[area.dno_code, area.gsp_group] = (area.assets, area.up, area.down)
    return areas


def _unit_faults(
    session: OrmSession,
    unit: UUID,
    stored: UnitCapability | None,
    areas: Mapping[tuple[str, str], tuple[int, Decimal, Decimal]],
    counted: Totals | None,
    counted_areas: Mapping[UUID, Mapping[tuple[str, str], tuple[int, Decimal, Decimal]]],
) -> Iterator[Finding]:
    where = f"unit_capability {unit}"
    if stored is None:
        yield where, "What the unit adds up to is gone."
    elif counted is None:
        yield from _faults_of_ended_unit(session, unit, stored, areas)
    elif stored.stale:
        if not _waits_for_recount(session, unit):
            yield where, "It is marked to be counted anew, and no event asks for it."
    else:
        differing = [name for name in Totals.__slots__ if getattr(stored, name) != getattr(counted, name)]
        if differing:
            now_stored = "; ".join(
                f"{name} is {getattr(stored, name)}, its assets give {getattr(counted, name)}" for name in differing
            )
            yield where, f"It is not what the unit's assets add up to: {now_stored}."
        if dict(areas) != dict(counted_areas.get(unit, {})):
            yield (
                f"unit_area {unit}",
                "Its licence areas and GSP groups, by which operators see it, are not those of its assets.",
            )


def _waits_for_recount(session: OrmSession, unit: UUID) -> bool:
    waiting = (
        select(col(EventDelivery.id))
        .join(Event, col(Event.seq) == col(EventDelivery.event_seq))
        .where(
            col(Event.type) == str(EventType.MARKET_UNIT_ASSETS_CHANGED),
            col(EventDelivery.status) == DeliveryStatus.WAITING,
        )
    )
    if session.scalar(waiting.where(col(Event.record_id) == unit).limit(1)) is not None:
        return True
    # It may be one of a run of events that are delivered together.
    runs = session.execute(
        select(col(EventDelivery.further)).where(col(EventDelivery.status) == DeliveryStatus.WAITING)
    )
    further = [number for (numbers,) in runs for number in numbers]
    own = select(col(Event.seq)).where(
        col(Event.record_id) == unit, col(Event.type) == str(EventType.MARKET_UNIT_ASSETS_CHANGED)
    )
    return not set(further).isdisjoint(session.scalars(own))


def _faults_of_ended_unit(
    session: OrmSession,
    unit: UUID,
    stored: UnitCapability,
    areas: Mapping[tuple[str, str], tuple[int, Decimal, Decimal]],
) -> Iterator[Finding]:
    """A unit without assets keeps what it had last: held against its newest line of history and its former assets."""
    newest = select(UnitHistory).where(col(UnitHistory.unit_id) == unit)
    last = session.scalar(newest.order_by(col(UnitHistory.at).desc(), col(UnitHistory.id).desc()).limit(1))
    names = ("unit_type", "assets", "up", "down")
    if last is None or any(getattr(last, name) != getattr(stored, name) for name in names):
        yield f"unit_capability {unit}", "It is not what the last line of the unit's history says."
    members = select(func.coalesce(col(Asset.dno_connection), "")).join(
        UnitMember, col(UnitMember.asset_id) == col(Asset.id)
    )
    former = set(session.scalars(members.where(col(UnitMember.unit_id) == unit)))
    total = sum(assets for assets, _up, _down in areas.values())
    if total != stored.assets or not {dno_code for dno_code, _group in areas} <= former:
        yield (
            f"unit_area {unit}",
            "Its licence areas, by which operators see it, are not those of the assets that it had.",
        )


def find_edition_faults(session: OrmSession) -> Iterator[Finding]:
    """Hold which records of public registers are current against the ledgered counts of each newest edition."""
    newest: dict[tuple[str, str], SourceEdition] = {}
    order = (col(SourceEdition.edition_date), col(SourceEdition.id))
    for edition in session.scalars(select(SourceEdition).order_by(*order)):
        newest[str(edition.kind), edition.publisher] = edition
    for (kind, publisher), edition in newest.items():
        of_register = (col(SourceRecord.kind) == edition.kind, col(SourceRecord.publisher) == publisher)
        is_last, is_open = col(SourceRecord.last_edition_id) == edition.id, col(SourceRecord.valid_to).is_(None)
        count = session.scalar(select(func.count()).where(*of_register, is_last, is_open)) or 0
        odd = session.scalar(select(func.count()).where(*of_register, is_last != is_open)) or 0
        expected = sum(int(edition.counts.get(name, 0)) for name in ("new", "changed", "unchanged"))
        if odd or count != expected:
            yield (
                f"source_record of {kind} {publisher}",
                f"{count:,} records are current; the edition of {edition.edition_date} says {expected:,}"
                f"{f', and {odd:,} are neither current nor closed by it' if odd else ''}.",
            )


TABLE_CHECKS = (
    TableCheck("Attachments", _names(AttachmentContent), FaultKind.CONTENT_ALTERED, find_attachment_faults),
    TableCheck(
        "Files of applications",
        _names(QualificationAttachmentContent, DataPackageContent),
        FaultKind.CONTENT_ALTERED,
        find_qualification_file_faults,
    ),
    TableCheck("Exports", _names(ExportPart), FaultKind.CONTENT_ALTERED, find_export_faults),
    TableCheck("Aliases and cells", _names(AssetAlias), FaultKind.DERIVED_ALTERED, find_asset_faults),
    TableCheck("Units", _names(UnitCapability, UnitArea), FaultKind.DERIVED_ALTERED, find_unit_faults),
    TableCheck("Public registers", _names(SourceRecord), FaultKind.LOG_ALTERED, find_edition_faults),
    TableCheck(
        "Counts of assets",
        _names(AssetTally, AssetCellTally, AssetMonthTally, AssetProviderTally),
        FaultKind.DERIVED_ALTERED,
        find_asset_tally_faults,
    ),
    TableCheck(
        "Counts of the market",
        _names(UnitCounted, *MARKET_TALLIES),
        FaultKind.DERIVED_ALTERED,
        find_market_tally_faults,
    ),
)
"""Every check, in the order in which verification runs them."""
