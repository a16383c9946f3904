"""Rows that go through become records: new assets at once, each with its ledger entry and event; then what changed."""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

import polars as pl
from sqlalchemy import select
from sqlmodel import col

from models.assets import Asset, AssetAlias, AssetStatus
from models.base import new_id
from services.assets.bulk.already_registered import slices
from services.assets.bulk.changes import Change
from services.assets.bulk.duplicates import MADE_KEYS
from services.assets.bulk.judging import Outcome, Terms, Verdict
from services.assets.bulk.storing import findings_by_row
from services.assets.recording import IDENTITIES, STORED_TERMS, justified, key_of, waits_for_consent
from services.assets.shared_meters import SHARED
from services.assets.updating import told_of, write_change
from services.core.actor import Actor
from services.core.clock import now
from services.core.errors import Finding, Severity
from services.core.events import emit_many
from services.core.ledger.bulk import insert_columns
from services.core.ledger.state import columns_of
from services.core.ledger.writer import table_of
from services.core.many import Column, Same, as_columns, each, put, values_of
from services.core.operation import operation
from services.core.transaction import current_session

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
    at = values["index"].to_list()
    columns = _columns(actor, values, _warnings(verdict, set(verdict.new)), terms, verdict)
    insert_columns(current_session(), Asset, columns, len(at))
    made = list(values_of(columns["id"], len(at)))
    _index_aliases(made, columns["aliases"])
    seen_by = {"organisation_id": columns["service_provider_id"], "dno_code": columns["dno_connection"]}
    payload = each(columns["status"], lambda status: {"version": 1, "status": str(status)})
    emit_many("asset.registered", Asset, {"record_id": made, **seen_by, "payload": payload}, len(made))
    verdict.assets.update(zip(at, made, strict=True))
    known_by = pl.DataFrame({"index": pl.Series(at, dtype=pl.Int64), "id": [str(one) for one in made]})
    verdict.keys = pl.concat([verdict.keys, *(known_by.select("index", key=one) for one in MADE_KEYS)])
    told = zip(made, *(values_of(one, len(at)) for one in seen_by.values()), strict=True)
    _tell_shared(verdict, dict(zip(at, told, strict=True)))


def _index_aliases(made: Sequence[UUID], aliases: Column) -> None:
    if isinstance(aliases, Same):
        return
    pairs = [(one, pair) for one, listed in zip(made, aliases, strict=True) for pair in listed]
    session = current_session()
    columns = {
        "asset_id": [one for one, _pair in pairs],
        "scheme": [pair["scheme"] for _one, pair in pairs],
        "value": [pair["value"] for _one, pair in pairs],
        "active": Same(True),
    }
    put(session.connection(), table_of(AssetAlias), columns, len(pairs))


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


def _columns(
    actor: Actor, values: pl.DataFrame, warnings: Mapping[int, list[Finding]], terms: Terms, verdict: Verdict
) -> dict[str, Column]:
    """Every column of new assets, as `register_asset` fills it in for one."""
    moment, count = Same(now()), values.height
    blank: dict[str, Column] = {
        name: Same(None) for name in columns_of(Asset.record_type()) if name not in _SET_BY_LEDGER
    }
    given = {column: _column(values[term]) for term, column in STORED_TERMS.items()}
    for term in IDENTITIES:
        given[STORED_TERMS[term]] = each(given[STORED_TERMS[term]], lambda text: None if text is None else UUID(text))
    parsed: dict[str, Any] = {}
    texts = values["CategoryAttributes"].to_list()
    given["category_attributes"] = [parsed.get(text) or parsed.setdefault(text, json.loads(text)) for text in texts]
    nothing: list[Any] = []
    told = [warnings.get(place) for place in values["index"].to_list()]
    own = actor.organisation_id
    versions = verdict.known.schema_versions
    waiting = AssetStatus.AWAITING_CONSENT_CHECK
    consents = zip(values["ConsumerOwned"].to_list(), values["ConsentReference"].to_list(), strict=True)
    reasons = [waits_for_consent(reference) if owned else None for owned, reference in consents]
    return {
        **blank,
        **given,
        "id": [new_id() for _ in range(count)],
        "status": each(given["consumer_owned"], lambda owned: waiting if owned else AssetStatus.PENDING_VALIDATION),
        "status_reason": reasons,
        "status_since": moment,
        "registered_at": moment,
        "managed_from": moment,
        "submitted_by_organisation": each(given["service_provider_id"], lambda one: own if one != own else None),
        "schema_version": each(given["asset_category"], lambda category: versions.get(category, 1)),
        "serial_key": each(given["serial_number"], key_of),
        "manufacturer_key": each(given["manufacturer"], key_of),
        "aliases": _lists(values["Aliases"]),
        "derived_terms": _derived(values["derived"]),
        "justifications": [_justified(actor, [], one, terms) if one else nothing for one in told],
    }


def _lists(series: pl.Series) -> Column:
    """A column of lists of aliases; where there is none, one empty list for all."""
    nothing: list[Any] = []
    if not series.list.len().sum():
        return Same(nothing)
    return [one or nothing for one in series.to_list()]


def _derived(series: pl.Series) -> Column:
    """The terms that the register worked out, sorted; equal lists are the very same one."""
    known: dict[tuple[str, ...], list[str]] = {}
    return [known.setdefault(tuple(one), sorted(one)) for one in series.to_list()]


def _column(series: pl.Series) -> Column:
    return Same(series[0]) if series.n_unique() == 1 else series.to_list()


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
    emit_many(SHARED, Asset, as_columns(list(told.values())), len(told))


def _told(asset_id: UUID, provider: UUID, dno: str | None, payload: Mapping[str, Any]) -> dict[str, Any]:
    """An event about an asset: its provider and the operator of its licence area see it."""
    return {"record_id": asset_id, "organisation_id": provider, "dno_code": dno, "payload": dict(payload)}


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
            change.asset.id,
            change.asset.service_provider_id,
            change.asset.dno_connection,
            told_of(change.asset, change.changes, reasons),
        )
        for change, reasons in written
    ]
    emit_many("asset.changed", Asset, as_columns(told), len(told))
