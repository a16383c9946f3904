"""Rows that go through become records: new assets at once, each with its ledger entry and event; then what changed."""

import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import cache
from typing import Any
from uuid import UUID

import polars as pl
from sqlalchemy import select
from sqlmodel import col

from models.assets import Asset, AssetAlias, AssetStatus
from models.base import new_id
from models.events import EventType
from services.assets.bulk.pipeline.changes import ProposedChange
from services.assets.bulk.pipeline.chunks import findings_by_row
from services.assets.bulk.pipeline.duplicates import KEY_SCHEMA, asset_key, new_asset_key
from services.assets.bulk.pipeline.existing_assets import slices
from services.assets.bulk.pipeline.outcomes import RowStatus, RunOutcomes, Terms
from services.assets.registration.record import IDENTITIES, STORED_TERMS, add_justifications, key_of, waits_for_consent
from services.assets.registration.shared_meters import withhold_notices
from services.assets.registration.update import change_payload, write_change
from services.assets.rules.reference import catalogue
from services.assets.rules.schemas import ATTRIBUTES_TERM
from services.core.clock import now
from services.core.db.bulk_insert import as_columns, insert_rows
from services.core.errors import Finding, Severity
from services.core.identity.actor import Actor
from services.core.jobs.outbox import emit_many
from services.core.ledger.bulk_insert import insert_columns
from services.core.ledger.canonical import columns_of
from services.core.ledger.writer import table_of
from services.core.operation import operation
from services.core.transaction import current_session

_SET_BY_LEDGER = frozenset({"version", "recorded_at", "recorded_by"})
AssetColumns = dict[str, list[Any]]


def write(actor: Actor, verdict: RunOutcomes, terms: Terms) -> None:
    """Register and update what a verdict lets through; inside an operation that writes."""
    if verdict.new:
        register_rows(actor, verdict, terms)
    if any(outcome is RowStatus.UPDATED for outcome in verdict.outcomes):
        update_rows(actor, verdict, terms)


@operation("UC-02.01", permission="asset.register", name="register_rows")
def register_rows(actor: Actor, verdict: RunOutcomes, terms: Terms) -> None:
    """Register the new assets of a run of rows that has been judged, each as if it had been registered alone."""
    places = verdict.new
    values = verdict.values.filter(pl.col("index").is_in(pl.Series(places, dtype=pl.Int64).implode()))
    moment = now()
    columns = asset_columns(values, actor.organisation_id, catalogue().schema_versions, moment)
    for place, warnings in _warnings(verdict, set(places)).items():
        columns["justifications"][places.index(place)] = _add_justifications(actor, [], warnings, terms)
    insert_columns(current_session(), Asset, columns, moment)
    _index_aliases(columns)
    events = {
        "record_id": columns["id"],
        "organisation_id": columns["service_provider_id"],
        "dno_code": columns["dno_connection"],
        "payload": [{"version": 1, "status": str(status)} for status in columns["status"]],
    }
    emit_many(EventType.ASSET_REGISTERED, Asset, events)
    verdict.assets.update(zip(places, columns["id"], strict=True))
    asset_keys = [
        (place, key(asset_id))
        for place, asset_id in zip(places, columns["id"], strict=True)
        for key in (asset_key, new_asset_key)
    ]
    verdict.keys = pl.concat([verdict.keys, pl.DataFrame(asset_keys, schema=KEY_SCHEMA, orient="row")])
    registered = zip(columns["id"], columns["service_provider_id"], columns["dno_connection"], strict=True)
    _tell_shared(verdict, dict(zip(places, registered, strict=True)))


def asset_columns(
    values: pl.DataFrame, own: UUID | None, versions: Mapping[str, int], moment: datetime
) -> AssetColumns:
    """Every column of new assets but those that the ledger sets, filled in as `register_asset` does for one.

    `values` are the typed values of the rows; `own` is the organisation that registers them, under these `versions` of the
    categories' schemas.
    """
    count = values.height
    columns: AssetColumns = {
        name: [None] * count for name in columns_of(Asset.record_type()) if name not in _SET_BY_LEDGER
    }
    columns |= {column: values[term].to_list() for term, column in STORED_TERMS.items()}
    for term in IDENTITIES:
        columns[STORED_TERMS[term]] = [UUID(text) if text else None for text in columns[STORED_TERMS[term]]]
    consents = zip(columns["consumer_owned"], columns["consent_reference"], strict=True)
    nothing: list[Any] = []
    waiting, pending = AssetStatus.AWAITING_CONSENT_CHECK, AssetStatus.PENDING_VALIDATION
    columns |= {
        "id": [new_id() for _ in range(count)],
        # Of equal ones the very same: a fleet has few kinds, and each is written as text once.
        "category_attributes": list(map(cache(json.loads), values[ATTRIBUTES_TERM])),
        "status": [waiting if owned else pending for owned in columns["consumer_owned"]],
        "status_reason": [waits_for_consent(reference) if owned else None for owned, reference in consents],
        "status_since": [moment] * count,
        "registered_at": [moment] * count,
        "managed_from": [moment] * count,
        "submitted_by_organisation": [own if own != provider else None for provider in columns["service_provider_id"]],
        "schema_version": [versions.get(category, 1) for category in columns["asset_category"]],
        "serial_key": list(map(key_of, columns["serial_number"])),
        "manufacturer_key": list(map(key_of, columns["manufacturer"])),
        "aliases": [pairs or nothing for pairs in columns["aliases"]],
        "derived_terms": list(map(cache(sorted), map(tuple, values["derived"].to_list()))),
        "justifications": [nothing] * count,
    }
    return columns


def _index_aliases(columns: AssetColumns) -> None:
    pairs = [
        (asset_id, pair)
        for asset_id, aliases in zip(columns["id"], columns["aliases"], strict=True)
        for pair in aliases
    ]
    rows = {
        "asset_id": [asset_id for asset_id, _pair in pairs],
        "scheme": [pair["scheme"] for _asset_id, pair in pairs],
        "value": [pair["value"] for _asset_id, pair in pairs],
        "active": [True] * len(pairs),
    }
    insert_rows(current_session().connection(), table_of(AssetAlias), rows)


def _warnings(verdict: RunOutcomes, places: set[int]) -> dict[int, list[Finding]]:
    """The warnings of rows that go through nevertheless, by place."""
    warnings = verdict.findings.filter(pl.col("severity") == Severity.WARNING.value)
    return {row: findings for row, findings in findings_by_row(warnings).items() if row in places}


def _add_justifications(
    actor: Actor, before: list[dict[str, Any]], warnings: Iterable[Finding], terms: Terms
) -> list[dict[str, Any]]:
    justifications = before
    for warning in warnings:
        justifications = add_justifications(actor, justifications, [warning], terms.justification(warning.code))
    return justifications


def _tell_shared(verdict: RunOutcomes, registered: Mapping[int, tuple[UUID, UUID, str | None]]) -> None:
    """Tell both providers of assets on one meter; to neither who the other is. `made`: asset, provider and area by place."""
    at = verdict.values["index"].to_list()
    met = [(at[index], other, mpan) for index, other, mpan in verdict.matches.shared if at[index] in registered]
    untold = {at[index] for index in verdict.untold}
    pairs = [(at[index], at[before], mpan) for index, before, mpan in verdict.matches.shared_rows]
    beside = [
        (place, registered[before][0], mpan)
        for place, before, mpan in pairs
        if place in registered and before in registered
    ]
    if not (met or beside):
        return
    theirs: dict[UUID, tuple[UUID, UUID, str | None]] = {}
    for part in slices(sorted({other for _place, other, _mpan in met})):
        query = select(col(Asset.id), col(Asset.service_provider_id), col(Asset.dno_connection))
        rows = current_session().execute(query.where(col(Asset.id).in_(part)))
        theirs |= {row.id: (row.id, row.service_provider_id, row.dno_connection) for row in rows}
    theirs |= {asset[0]: asset for asset in registered.values()}
    events: dict[tuple[UUID, str], dict[str, Any]] = {}
    later: dict[tuple[UUID, str], UUID] = {}
    for place, other, mpan in met + beside:
        for asset in (registered[place], theirs[other]):
            events[(asset[0], mpan)] = _build_event(*asset, {"mpan": mpan})
    for place, _other, mpan in met:
        if place in untold:
            own = registered[place]
            later[own[0], mpan] = own[1]
            events.pop((own[0], mpan), None)
    withhold_notices((provider, asset_id, mpan) for (asset_id, mpan), provider in later.items())
    emit_many(EventType.ASSET_MPAN_SHARED, Asset, as_columns(list(events.values())))


def _build_event(asset_id: UUID, provider: UUID, dno: str | None, payload: Mapping[str, Any]) -> dict[str, Any]:
    """Event about an asset: its provider and the operator of its licence area see it."""
    return {"record_id": asset_id, "organisation_id": provider, "dno_code": dno, "payload": dict(payload)}


@operation("UC-02.03", permission="asset.update", name="update_rows")
def update_rows(actor: Actor, verdict: RunOutcomes, terms: Terms) -> None:
    """Change the assets of a run of rows that has been judged, each as if it had been changed alone."""
    written: list[tuple[ProposedChange, list[str]]] = []
    for row, outcome in enumerate(verdict.outcomes):
        change = verdict.changed.get(row)
        if outcome is RowStatus.UPDATED and change is not None and change.checked is not None:
            asset = change.asset
            before = asset.justifications
            warnings = change.checked.warnings
            reasons = write_change(actor, asset, change.checked, change.changes, None)
            if warnings:
                asset.justifications = _add_justifications(actor, before, warnings, terms)
            written.append((change, reasons))
    current_session().flush()
    events = [
        _build_event(
            change.asset.id,
            change.asset.service_provider_id,
            change.asset.dno_connection,
            change_payload(change.asset, change.changes, reasons),
        )
        for change, reasons in written
    ]
    emit_many(EventType.ASSET_CHANGED, Asset, as_columns(events))
