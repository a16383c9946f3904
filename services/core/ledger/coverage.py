"""Coverage of verification: every table of the register, how it is held against the ledger, or why it is outside."""

from enum import StrEnum
from typing import NamedTuple

from models import metadata
from services.core.ledger.canonical import recorded_models
from services.core.ledger.log_digests import EDITIONS, NUMBERED_LOGS
from services.core.reactions import reactions


class CoverageKind(StrEnum):
    """Ways of holding a table against the ledger."""

    LEDGERED = "ledgered"
    """Every change is an entry; the row is held against its last one."""
    CHAINED = "the ledger itself"
    SEALED = "digest under the seals"
    """Rows are written once; each run of them has its digest in a seal."""
    CONTENT = "digest in the ledger"
    """Bytes, whose digest a ledgered record holds."""
    DERIVED = "worked out"
    """Recomputed from records and compared."""
    OUTSIDE = "outside"


class TableCoverage(NamedTuple):
    """The coverage of one table; `reason` says why it is outside, else it is empty."""

    kind: CoverageKind
    reason: str = ""


OUTSIDE = {
    "asset_draft": "Working material of one person; what becomes of it is a record.",
    "bulk_job": "Working material, removed after a time; each asset that comes of it has its own entry.",
    "bulk_chunk": "Rows of a file on their way; each asset that comes of them has its own entry.",
    "bulk_draft": "Working material until it is completed.",
    "bulk_mapping": "A convenience: what headings meant last time. Each file's mapping is confirmed anew.",
    "event_delivery": "The worker's list of what to do: it changes with each attempt. The events themselves are sealed.",
    "periodic_run": "When jobs are next due; a job that doesn't come is told by its alarm.",
    "qualification_notice": "Keeps a notice from coming twice; the notices themselves are events, which are sealed.",
    "withheld_notice": "Notices that wait for an hour's room, and go once they are given: each is an event then.",
    "statistics_edition": "Figures of a day, made from the register under disclosure control; the next edition replaces them.",
    "saved_view": "A convenience of one person: filters of a list under a name.",
    "form_draft": "Working material of one person; what becomes of it is a record.",
    "export_job": "How far an export has come; the file is held against the digest in its ledgered record.",
}
"""Tables that verification doesn't hold against anything, with the reason."""


def table_coverage() -> dict[str, TableCoverage]:
    """The coverage of each table by name; a table that is missing here is a mistake, which a test finds."""
    coverage = {name: TableCoverage(CoverageKind.OUTSIDE, reason) for name, reason in OUTSIDE.items()}
    coverage |= {model.record_type(): TableCoverage(CoverageKind.LEDGERED) for model in recorded_models()}
    coverage |= {name: TableCoverage(CoverageKind.SEALED) for name in (*NUMBERED_LOGS, EDITIONS)}
    for check in reactions().table_checks:
        kind = CoverageKind.CONTENT if check.kind.name == "CONTENT_ALTERED" else CoverageKind.DERIVED
        coverage |= {name: TableCoverage(kind) for name in check.tables if name not in coverage}
    coverage["ledger_entry"] = TableCoverage(CoverageKind.CHAINED)
    return coverage


def uncovered_tables() -> set[str]:
    """Tables of the models that nothing holds against the ledger and no reason excuses."""
    return set(metadata.tables) - set(table_coverage())
