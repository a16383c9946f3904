"""Rows that speak of assets which are registered already: what each would change, by the rules of an update (UC-02.03)."""

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

import polars as pl
from sqlalchemy import select
from sqlmodel import col

from models.assets import ENDED_STATUSES, STATUS_LABELS, Asset
from services.assets.bulk.pipeline.chunks import findings_by_row
from services.assets.bulk.pipeline.existing_assets import slices
from services.assets.bulk.pipeline.unchanged import Unchanged, find_unchanged, is_same_value
from services.assets.bulk.upload.column_mapping import ASSET_ID, VERSION
from services.assets.registration.lookup_hits import (
    answer_questions,
    is_unchecked,
    unchecked_finding,
    unchecked_severity,
)
from services.assets.registration.record import as_terms, conflict
from services.assets.registration.update import Changes, merge_terms, moves_date, settle_changes
from services.assets.registration.validation import Conformance, hold_against_register
from services.assets.rules.check import check_assets
from services.assets.rules.reference import catalogue, rule_context
from services.assets.rules.schemas import ATTRIBUTES_TERM, CORE
from services.core.attributes import text_of
from services.core.audit_context import WRITES
from services.core.errors import Finding
from services.core.identity.actor import Actor
from services.core.text import identifies_nothing
from services.core.transaction import current_session


@dataclass(slots=True)
class ProposedChange:
    """Proposed change of an asset by a row: none, when `changes` is empty and nothing was found."""

    asset: Asset
    values: dict[str, object]
    version: str | None = None
    """The version that the row says it changes, as it was given."""
    checked: Conformance | None = None
    changes: Changes = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)


def propose_changes(
    actor: Actor,
    cells: pl.DataFrame,
    targets: Mapping[int, UUID],
    *,
    read_only: Collection[int] = (),
    dry_run: bool = False,
) -> dict[int, ProposedChange | Unchanged]:
    """Propose the changes of rows that speak of assets, by place in `cells`; rows of assets that there aren't are left out,
    and so are those in `read_only` unless they leave their asset as it is.

    Most rows of a file that was sent before say nothing new: those are found at once, and only the others one by one.
    """
    places = sorted(targets)
    unchanged_rows = find_unchanged(cells.select(pl.all().gather(places)), [targets[place] for place in places])
    changes: dict[int, ProposedChange | Unchanged] = {
        place: same for place, same in zip(places, unchanged_rows, strict=True) if same is not None
    }
    assets = load_assets(targets[place] for place in places if place not in changes and place not in read_only)
    others = [place for place in places if place not in changes and targets[place] in assets]
    rows = cells.select(pl.all().gather(others)).to_dicts()
    proposed = propose_each(actor, rows, [assets[targets[place]] for place in others], dry_run=dry_run)
    changes.update(zip(others, proposed, strict=True))
    return {place: changes[place] for place in places if place in changes}


def load_assets(asset_ids: Iterable[UUID]) -> dict[UUID, Asset]:
    """Assets by identifier; held until the end of the transaction where it writes."""
    session = current_session()
    assets: dict[UUID, Asset] = {}
    for part in slices(sorted(set(asset_ids))):
        query = select(Asset).where(col(Asset.id).in_(part)).order_by(col(Asset.id))
        if session.info.get(WRITES):
            query = query.with_for_update().execution_options(populate_existing=True)
        assets |= {asset.id: asset for asset in session.scalars(query)}
    return assets


def propose_each(
    actor: Actor, rows: Sequence[Mapping[str, str | None]], assets: Sequence[Asset], *, dry_run: bool = False
) -> list[ProposedChange]:
    """Propose the change of each row to the asset beside it. A row's cells by term: None was not given, blank clears."""
    proposed = [_read(row, asset) for row, asset in zip(rows, assets, strict=True)]
    moving: dict[tuple[bool, str, int, frozenset[str]], list[ProposedChange]] = {}
    for change in proposed:
        if change.values:
            asset = change.asset
            # A column that another row of the frame has would take the attribute from this one.
            fresh = frozenset(change.values).difference(asset.category_attributes, CORE)
            key = (moves_date(asset, change.values), asset.asset_category, asset.schema_version, fresh)
            moving.setdefault(key, []).append(change)
    for (date_moved, *_alike), changes in moving.items():
        _check(actor, changes, date_moved, dry_run)
    return proposed


def _ended_finding(asset: Asset) -> Finding:
    message = f"The asset is {STATUS_LABELS[asset.status]}: its record is closed. Leave the identifier out to register it anew."
    return Finding("BULK-03", ASSET_ID, str(asset.id), "An active asset", message)


def _read(row: Mapping[str, str | None], asset: Asset) -> ProposedChange:
    """The cells that say something else than the record; what it had worked out stays so where the cell says the same."""
    terms = as_terms(asset)
    values: dict[str, object] = {}
    cleared: dict[str, object] = {}
    for term, cell in row.items():
        if cell is None or term in (ASSET_ID, VERSION):
            continue
        stands = asset.category_attributes if term == ATTRIBUTES_TERM else terms.get(term)
        if not is_same_value(term, stands, cell, asset.derived_terms):
            values[term] = cell
        elif not cell.strip() and isinstance(stands, str) and identifies_nothing(stands):
            # A placeholder of former times goes with the next change, but is none by itself.
            cleared[term] = cell
    values |= cleared if values else {}
    version = (row.get(VERSION) or "").strip()
    return ProposedChange(asset, values, version or None)


def _check(actor: Actor, changes: list[ProposedChange], date_moved: bool, dry_run: bool) -> None:
    """Judge changes of assets of one schema version together; what other records say is asked only where any might."""
    first = changes[0].asset
    raws = [merge_terms(change.asset, change.values) for change in changes]
    schemas = catalogue(first)
    context = rule_context(first, effective_date_changed=date_moved, current=schemas)
    extra = {name for raw in raws for name in raw if name in context.reference.attribute_terms}
    columns = {name: pl.Series([text_of(raw.get(name)) for raw in raws], dtype=pl.String) for name in (*CORE, *extra)}
    nested = pl.Series([_as_json(raw.get(ATTRIBUTES_TERM)) for raw in raws], dtype=pl.String)
    checked = check_assets(pl.DataFrame({**columns, ATTRIBUTES_TERM: nested}), context)
    findings_of_row = findings_by_row(checked.findings)
    for row, (change, values) in enumerate(zip(changes, checked.values.to_dicts(), strict=True)):
        derived = set(values.pop("derived"))
        values[ATTRIBUTES_TERM] = json.loads(values[ATTRIBUTES_TERM])
        change.checked = Conformance(values, findings_of_row.get(row, []), derived, change.asset.schema_version)
    results = [change.checked for change in changes if change.checked]
    hold_against_register(actor, results, [change.asset for change in changes])
    # What may be told of other providers' records, as for new rows of a file.
    replies = answer_questions(actor, [result.question for result in results], from_file=True)
    unchecked: list[ProposedChange] = []
    for change, result, reply in zip(changes, results, replies, strict=True):
        result.withhold(reply)
        _settle(change)
        if change.changes and is_unchecked(result.question, reply, dry_run=dry_run):
            unchecked.append(change)
    if unchecked:
        same_finding = unchecked_finding(actor, unchecked_severity(dry_run=dry_run))
        for change in unchecked:
            change.findings.append(same_finding)


def _as_json(attributes: object) -> str | None:
    if attributes is None or isinstance(attributes, str):
        return attributes
    return json.dumps(attributes, ensure_ascii=False, default=str)


def _settle(change: ProposedChange) -> None:
    """Settle what a row changes, and its findings; a row that changes nothing has none."""
    checked = change.checked
    if checked is None:
        return
    change.changes = settle_changes(change.asset, change.values, checked)
    if not change.changes and not checked.errors:
        return
    if change.asset.status in ENDED_STATUSES:
        change.changes, change.findings = {}, [_ended_finding(change.asset)]
        return
    change.findings += [*checked.errors, *(same.as_finding() for same in checked.same), *checked.warnings]
    if change.version is not None and change.version != str(change.asset.version):
        change.findings.insert(0, _stale(change.asset, change.version))


def _stale(asset: Asset, version: str) -> Finding:
    expected = f"The version that stands now: {asset.version}"
    if not version.isascii() or not version.isdigit() or not 0 < int(version) < asset.version:
        message = f"There is no version {version} of this asset: it stands at version {asset.version}. Export it again."
        return Finding("BULK-02", VERSION, version, expected, message)
    message = conflict(asset, int(version)).message.replace("since you opened it", "since it was exported")
    return Finding("BULK-02", VERSION, version, expected, message)
