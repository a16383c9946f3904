"""A first look at a file, before it is handed in: what its columns hold, and what it lacks (UC-02.01, bulk)."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from uuid import UUID

import polars as pl
from sqlalchemy import select
from sqlmodel import col

from models.bulk import BulkJob
from services.assets.bulk.upload.column_mapping import CODES, REASONS
from services.assets.bulk.upload.jobs import ReadFile, read_file, read_vocabulary
from services.assets.bulk.upload.spellings import DateOrder, DateQuestion
from services.assets.files.formats import FileNotice
from services.assets.files.reader import read_table
from services.assets.rules.check import AssetReference
from services.assets.rules.schemas import CORE_ATTRIBUTES
from services.assets.rules.template_columns import template_columns
from services.assets.sources.wording import squash
from services.core.errors import Invalid
from services.core.identity.actor import Actor
from services.core.identity.permissions import require
from services.core.identity.visibility import visible
from services.core.operation import operation
from services.core.transaction import current_session

NOTHING_KNOWN, TWICE = "FILE-04", "FILE-10"
SAMPLES, LONGEST_SAMPLE, LOOKED_THROUGH = 3, 24, 500


@dataclass(frozen=True, slots=True)
class FileLook:
    """Preview of a file: `columns` heading -> term; `unknown` headings that nobody knows, or that claim what another holds;
    `left_out` those that the organisation left out before.

    `lacking` are terms that every asset needs and no column holds; `samples` a few values by heading, to tell columns by.
    `sent_as` is the latest job that the very same file became; `notices` are about the file as a whole.
    """

    file_format: str
    rows: int
    columns: dict[str, str]
    unknown: list[str]
    lacking: list[str]
    ready_made: str | None
    left_out: list[str] = field(default_factory=list)
    samples: dict[str, str] = field(default_factory=dict)
    sent_as: UUID | None = None
    notices: tuple[FileNotice, ...] = ()
    dates: DateQuestion | None = None
    """What to ask of dates that could be two."""


def look_at_file(actor: Actor, data: bytes, filename: str, columns: Mapping[str, str | None] | None = None) -> FileLook:
    """Read a file as handing it in would, and keep nothing. Raises Invalid for one that can't be used, whatever is said of
    its columns: one of which the register knows no column comes with all of them unknown.
    """
    require(actor, "asset.bulk")
    reference, remembered, last_order = read_vocabulary(actor)
    order = DateOrder(None, last_order)
    read, doubled = _read(data, filename, reference, columns or {}, remembered, order)
    held = {read.table.headings[place]: term for place, term in read.columns.items()}
    always = [attribute.term for attribute in CORE_ATTRIBUTES if attribute.mandatory]
    terms = set(held.values())
    if read.ready_made:
        # What no public register tells of an asset.
        terms = set(always) - {"EffectiveDate"} - ({"ConnectionType"} if read.ready_made == "REPD" else set())
    named = list(dict.fromkeys(heading for heading in read.table.headings if heading))
    unknown = [heading for heading in named if heading in (*read.unknown, *doubled)]
    passed = {squash(heading) for heading, term in {**remembered, **(columns or {})}.items() if term is None}
    return FileLook(
        file_format=read.table.file_format,
        rows=read.table.frame.height,
        columns=held,
        unknown=unknown,
        lacking=[] if "AssetId" in terms else [term for term in always if term not in terms],
        ready_made=read.ready_made,
        left_out=[
            heading_text
            for heading_text in named
            if squash(heading_text) in passed and heading_text not in held and heading_text not in unknown
        ],
        samples={} if read.ready_made else _samples(read),
        sent_as=sent_before(actor, data),
        notices=tuple(notice for notice in read.table.notices if notice.code != "CELL-07"),
        dates=read.dates,
    )


def _read(
    data: bytes,
    filename: str,
    reference: AssetReference,
    chosen_terms: Mapping[str, str | None],
    remembered: Mapping[str, str | None],
    order: DateOrder,
) -> tuple[ReadFile, list[str]]:
    """The file, also where its headings alone say too little; and the headings that claim what another column holds."""
    try:
        return read_file(data, filename, reference, chosen_terms, remembered, order=order), []
    except Invalid as refused:
        codes = {finding.code for finding in refused.findings}
        if codes == {NOTHING_KNOWN}:
            table = read_table(data, filename, lambda _cells: 0)
            return ReadFile(table, {}, list(table.headings), None), []
        doubled = [finding.given for finding in refused.findings if finding.given]
        if codes != {TWICE} or any(squash(heading) in map(squash, chosen_terms) for heading in doubled):
            raise
        without = {**chosen_terms, **dict.fromkeys(doubled)}
        read = read_file(data, filename, reference, without, remembered, order=order)
        keys = [squash(heading) for heading in read.table.headings]
        if any(keys.count(squash(heading)) > 1 for heading in doubled):
            # Headed alike but for signs and capitals: what is said of one would be said of the other.
            raise
        return read, doubled


def _samples(read: ReadFile) -> dict[str, str]:
    """The first values of each column that are not alike."""
    samples: dict[str, str] = {}
    top = read.table.frame.head(LOOKED_THROUGH)
    for place, heading in enumerate(read.table.headings):
        values = top[f"c{place}"].cast(pl.String).str.strip_chars().drop_nulls()
        first = values.filter(values != "").unique(maintain_order=True).head(SAMPLES)
        if heading and heading not in (CODES, REASONS) and len(first):
            samples.setdefault(heading, ", ".join(_shorten(value) for value in first))
    return samples


def _shorten(text: str) -> str:
    return text if len(text) <= LONGEST_SAMPLE else f"{text[: LONGEST_SAMPLE - 1]}…"


@operation("UC-02.01", permission="asset.bulk", writes=False, name="sent_before")
def sent_before(actor: Actor, data: bytes) -> UUID | None:
    """The latest job of the actor's organisation that this very file became, byte for byte."""
    same = (
        col(BulkJob.organisation_id) == actor.organisation_id,
        col(BulkJob.sha256) == hashlib.sha256(data).hexdigest(),
    )
    query = select(col(BulkJob.id)).where(visible(BulkJob, actor), *same)
    return current_session().scalar(query.order_by(col(BulkJob.id).desc()).limit(1))


def attribute_choices() -> dict[str, str]:
    """Term -> label of everything that a column can hold."""
    return {column.term: column.label for column in template_columns(None)}
