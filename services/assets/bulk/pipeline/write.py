"""Rows that go through become records: new assets at once, each with its ledger entry and event; then what changed."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import polars as pl
from sqlalchemy import select
from sqlmodel import col

from models.assets import Asset, AssetAlias
from models.events import EventType
from services.assets.bulk.pipeline.changes import Change
from services.assets.bulk.pipeline.chunks import findings_by_row
from services.assets.bulk.pipeline.duplicates import MADE_KEYS
from services.assets.bulk.pipeline.existing_assets import slices
from services.assets.bulk.pipeline.lookups import Run, Written, last_entry
from services.assets.bulk.pipeline.new_assets import StagedAssets, asset_columns
from services.assets.bulk.pipeline.outcomes import Outcome, Terms, Verdict
from services.assets.bulk.pipeline.validation import providers_of
from services.assets.registration.record import justified
from services.assets.registration.update import told_of, write_change
from services.assets.rules.reference import catalogue
from services.core.clock import now
from services.core.db.bulk_insert import Puts
from services.core.db.columns import Column, Columns, Ids, Same, as_columns, each, joined, values_of
from services.core.errors import Finding, Severity
from services.core.identity.actor import Actor
from services.core.jobs.outbox import emit_many
from services.core.ledger.bulk_insert import insert_columns
from services.core.ledger.prepared_rows import insert_staged
from services.core.ledger.writer import table_of
from services.core.operation import operation
from services.core.transaction import current_session


def write(
    actor: Actor, verdict: Verdict, terms: Terms, staged: StagedAssets | None, meanwhile: Callable[[], object]
) -> Written:
    """Register and update what a verdict lets through; inside an operation that writes. What was written.

    `meanwhile` is done, if all that is written is new assets, while they are inserted: maybe by another thread, so it must
    not use the session.
    """
    before = last_entry()
    acts = () if verdict.changed else (meanwhile,)
    moments = register_rows(actor, verdict, terms, staged, acts) if verdict.new else frozenset[datetime]()
    changed = any(outcome is Outcome.UPDATED for outcome in verdict.outcomes)
    if changed:
        update_rows(actor, verdict, terms)
    run = Run(before, last_entry(), len(verdict.new))
    return Written(providers_of(verdict.values), moments, changed, (run,))


@operation("UC-02.01", permission="asset.register", name="register_rows")
def register_rows(
    actor: Actor, verdict: Verdict, terms: Terms, staged: StagedAssets | None, meanwhile: Iterable[Callable[[], object]]
) -> frozenset[datetime]:
    """Register the new assets of a run of rows that has been judged, each as if it had been registered alone.

    Those that were staged ahead, and of which the register said nothing since, are written as they are. The moments at which
    the assets are recorded. `meanwhile` is done while they are inserted, when the verdict knows them.
    """
    warnings = _warnings(verdict, set(verdict.new))
    beforehand = [place for place in verdict.new if staged and place in staged.at and place not in warnings]
    session, moments = current_session(), set[datetime]()
    puts = Puts(session.connection())
    parts: list[tuple[list[int], Columns]] = []
    if staged and beforehand:
        parts.append((beforehand, insert_staged(session, Asset, staged.of_places(beforehand), puts)))
        moments.add(staged.rows.moment)
    at = sorted(set(verdict.new) - set(beforehand))
    if at:
        values = verdict.values.filter(pl.col("index").is_in(pl.Series(at, dtype=pl.Int64).implode()))
        nothing: list[Any] = []
        reasons = [_justified(actor, [], warnings[place], terms) if place in warnings else nothing for place in at]
        moment = now()
        moments.add(moment)
        columns = asset_columns(values, actor.organisation_id, catalogue().schema_versions, moment, reasons)
        insert_columns(session, Asset, columns, len(at), moment, puts)
        parts.append((at, columns))
    told = _follow(verdict, parts, puts)
    for act in meanwhile:
        puts.meanwhile(act)
    puts.send()
    _tell_shared(verdict, told)
    return frozenset(moments)


FOLLOWED = ("id", "service_provider_id", "dno_connection", "status", "aliases")
"""Columns of which follows what is written beside assets."""


def _follow(
    verdict: Verdict, parts: Sequence[tuple[list[int], Columns]], puts: Puts
) -> dict[int, tuple[UUID, UUID, str | None]]:
    """What follows the writing of assets: aliases, events, what they are known by. By place: asset, provider, area.

    `parts` are the places of assets and their columns.
    """
    at = [place for places, _columns in parts for place in places]
    columns = {name: joined([(one[name], len(places)) for places, one in parts]) for name in FOLLOWED}
    identifiers = columns["id"]
    assert isinstance(identifiers, Ids)
    made = list(values_of(identifiers, len(at)))
    _index_aliases(made, columns["aliases"], puts)
    seen_by = {"organisation_id": columns["service_provider_id"], "dno_code": columns["dno_connection"]}
    payload = each(columns["status"], lambda status: {"version": 1, "status": str(status)})
    emit_many(
        EventType.ASSET_REGISTERED, Asset, {"record_id": identifiers, **seen_by, "payload": payload}, len(made), puts
    )
    verdict.assets.update(zip(at, made, strict=True))
    known_by = pl.DataFrame({"index": pl.Series(at, dtype=pl.Int64), "id": identifiers.texts})
    verdict.keys = pl.concat([verdict.keys, *(known_by.select("index", key=one) for one in MADE_KEYS)])
    told = zip(made, *(values_of(one, len(at)) for one in seen_by.values()), strict=True)
    return dict(zip(at, told, strict=True))


def _index_aliases(made: Sequence[UUID], aliases: Column, puts: Puts) -> None:
    pairs = [(one, pair) for one, listed in zip(made, values_of(aliases, len(made)), strict=True) for pair in listed]
    columns = {
        "asset_id": [one for one, _pair in pairs],
        "scheme": [pair["scheme"] for _one, pair in pairs],
        "value": [pair["value"] for _one, pair in pairs],
        "active": Same(True),
    }
    puts.add(table_of(AssetAlias), lambda: columns, len(pairs))


def _warnings(verdict: Verdict, places: set[int]) -> dict[int, list[Finding]]:
    """The warnings of rows that go through nevertheless, by place."""
    told = verdict.findings.filter(pl.col("severity") == Severity.WARNING.value)
    return {row: found for row, found in findings_by_row(told).items() if row in places}


def _justified(
    actor: Actor, before: list[dict[str, Any]], warnings: Iterable[Finding], terms: Terms
) -> list[dict[str, Any]]:
    kept = before
    for warning in warnings:
        kept = justified(actor, kept, [warning], terms.justification(warning.code))
    return kept


def _tell_shared(verdict: Verdict, made: Mapping[int, tuple[UUID, UUID, str | None]]) -> None:
    """Tell both providers of assets on one meter; to neither who the other is. `made`: asset, provider and area by place."""
    at = verdict.values["index"].to_list()
    met = [(at[index], other, mpan) for index, other, mpan in verdict.others.shared if at[index] in made]
    pairs = [(at[index], at[before], mpan) for index, before, mpan in verdict.others.beside]
    beside = [(place, made[before][0], mpan) for place, before, mpan in pairs if place in made and before in made]
    if not (met or beside):
        return
    theirs: dict[UUID, tuple[UUID, UUID, str | None]] = {}
    for part in slices(sorted({other for _place, other, _mpan in met})):
        chosen = select(col(Asset.id), col(Asset.service_provider_id), col(Asset.dno_connection))
        rows = current_session().execute(chosen.where(col(Asset.id).in_(part)))
        theirs |= {row.id: (row.id, row.service_provider_id, row.dno_connection) for row in rows}
    theirs |= {one[0]: one for one in made.values()}
    told: dict[tuple[UUID, str], dict[str, Any]] = {}
    for place, other, mpan in met + beside:
        for one in (made[place], theirs[other]):
            told[(one[0], mpan)] = _told(*one, {"mpan": mpan})
    emit_many(EventType.ASSET_MPAN_SHARED, Asset, as_columns(list(told.values())), len(told))


def _told(asset_id: UUID, provider: UUID, dno: str | None, payload: Mapping[str, Any]) -> dict[str, Any]:
    """An event about an asset: its provider and the operator of its licence area see it."""
    return {"record_id": asset_id, "organisation_id": provider, "dno_code": dno, "payload": dict(payload)}


@operation("UC-02.03", permission="asset.update", name="update_rows")
def update_rows(actor: Actor, verdict: Verdict, terms: Terms) -> None:
    """Change the assets of a run of rows that has been judged, each as if it had been changed alone."""
    written: list[tuple[Change, list[str]]] = []
    for row, outcome in enumerate(verdict.outcomes):
        change = verdict.changed.get(row)
        if outcome is Outcome.UPDATED and change is not None and change.checked is not None:
            asset = change.asset
            before = asset.justifications
            warnings = change.checked.warnings
            reasons = write_change(actor, asset, change.checked, change.changes, None)
            if warnings:
                asset.justifications = _justified(actor, before, warnings, terms)
            written.append((change, reasons))
    current_session().flush()
    told = [
        _told(
            change.asset.id,
            change.asset.service_provider_id,
            change.asset.dno_connection,
            told_of(change.asset, change.changes, reasons),
        )
        for change, reasons in written
    ]
    emit_many(EventType.ASSET_CHANGED, Asset, as_columns(told), len(told))
