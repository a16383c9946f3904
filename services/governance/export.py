"""Writing assets, organisations or the ledger to a file, by ontology terms (UC-02.04, UC-05.01, UC-05.06).

A CSV opened in a spreadsheet runs no cell as a formula: a text that begins with ``=``, ``+``, ``-``, ``@``, a tab or
a line break gets an apostrophe in front. Numbers stay numbers. JSON lines are exact.
"""

import csv
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlmodel import col

from models.core import LedgerEntry
from models.participants import Organisation
from services.assets.bulk.export.direct import WRITERS as ASSET_WRITERS
from services.assets.bulk.export.direct import export_file
from services.core.access_log import log_access
from services.core.errors import Finding, Invalid
from services.core.identity.actor import Actor
from services.core.identity.permissions import require
from services.core.identity.visibility import visible
from services.core.operation import operation
from services.core.transaction import current_session
from services.participants.reading import as_terms as organisation_terms
from services.participants.rules import ORGANISATION_ATTRIBUTES

RISKY = ("=", "+", "-", "@", "\t", "\r", "\n")
BATCH = 1_000
Row = Mapping[str, Any]


LAST_TERMS = ("StatusReason", "ApprovedAt", "LicenceAreas", "Version", "RecordedAt")
"""What the register itself says of an organisation, after what was declared."""


def export_assets(actor: Actor, path: Path) -> int:
    """Write the assets that the actor may see to `path`, in the order of registration; how many. The ledger keeps it."""
    return export_file(actor, path.suffix.lower().lstrip("."), path)


@operation("UC-05.01", permission="organisation.export", writes=False, name="export_organisations")
def export_organisations(actor: Actor, path: Path) -> int:
    """Write the organisations that the actor may see to `path`, in the order of registration; how many."""
    declared = [attribute.term for attribute in ORGANISATION_ATTRIBUTES]
    rows = (organisation_terms(organisation) for organisation in _stream(Organisation, actor))
    return _write(path, ["FmarOrganisationId", "OrganisationStatus", *declared, *LAST_TERMS], rows)


@operation("UC-05.06", permission="ledger.export", writes=False, name="export_ledger")
def export_ledger(actor: Actor, path: Path) -> int:
    """Write the whole ledger, entry by entry in the order of writing, so that it can be verified elsewhere; how many."""
    columns = list(LedgerEntry.model_fields)
    entries = select(LedgerEntry).order_by(col(LedgerEntry.seq)).execution_options(yield_per=BATCH)
    rows = ({name: getattr(entry, name) for name in columns} for entry in current_session().scalars(entries))
    return _write(path, columns, rows)


EXPORTS: dict[str, tuple[str, Callable[[Actor, Path], int]]] = {
    "assets": ("asset.export", export_assets),
    "organisations": ("organisation.export", export_organisations),
    "ledger": ("ledger.export", export_ledger),
}
"""What can be exported -> its permission, and what does it."""


def export_to(actor: Actor, what: str, path: Path) -> int:
    """Export `what` (assets, organisations or ledger) to a file, CSV or JSON lines by its ending; the number of rows.

    Assets also as XLSX, Parquet or GeoJSON. Who exported what is kept in the access log, of assets in the ledger too. A file
    that breaks off leaves nothing behind under its name. Raises Invalid for anything else, Forbidden for an actor who may
    not export it.
    """
    ending = path.suffix.lower()
    findings: list[Finding] = []
    if what not in EXPORTS:
        expected = ", ".join(EXPORTS)
        message = f"“{what}” can't be exported. Name one of {expected}."
        findings.append(Finding("EXPORT-01", "what", what, expected, message))
    endings = [f".{suffix}" for suffix in ASSET_WRITERS] if what == "assets" else list(WRITERS)
    if ending not in endings:
        expected = f"a name that ends in {' or '.join(endings)}"
        findings.append(Finding("EXPORT-02", "target", path.name, expected, f"Give {expected}."))
    if findings:
        raise Invalid(findings)
    permission, export = EXPORTS[what]
    require(actor, permission)
    if what != "assets":
        log_access(actor, f"{what}.export", detail={"format": ending.lstrip(".")})
    draft = path.with_name(f"{path.stem}.part{ending}")
    try:
        count = export(actor, draft)
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
    return count


def _stream(model: type[Any], actor: Actor) -> Iterator[Any]:
    query = select(model).where(visible(model, actor)).order_by(col(model.id)).execution_options(yield_per=BATCH)
    session = current_session()
    for record in session.scalars(query):
        yield record
        session.expunge(record)


def _write(path: Path, columns: Sequence[str], rows: Iterable[Row]) -> int:
    return WRITERS[path.suffix.lower()](path, columns, rows)


def _write_csv(path: Path, columns: Sequence[str], rows: Iterable[Row]) -> int:
    count = 0
    # The mark at the start is how spreadsheets know that this is UTF-8.
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        lines = csv.writer(file)
        lines.writerow(columns)
        for row in rows:
            lines.writerow([cell(row.get(name)) for name in columns])
            count += 1
    return count


def _write_lines(path: Path, columns: Sequence[str], rows: Iterable[Row]) -> int:
    count = 0
    with path.open("w", encoding="utf-8") as file:
        for row in rows:
            values = {name: row[name] for name in columns if row.get(name) is not None}
            file.write(json.dumps(values, ensure_ascii=False, default=_plain) + "\n")
            count += 1
    return count


WRITERS: dict[str, Callable[[Path, Sequence[str], Iterable[Row]], int]] = {".csv": _write_csv, ".jsonl": _write_lines}


def cell(value: Any) -> str | int | float | Decimal | None:
    """A value as a spreadsheet shows it, harmless: text never begins like a formula, lists and objects are JSON."""
    if value is None or (isinstance(value, Decimal | int | float) and not isinstance(value, bool)):
        return value
    if isinstance(value, list | dict):
        value = json.dumps(value, ensure_ascii=False, default=_plain) if value else ""
    text = _plain(value)
    return f"'{text}" if text.startswith(RISKY) else text


def _plain(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, date):
        return value.isoformat()
    return str(value)
