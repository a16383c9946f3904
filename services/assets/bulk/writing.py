"""Rows that go through become records: new assets at once, each with its ledger entry and event; then what changed."""

import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

import polars as pl
from sqlalchemy import insert, select
from sqlmodel import col

from models.assets import Asset, AssetAlias, AssetStatus
from models.base import new_id
from services.assets.bulk.already_registered import slices
from services.assets.bulk.changes import Change
from services.assets.bulk.duplicates import asset_key, new_key
from services.assets.bulk.judging import Outcome, Terms, Verdict
from services.assets.bulk.storing import findings_by_row
from services.assets.recording import IDENTITIES, STORED_TERMS, justified, key_of, waits_for_consent
from services.assets.updating import told_of, write_change
from services.core.actor import Actor
from services.core.clock import now
from services.core.errors import Finding, Severity
from services.core.events import emit_many
from services.core.ledger.state import columns_of
from services.core.ledger.writer import insert_recorded
from services.core.operation import operation
from services.core.transaction import current_session

SHARED = "asset.mpan_shared"
"""Somebody else's asset stands on the same meter: told to both providers (UC-02.01)."""
_SET_BY_LEDGER = frozenset({"version", "recorded_at", "recorded_by"})


def write(actor: Actor, verdict: Verdict, terms: Terms) -> None:
    """Register and update what a verdict lets through; inside an operation that writes."""
    if verdict.new:
        register_rows(actor, verdict, terms)
    if any(outcome is Outcome.UPDATED for outcome in verdict.outcomes):
        update_rows(actor, verdict, terms)


@operation("UC-02.01", permission="asset.register")
def register_rows(actor: Actor, verdict: Verdict, terms: Terms) -> None:
    """Register the new assets of a run of rows that has been judged, each as if it had been registered alone."""
    places = pl.Series(verdict.new, dtype=pl.Int64)
    values = verdict.values.filter(pl.col("index").is_in(places.implode()))
    warnings = _warnings(verdict, set(verdict.new))
    blank = dict.fromkeys(name for name in columns_of(Asset.record_type()) if name not in _SET_BY_LEDGER)
    moment = now()
    rows = [
        _row(actor, one, warnings.get(one["index"], []), terms, verdict, blank, moment) for one in values.to_dicts()
    ]
    insert_recorded(current_session(), Asset, rows)
    aliases = [
        {"asset_id": row["id"], "scheme": pair["scheme"], "value": pair["value"], "active": True}
        for row in rows
        for pair in row["aliases"]
    ]
    if aliases:
        current_session().execute(insert(AssetAlias), aliases)
    emit_many("asset.registered", Asset, [_told(row, {"version": 1, "status": str(row["status"])}) for row in rows])
    made = [row["id"] for row in rows]
    verdict.assets.update(zip(values["index"], made, strict=True))
    fresh = pl.DataFrame(
        {"index": values["index"], "key": [[asset_key(one), new_key(one)] for one in made]},
        schema={"index": pl.Int64, "key": pl.List(pl.String)},
    ).explode("key")
    verdict.keys = pl.concat([verdict.keys, fresh])
    _tell_shared(verdict, dict(zip(values["index"], rows, strict=True)))


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


def _row(
    actor: Actor,
    values: Mapping[str, Any],
    warnings: list[Finding],
    terms: Terms,
    verdict: Verdict,
    blank: dict[str, Any],
    moment: datetime,
) -> dict[str, Any]:
    """Every column of one new asset, as `register_asset` fills it in; `blank` has them all."""
    row: dict[str, Any] = {column: values[term] for term, column in STORED_TERMS.items()}
    for term in IDENTITIES:
        given = values[term]
        row[STORED_TERMS[term]] = None if given is None else UUID(given)
    row["category_attributes"] = json.loads(values["CategoryAttributes"])
    status, reason = AssetStatus.PENDING_VALIDATION, None
    if values["ConsumerOwned"]:
        status, reason = AssetStatus.AWAITING_CONSENT_CHECK, waits_for_consent(values["ConsentReference"])
    other = row["service_provider_id"] != actor.organisation_id
    return (
        blank
        | row
        | {
            "id": new_id(),
            "status": status,
            "status_reason": reason,
            "status_since": moment,
            "registered_at": moment,
            "managed_from": moment,
            "submitted_by_organisation": actor.organisation_id if other else None,
            "schema_version": verdict.known.schema_versions.get(values["AssetCategory"], 1),
            "serial_key": key_of(values["SerialNumber"]),
            "manufacturer_key": key_of(values["Manufacturer"]),
            "aliases": values["Aliases"] or [],
            "derived_terms": sorted(values["derived"]),
            "justifications": _justified(actor, [], warnings, terms),
        }
    )


def _told(row: Mapping[str, Any], payload: Mapping[str, Any]) -> dict[str, Any]:
    """An event about an asset: its provider and the operator of its licence area see it."""
    return {
        "record_id": row["id"],
        "organisation_id": row["service_provider_id"],
        "dno_code": row["dno_connection"],
        "payload": dict(payload),
    }


def _tell_shared(verdict: Verdict, made: Mapping[int, Mapping[str, Any]]) -> None:
    """Tell both providers of assets on one meter; to neither who the other is."""
    at = verdict.values["index"].to_list()
    met = [(at[index], other, mpan) for index, other, mpan in verdict.others.shared if at[index] in made]
    if not met:
        return
    theirs: dict[UUID, Any] = {}
    for part in slices(sorted({other for _place, other, _mpan in met})):
        chosen = select(col(Asset.id), col(Asset.service_provider_id), col(Asset.dno_connection))
        theirs |= {row.id: row for row in current_session().execute(chosen.where(col(Asset.id).in_(part)))}
    told: dict[tuple[UUID, str], dict[str, Any]] = {}
    for place, other, mpan in met:
        payload = {"mpan": mpan}
        row = made[place]
        told[(row["id"], mpan)] = _told({**row}, payload)
        told[(other, mpan)] = _told(
            {
                "id": other,
                "service_provider_id": theirs[other].service_provider_id,
                "dno_connection": theirs[other].dno_connection,
            },
            payload,
        )
    emit_many(SHARED, Asset, list(told.values()))


@operation("UC-02.03", permission="asset.update")
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
            {
                "id": change.asset.id,
                "service_provider_id": change.asset.service_provider_id,
                "dno_connection": change.asset.dno_connection,
            },
            told_of(change.asset, change.changes, reasons),
        )
        for change, reasons in written
    ]
    emit_many("asset.changed", Asset, told)
