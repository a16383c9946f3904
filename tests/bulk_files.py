"""Files of assets as people send them, made from values by ontology term."""

import io
import json
from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl
import xlsxwriter
from sqlalchemy import func, select
from sqlmodel import col

from models.assets import Asset
from models.bulk import BulkJob
from models.core import Event, EventDelivery, LedgerEntry
from services.assets.bulk.pipeline.worker import work_through_jobs
from services.assets.bulk.upload.jobs import Wishes, get_job, submit_file
from services.core.identity.actor import Actor, system_actor
from services.core.transaction import Stamp, unit_of_work

Rows = Sequence[Mapping[str, Any]]


def frame_of(rows: Rows) -> pl.DataFrame:
    """Rows of values as text, one column for each term that any has."""
    terms = list(dict.fromkeys(term for row in rows for term in row))
    columns = {t: [None if row.get(t) is None else str(row[t]) for row in rows] for t in terms}
    return pl.DataFrame(columns, schema=dict.fromkeys(terms, pl.String))


def csv_of(rows: Rows, separator: str = ",") -> bytes:
    """A CSV file in UTF-8."""
    return frame_of(rows).write_csv(separator=separator).encode()


def xlsx_of(rows: Rows) -> bytes:
    """A workbook in which numbers are numbers."""
    buffer = io.BytesIO()
    frame = frame_of(rows)
    with xlsxwriter.Workbook(buffer) as book:
        sheet = book.add_worksheet("Portfolio")
        for place, name in enumerate(frame.columns):
            sheet.write_string(0, place, name)
            for number, text in enumerate(frame[name], 1):
                plain = text is not None and text.replace(".", "", 1).isdigit() and "MPAN" not in name
                if text is not None:
                    _ = (
                        sheet.write_number(number, place, float(text))
                        if plain
                        else sheet.write_string(number, place, text)
                    )
    return buffer.getvalue()


def jsonl_of(rows: Rows) -> bytes:
    """JSON lines, with values as JSON has them."""
    return "\n".join(json.dumps(dict(row), default=str) for row in rows).encode()


def parquet_of(rows: Rows) -> bytes:
    """A Parquet file."""
    buffer = io.BytesIO()
    frame_of(rows).write_parquet(buffer)
    return buffer.getvalue()


def send(actor: Actor, data: bytes, name: str = "portfolio.csv", **wishes: Any) -> BulkJob:
    """Hand a file in, not as a dry run unless asked, and let the worker finish the job."""
    job = submit_file(actor, data, name, Wishes(**{"dry_run": False, **wishes}))
    work_through_jobs()
    return get_job(actor, job.id)


def counts(job: BulkJob) -> dict[str, int]:
    """How many rows became what; what is nought is left out."""
    names = ("registered", "updated", "unchanged", "refused", "draft", "warned")
    return {name: number for name in names if (number := getattr(job, f"rows_{name}"))}


def everything(model: type[Any], *conditions: Any) -> list[Any]:
    """All rows of a table that meet conditions, in the order of their keys."""
    with unit_of_work(Stamp("look", "UC-02.01", system_actor()), writes=False) as session:
        return list(session.scalars(select(model).where(*conditions).order_by(*model.__table__.primary_key.columns)))


def assets() -> list[Asset]:
    """All assets."""
    return everything(Asset)


def entries_of(asset: Asset) -> list[LedgerEntry]:
    """The ledger of an asset."""
    return everything(LedgerEntry, col(LedgerEntry.record_id) == asset.id)


def events_of(asset: Asset) -> list[Event]:
    """The events about an asset."""
    return everything(Event, col(Event.record_id) == asset.id)


def how_many(model: type[Any]) -> int:
    """The number of rows of a table."""
    with unit_of_work(Stamp("look", "UC-02.01", system_actor()), writes=False) as session:
        return session.scalar(select(func.count()).select_from(model)) or 0


def events_owed() -> int:
    """How many times an event has been, or is still to be, handed to a handler."""
    return sum(1 + len(delivery.further) for delivery in everything(EventDelivery))
