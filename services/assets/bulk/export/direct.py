"""Exports of assets as filtered, in the format that is wanted, in steady memory (UC-02.04).

Headings are ontology terms. A CSV file that is exported, edited and handed in again changes what was edited and nothing else.
"""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from models.exports import AssetExport
from services.assets.bulk.export.formats import MEDIA_TYPES, WRITERS
from services.assets.bulk.export.rows import Told, batches
from services.assets.filters import AssetFilters, dump_filters
from services.assets.rules.reference import catalogue
from services.core.access_log import log_access
from services.core.errors import Finding, Invalid
from services.core.identity.actor import Actor
from services.core.identity.permissions import require
from services.core.operation import operation
from services.core.transaction import current_session

__all__ = ["MEDIA_TYPES", "WRITERS", "ExportFile", "export_file", "keep_export", "write_assets"]


@dataclass(frozen=True, slots=True)
class ExportFile:
    """File facts of an export: rows, bytes, and the SHA-256 of the whole file."""

    rows: int
    size: int
    sha256: str


def export_file(actor: Actor, file_format: str, path: Path, filters: AssetFilters | None = None) -> int:
    """Write the assets that the actor may see and that pass the filters to `path`, by registration; how many.

    `file_format` is csv, jsonl, xlsx, parquet or geojson. Who exported what, by which filter, how many rows and the digest
    of the file are kept in the ledger and the access log before the file is handed over. Raises Invalid for another format,
    Refused for more rows than a sheet has.
    """
    require(actor, "asset.export")
    require_format(file_format)
    asset_filters = filters or AssetFilters()
    count = write_assets(actor, file_format, path, asset_filters)
    keep_export(actor, file_format, asset_filters, measure_file(path, count))
    return count


def require_format(file_format: str) -> None:
    """Raise Invalid unless assets are exported in this format."""
    if file_format not in WRITERS:
        expected = f"One of {', '.join(WRITERS)}"
        message = f"Assets can't be exported as {file_format}."
        raise Invalid([Finding("EXPORT-03", "format", file_format, expected, message)])


def measure_file(path: Path, rows: int) -> ExportFile:
    """Measure a file that has been written."""
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return ExportFile(rows, path.stat().st_size, digest)


@operation("UC-02.04", permission="asset.export", writes=False, name="write_assets")
def write_assets(actor: Actor, file_format: str, path: Path, filters: AssetFilters, tell: Told | None = None) -> int:
    """The part of an export that reads and writes; how many assets. `tell` hears how many there are so far."""
    terms = sorted(catalogue().reference.attribute_terms)
    return WRITERS[file_format](path, terms, batches(actor, filters, tell))


@operation("UC-02.04", permission="asset.export", name="keep_export")
def keep_export(
    actor: Actor, file_format: str, filters: AssetFilters, file: ExportFile, job_id: UUID | None = None
) -> AssetExport:
    """Keep in the ledger and in the access log that a file was made, before it is handed over."""
    filter_document = dump_filters(filters)
    export = AssetExport(
        organisation_id=actor.organisation_id,
        file_format=file_format,
        filters=filter_document,
        rows=file.rows,
        size=file.size,
        sha256=file.sha256,
        job_id=job_id,
    )
    current_session().add(export)
    detail = {"format": file_format, "filter": filter_document, "rows": file.rows, "sha256": file.sha256}
    log_access(actor, "assets.export", detail=detail)
    return export
