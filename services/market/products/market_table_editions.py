"""Editions of the tables: read by everyone, and published anew by the administrator with source and date (UC-04.01)."""

import re
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from sqlalchemy import select
from sqlmodel import col

from models.products import MarketTable, MarketTableKind
from services.core.clock import now, today
from services.core.errors import Conflict, Finding, Invalid, NotFound
from services.core.identity.actor import Actor
from services.core.identity.visibility import visible
from services.core.jobs.outbox import emit
from services.core.operation import operation
from services.core.transaction import current_session
from services.market.products.catalogue import whole_catalogue
from services.market.products.document import CODE
from services.market.products.market_tables import Stacking, table_in_force

HEADINGS: dict[MarketTableKind, tuple[str, ...]] = {
    MarketTableKind.EQUIVALENCES: ("FromProduct", "ToProduct", "Note"),
    MarketTableKind.STACKING: ("ProductA", "ProductB", "CoDelivery", "Splitting", "Jumping"),
}
MODES = ("CoDelivery", "Splitting", "Jumping")
LONGEST_NOTE, LONGEST_SOURCE, LONGEST_REASON, SHORTEST, MOST_ROWS = 300, 300, 1000, 10, 10_000
TABLE_PUBLISHED = "market.table_published"


@operation("UC-04.01", permission="product.read", writes=False, name="market_table")
def market_table(actor: Actor, kind: MarketTableKind, edition: int | None = None) -> MarketTable:
    """An edition of a table, or the one in force. Raises NotFound."""
    if edition is None:
        return table_in_force(kind)
    chosen = select(MarketTable).where(col(MarketTable.kind) == kind, visible(MarketTable, actor))
    found = current_session().scalar(chosen.where(col(MarketTable.edition) == edition))
    if found is None:
        raise NotFound("edition", f"{kind}, {edition}")
    return found


@operation("UC-04.01", permission="product.read", writes=False, name="table_editions")
def table_editions(actor: Actor, kind: MarketTableKind) -> list[MarketTable]:
    """All editions of a table, the newest first."""
    chosen = select(MarketTable).where(col(MarketTable.kind) == kind, visible(MarketTable, actor))
    return list(current_session().scalars(chosen.order_by(col(MarketTable.edition).desc())))


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
    standing = table_in_force(kind)
    if standing.edition != edition:
        words = (
            f"Edition {standing.edition} was published since you read edition {edition}. Look at it, then try again."
        )
        raise Conflict(words, current={"Edition": standing.edition})
    cleaned = [_cleaned(kind, row) for row in rows[:MOST_ROWS]]
    findings = [*_wrong_heading(source, source_date, reason), *_wrong_rows(kind, cleaned, len(rows))]
    if not findings and cleaned == standing.rows:
        wanted = f"rows that differ from edition {edition}"
        findings = [Finding("TABLE-01", None, None, wanted, f"Nothing would change. Give {wanted}.")]
    if findings:
        raise Invalid(findings)
    made = MarketTable(
        kind=kind,
        edition=edition + 1,
        published_at=now(),
        source=source.strip(),
        source_date=source_date,
        reason=reason.strip(),
        rows=cleaned,
    )
    current_session().add(made)
    current_session().flush()
    emit(TABLE_PUBLISHED, made, organisation_id=None, payload={"kind": str(kind), "edition": made.edition})
    return made


def table_changes(
    kind: MarketTableKind, before: Sequence[Mapping[str, Any]], after: Sequence[Mapping[str, Any]]
) -> int:
    """How many rows differ between two editions: added, taken away or changed."""
    names = HEADINGS[kind]
    old, new = ({(row[names[0]], row[names[1]]): dict(row) for row in rows} for rows in (before, after))
    return sum(1 for key in old.keys() | new.keys() if old.get(key) != new.get(key))


def _cleaned(kind: MarketTableKind, row: Mapping[str, Any]) -> dict[str, str]:
    return {name: str(row.get(name) or "").replace("\x00", "").strip() for name in HEADINGS[kind]}


def _wrong_heading(source: str, source_date: date, reason: str) -> list[Finding]:
    found = []
    if not 3 <= len(source.strip()) <= LONGEST_SOURCE:
        found.append(_finding("TABLE-02", "Source", source, f"3 to {LONGEST_SOURCE} characters: where it is published"))
    if source_date > today():
        found.append(_finding("TABLE-03", "SourceDate", source_date.isoformat(), "a date up to today"))
    if not SHORTEST <= len(reason.strip()) <= LONGEST_REASON:
        found.append(_finding("TABLE-04", "Reason", reason, f"a reason of {SHORTEST} to {LONGEST_REASON:,} characters"))
    return found


def _wrong_rows(kind: MarketTableKind, rows: Sequence[Mapping[str, str]], given: int) -> list[Finding]:
    if not 0 < given <= MOST_ROWS:
        return [_finding("TABLE-05", "rows", str(given), f"1 to {MOST_ROWS:,} rows")]
    first, second = HEADINGS[kind][:2]
    products = set(whole_catalogue().products)
    found, seen = [], set()
    for number, row in enumerate(rows, start=1):
        where, pair = f"rows[{number}]", (row[first], row[second])
        shown = " and ".join(one or "nothing" for one in pair)
        found += _wrong_pair(kind, pair, where, products)
        key = pair if kind is MarketTableKind.EQUIVALENCES else tuple(sorted(pair))
        if key in seen:
            found.append(_finding("TABLE-06", where, shown, "each pair once"))
        seen.add(key)
        found += [
            _finding("TABLE-07", f"{where}.{mode}", row[mode], f"one of {', '.join(Stacking)}")
            for mode in MODES
            if kind is MarketTableKind.STACKING and row[mode] not in set(Stacking)
        ]
        if len(row.get("Note", "")) > LONGEST_NOTE:
            found.append(_finding("TABLE-08", f"{where}.Note", row["Note"], f"at most {LONGEST_NOTE} characters"))
    return found[:200]


def _wrong_pair(kind: MarketTableKind, pair: tuple[str, str], where: str, products: set[str]) -> list[Finding]:
    first, second = HEADINGS[kind][:2]
    if pair[0] == pair[1]:
        return [_finding("TABLE-09", where, pair[0], "two different codes")]
    if kind is MarketTableKind.EQUIVALENCES:
        known = "the code of a product in the catalogue"
        wrong = [(name, code) for name, code in zip((first, second), pair, strict=True) if code not in products]
    else:
        known = "2 to 20 capital letters and digits, a letter first"
        wrong = [(name, code) for name, code in zip((first, second), pair, strict=True) if not re.match(CODE, code)]
    return [_finding("TABLE-10", f"{where}.{name}", code, known) for name, code in wrong]


def _finding(code: str, field: str, given: str, expected: str) -> Finding:
    return Finding(code, field, given[:200] or None, expected, f"Give {expected}.")
