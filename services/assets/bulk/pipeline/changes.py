"""Rows that speak of assets which are registered already: what each would change, by the rules of an update (UC-02.03)."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import polars as pl
from sqlalchemy import select
from sqlmodel import col

from models.assets import ENDED_STATUSES, STATUS_LABELS, Asset
from services.assets.bulk.pipeline.asset_snapshot import Unchanged
from services.assets.bulk.pipeline.chunks import findings_by_row
from services.assets.bulk.pipeline.existing_assets import known_elsewhere, slices
from services.assets.bulk.pipeline.unchanged import says_the_same, unchanged
from services.assets.bulk.pipeline.validation import keys_of
from services.assets.bulk.upload.column_mapping import ASSET_ID, VERSION
from services.assets.registration.record import as_terms, conflict
from services.assets.registration.update import Changes, merged, moves_date, settle
from services.assets.registration.validation import Conformance, fill_in_parties, hold_against_others, party_findings
from services.assets.rules.check import ALIAS_TYPE, check_assets
from services.assets.rules.prepare import KILOWATTS
from services.assets.rules.reference import catalogue, rule_context
from services.assets.rules.schemas import ATTRIBUTES_TERM, CORE
from services.core.attributes import text_of
from services.core.audit_context import WRITES
from services.core.errors import Finding
from services.core.identity.actor import Actor
from services.core.transaction import current_session


@dataclass(slots=True)
class Change:
    """What a row would change of an asset: nothing, when `changes` is empty and nothing was found."""

    asset: Asset
    values: dict[str, object]
    version: str | None = None
    """The version that the row says it changes, as it was given."""
    checked: Conformance | None = None
    changes: Changes = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)


def held_against(actor: Actor, cells: pl.DataFrame, targets: Mapping[int, UUID]) -> dict[int, Change | Unchanged]:
    """What rows that speak of assets would change of them, by place in `cells`; rows of assets that there aren't are left out.

    Most rows of a file that was sent before say nothing new: those are found at once, and only the others one by one.
    """
    places = sorted(targets)
    known = unchanged(cells.select(pl.all().gather(places)), [targets[place] for place in places])
    found: dict[int, Change | Unchanged] = {
        place: same for place, same in zip(places, known, strict=True) if same is not None
    }
    assets = load(targets[place] for place in places if place not in found)
    others = [place for place in places if place not in found and targets[place] in assets]
    rows = cells.select(pl.all().gather(others)).to_dicts()
    proposed = propose(actor, rows, [assets[targets[place]] for place in others])
    found.update(zip(others, proposed, strict=True))
    return {place: found[place] for place in places if place in found}


def load(asset_ids: Iterable[UUID]) -> dict[UUID, Asset]:
    """Assets by identifier; held until the end of the transaction where it writes."""
    session = current_session()
    found: dict[UUID, Asset] = {}
    for part in slices(sorted(set(asset_ids))):
        chosen = select(Asset).where(col(Asset.id).in_(part)).order_by(col(Asset.id))
        if session.info.get(WRITES):
            chosen = chosen.with_for_update().execution_options(populate_existing=True)
        found |= {asset.id: asset for asset in session.scalars(chosen)}
    return found


def propose(actor: Actor, rows: Sequence[Mapping[str, str | None]], assets: Sequence[Asset]) -> list[Change]:
    """What each row would change of the asset beside it. A row's cells by term: None was not given, blank clears."""
    proposed = [_read(row, asset) for row, asset in zip(rows, assets, strict=True)]
    moving: dict[tuple[bool, str, int, frozenset[str]], list[Change]] = {}
    for change in proposed:
        if change.asset.status in ENDED_STATUSES:
            change.findings.append(_ended(change.asset))
        elif change.values:
            asset = change.asset
            # A column that another row of the frame has would take the attribute from this one.
            fresh = frozenset(change.values).difference(asset.category_attributes, CORE)
            key = (moves_date(asset, change.values), asset.asset_category, asset.schema_version, fresh)
            moving.setdefault(key, []).append(change)
    for (date_moved, *_alike), changes in moving.items():
        _check(actor, changes, date_moved)
    return proposed


def _ended(asset: Asset) -> Finding:
    message = f"The asset is {STATUS_LABELS[asset.status]}: its record is closed. Leave the identifier out to register it anew."
    return Finding("BULK-03", ASSET_ID, str(asset.id), "An active asset", message)


def _read(row: Mapping[str, str | None], asset: Asset) -> Change:
    """The cells that say something else than the record; what it had worked out stays so where the cell says the same."""
    terms = as_terms(asset)
    values: dict[str, object] = {}
    for term, cell in row.items():
        if cell is None or term in (ASSET_ID, VERSION):
            continue
        stands = asset.category_attributes if term == ATTRIBUTES_TERM else terms.get(term)
        if not says_the_same(term, stands, cell, asset.derived_terms):
            values[term] = cell
    version = (row.get(VERSION) or "").strip()
    return Change(asset, values, version or None)


def _check(actor: Actor, changes: list[Change], date_moved: bool) -> None:
    """Judge changes of assets of one schema version together; what other records say is asked only where any might."""
    first = changes[0].asset
    raws = [merged(change.asset, change.values) for change in changes]
    known = catalogue(first)
    context = rule_context(first, effective_date_changed=date_moved, current=known)
    extra = {name for raw in raws for name in raw if name in context.reference.attribute_terms}
    columns = {name: pl.Series([text_of(raw.get(name)) for raw in raws], dtype=pl.String) for name in (*CORE, *extra)}
    nested = pl.Series([_as_json(raw.get(ATTRIBUTES_TERM)) for raw in raws], dtype=pl.String)
    checked = check_assets(pl.DataFrame({**columns, ATTRIBUTES_TERM: nested}), context)
    said = findings_by_row(checked.findings)
    for row, (change, values) in enumerate(zip(changes, checked.values.to_dicts(), strict=True)):
        derived = set(values.pop("derived"))
        values[ATTRIBUTES_TERM] = json.loads(values[ATTRIBUTES_TERM])
        change.checked = Conformance(values, said.get(row, []), derived, change.asset.schema_version)
    _hold(actor, changes)
    for change in changes:
        _settle(change)


def _as_json(attributes: object) -> str | None:
    if attributes is None or isinstance(attributes, str):
        return attributes
    return json.dumps(attributes, ensure_ascii=False, default=str)


def _hold(actor: Actor, changes: list[Change]) -> None:
    """Parties and other assets: the set is asked at once, and only rows that anything is found for are looked at singly."""
    checked = [change.checked for change in changes if change.checked]
    for change in changes:
        if change.checked:
            fill_in_parties(actor, change.checked, change.asset)
            owner = change.checked.values["OrganisationId"]
            if owner != (str(change.asset.organisation_id) if change.asset.organisation_id else None):
                change.checked.findings += party_findings(actor, change.checked, change.asset)
    keys = keys_of(pl.DataFrame([key_values(one.values) for one in checked], schema=KEY_TYPES, strict=False))
    met = known_elsewhere(keys, [str(change.asset.id) for change in changes])
    for change, is_met in zip(changes, met, strict=True):
        if change.checked and is_met:
            hold_against_others(actor, change.checked, change.asset)


KEYED = (
    "AssetName", "ServiceProviderId", "SerialNumber", "Manufacturer", "FriendlyCode", "ImportMPAN", "ExportMPAN",
    "AssetCategory", "RatedCapacity", "Aliases",
)  # fmt: skip


KEY_TYPES: dict[str, Any] = {**dict.fromkeys(KEYED, pl.String), "RatedCapacity": KILOWATTS, "Aliases": ALIAS_TYPE}


def key_values(values: Mapping[str, Any]) -> dict[str, Any]:
    """The values of a row that duplicates are known by."""
    return {term: values[term] for term in KEYED}


def _settle(change: Change) -> None:
    """What changes, and what is said of it; a row that changes nothing has nothing said of it."""
    checked = change.checked
    if checked is None:
        return
    change.changes = settle(change.asset, change.values, checked)
    if not change.changes and not checked.errors:
        return
    change.findings += [*checked.errors, *(same.as_finding() for same in checked.same), *checked.warnings]
    if change.version is not None and change.version != str(change.asset.version):
        change.findings.insert(0, _stale(change.asset, change.version))


def _stale(asset: Asset, given: str) -> Finding:
    expected = f"The version that stands now: {asset.version}"
    if not given.isascii() or not given.isdigit() or not 0 < int(given) < asset.version:
        message = f"There is no version {given} of this asset: it stands at version {asset.version}. Export it again."
        return Finding("BULK-02", VERSION, given, expected, message)
    message = conflict(asset, int(given)).message.replace("since you opened it", "since it was exported")
    return Finding("BULK-02", VERSION, given, expected, message)
