"""Editions of the market tables: read by everyone, published by the administrator with source and date (UC-04.01)."""

import re
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from sqlalchemy import select
from sqlmodel import col

from models.events import EventType
from models.products import MarketTable, MarketTableKind
from services.core.clock import now, today
from services.core.errors import Conflict, Finding, Invalid, NotFound
from services.core.identity.actor import Actor
from services.core.identity.visibility import visible
from services.core.jobs.outbox import emit
from services.core.operation import operation
from services.core.text import clean_text
from services.core.transaction import current_session
from services.market.products.catalogue import load_catalogue
from services.market.products.document import CODE
from services.market.products.market_tables import Stacking, load_table_in_force

HEADINGS: dict[MarketTableKind, tuple[str, ...]] = {
    MarketTableKind.EQUIVALENCES: ("FromProduct", "ToProduct", "Note"),
    MarketTableKind.STACKING: ("ProductA", "ProductB", "CoDelivery", "Splitting", "Jumping"),
}
MODES = ("CoDelivery", "Splitting", "Jumping")
LONGEST_NOTE, LONGEST_SOURCE, LONGEST_REASON, SHORTEST, MOST_ROWS = 300, 300, 1000, 10, 10_000


@operation("UC-04.01", permission="product.read", writes=False, name="market_table")
def market_table(actor: Actor, kind: MarketTableKind, edition: int | None = None) -> MarketTable:
    """Return an edition of a table, or the one in force (None). Raises NotFound."""
    if edition is None:
        return load_table_in_force(kind)
    query = select(MarketTable).where(col(MarketTable.kind) == kind, visible(MarketTable, actor))
    table = current_session().scalar(query.where(col(MarketTable.edition) == edition))
    if table is None:
        raise NotFound("edition", f"{kind}, {edition}")
    return table


@operation("UC-04.01", permission="product.read", writes=False, name="table_editions")
def table_editions(actor: Actor, kind: MarketTableKind) -> list[MarketTable]:
    """List all editions of a table, newest first."""
    query = select(MarketTable).where(col(MarketTable.kind) == kind, visible(MarketTable, actor))
    return list(current_session().scalars(query.order_by(col(MarketTable.edition).desc())))


@operation("UC-04.01", permission="product.decide", name="publish_table")
def publish_table(
    actor: Actor,
    kind: MarketTableKind,
    rows: Sequence[Mapping[str, Any]],
    *,
    source: str,
    source_date: date,
    reason: str,
    edition: int,
) -> MarketTable:
    """Publish the next edition, in force at once; earlier ones stay to be read. Rows have the terms of `HEADINGS`.

    `edition` is the one that the actor started from: Conflict when another is in force by now. Raises Invalid with
    everything that is wrong.
    """
    current = load_table_in_force(kind)
    if current.edition != edition:
        message = (
            f"Edition {current.edition} was published since you read edition {edition}. Look at it, then try again."
        )
        raise Conflict(message, current={"Edition": current.edition})
    clean_rows = [_clean_row(kind, row) for row in rows[:MOST_ROWS]]
    findings = [*_check_heading(source, source_date, reason), *_check_rows(kind, clean_rows, len(rows))]
    if not findings and clean_rows == current.rows:
        expected = f"rows that differ from edition {edition}"
        findings = [Finding("TABLE-01", None, None, expected, f"Nothing would change. Give {expected}.")]
    if findings:
        raise Invalid(findings)
    table = MarketTable(
        kind=kind,
        edition=edition + 1,
        published_at=now(),
        source=source.strip(),
        source_date=source_date,
        reason=reason.strip(),
        rows=clean_rows,
    )
    current_session().add(table)
    current_session().flush()
    emit(
        EventType.MARKET_TABLE_PUBLISHED,
        table,
        organisation_id=None,
        payload={"kind": str(kind), "edition": table.edition},
    )
    return table


def count_table_changes(
    kind: MarketTableKind, before: Sequence[Mapping[str, Any]], after: Sequence[Mapping[str, Any]]
) -> int:
    """Count the rows that differ between two editions: added, removed or changed."""
    names = HEADINGS[kind]
    old, new = ({(row[names[0]], row[names[1]]): dict(row) for row in rows} for rows in (before, after))
    return sum(1 for key in old.keys() | new.keys() if old.get(key) != new.get(key))


def _clean_row(kind: MarketTableKind, row: Mapping[str, Any]) -> dict[str, str]:
    return {name: clean_text(str(row.get(name) or "")) for name in HEADINGS[kind]}


def _check_heading(source: str, source_date: date, reason: str) -> list[Finding]:
    findings = []
    if not 3 <= len(source.strip()) <= LONGEST_SOURCE:
        findings.append(
            _build_finding("TABLE-02", "Source", source, f"3 to {LONGEST_SOURCE} characters: where it is published")
        )
    if source_date > today():
        findings.append(_build_finding("TABLE-03", "SourceDate", source_date.isoformat(), "a date up to today"))
    if not SHORTEST <= len(reason.strip()) <= LONGEST_REASON:
        findings.append(
            _build_finding("TABLE-04", "Reason", reason, f"a reason of {SHORTEST} to {LONGEST_REASON:,} characters")
        )
    return findings


def _check_rows(kind: MarketTableKind, rows: Sequence[Mapping[str, str]], row_count: int) -> list[Finding]:
    if not 0 < row_count <= MOST_ROWS:
        return [_build_finding("TABLE-05", "rows", str(row_count), f"1 to {MOST_ROWS:,} rows")]
    first, second = HEADINGS[kind][:2]
    products = set(load_catalogue().products)
    findings, seen_pairs = [], set()
    for number, row in enumerate(rows, start=1):
        field, pair = f"rows[{number}]", (row[first], row[second])
        findings += _check_pair(kind, pair, field, products)
        key = pair if kind is MarketTableKind.EQUIVALENCES else tuple(sorted(pair))
        if key in seen_pairs:
            codes = " and ".join(code or "nothing" for code in pair)
            findings.append(_build_finding("TABLE-06", field, codes, "each pair once"))
        seen_pairs.add(key)
        findings += [
            _build_finding("TABLE-07", f"{field}.{mode}", row[mode], f"one of {', '.join(Stacking)}")
            for mode in MODES
            if kind is MarketTableKind.STACKING and row[mode] not in set(Stacking)
        ]
        if len(row.get("Note", "")) > LONGEST_NOTE:
            findings.append(
                _build_finding("TABLE-08", f"{field}.Note", row["Note"], f"at most {LONGEST_NOTE} characters")
            )
    return findings[:200]


def _check_pair(kind: MarketTableKind, pair: tuple[str, str], field: str, products: set[str]) -> list[Finding]:
    first, second = HEADINGS[kind][:2]
    if pair[0] == pair[1]:
        return [_build_finding("TABLE-09", field, pair[0], "two different codes")]
    if kind is MarketTableKind.EQUIVALENCES:
        expected = "the code of a product in the catalogue"
        wrong = [(name, code) for name, code in zip((first, second), pair, strict=True) if code not in products]
    else:
        expected = "2 to 20 capital letters and digits, a letter first"
        wrong = [(name, code) for name, code in zip((first, second), pair, strict=True) if not re.match(CODE, code)]
    return [_build_finding("TABLE-10", f"{field}.{name}", code, expected) for name, code in wrong]


def _build_finding(code: str, field: str, value: str, expected: str) -> Finding:
    return Finding(code, field, value[:200] or None, expected, f"Give {expected}.")
