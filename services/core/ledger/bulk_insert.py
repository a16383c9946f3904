"""Many new records at once, each with its ledger entry: column by column, the same text and hash as one by one."""

import hashlib
from collections.abc import Iterator, Sequence
from datetime import datetime
from decimal import Decimal
from json.encoder import encode_basestring
from typing import Any
from uuid import UUID

import polars as pl
from sqlalchemy.orm import Session as OrmSession

from models.base import Recorded
from models.core import LedgerEntry
from services.core.audit_context import WRITES, NoTransaction, Stamp
from services.core.canonical_json import canonical
from services.core.clock import now
from services.core.db.bulk_insert import Puts
from services.core.db.columns import Column, Columns, Ids, Json, Same, as_columns, each, first_of, values_of
from services.core.ledger.canonical import GENESIS, PRIVATE, SAID, SECRET, as_hashed, columns_of
from services.core.ledger.writer import begin_writing, said_of_all, table_of
from services.core.reactions import Derive, reactions


def insert_recorded(session: OrmSession, model: type[Recorded], rows: Sequence[dict[str, Any]]) -> None:
    """`insert_columns` for records that stand as rows. Raises ValueError where a row lacks or adds a column."""
    if rows:
        insert_columns(session, model, as_columns(rows), len(rows))


def insert_columns(
    session: OrmSession,
    model: type[Recorded],
    columns: Columns,
    count: int,
    moment: datetime | None = None,
    puts: Puts | None = None,
) -> None:
    """Insert `count` new records at once, each with its entry: without an object, or a row, for each record.

    There is a column for every one of the model but `version`, `recorded_at`, `recorded_by` and derived ones, which are set
    here; `moment` is now unless it is told. With `puts` they are written when these are sent.
    Raises ValueError for other columns, NoTransaction outside an operation that writes.
    """
    stamp = begin(session)
    kind, moment = model.record_type(), moment or now()
    complete = completed(kind, columns, count, stamp.actor.user_id, moment)
    if not count:
        return
    rows = puts or Puts(session.connection())
    rows.add(table_of(model), lambda: complete, count)
    rows.add(table_of(LedgerEntry), lambda: entries(kind, complete, count, stamp, Same(GENESIS)), count)
    rows.meanwhile(lambda: tell_inserted(session, model, complete, count))
    if puts is None:
        rows.send()


def begin(session: OrmSession) -> Stamp:
    """Whose name new records are written under; what the session holds is written before them.

    Raises NoTransaction outside an operation that writes.
    """
    stamp = begin_writing(session)
    if not session.info.get(WRITES):
        raise NoTransaction("The register is written inside operations that say they write.")
    # Past the unit of work, which would look at each value once more: these columns are complete.
    session.flush()
    return stamp


def tell_inserted(session: OrmSession, model: type[Recorded], columns: Columns, count: int) -> None:
    """Tell what reacts to many new records; what goes through a session's objects is seen after its flush."""
    for react in reactions().after_bulk_insert:
        react(session, model, columns, count)


def completed(kind: str, columns: Columns, count: int, writer: UUID | None, moment: datetime) -> dict[str, Column]:
    """The columns with those that are set here. Raises ValueError where one is missing, or one too many."""
    own = {"version": Same(1), "recorded_at": Same(moment), "recorded_by": Same(writer)}
    wanted = set(columns_of(kind)) - set(own)
    if odd := wanted ^ set(columns):
        raise ValueError(f"A row of {kind} lacks or adds {', '.join(sorted(odd))}.")
    complete: dict[str, Column] = {**columns, **own}
    for name, derive in reactions().derived_columns.get(kind, {}).items():
        complete[name] = list(_derived(columns, count, derive))
    return complete


def _derived(columns: Columns, count: int, derive: Derive) -> Iterator[Any]:
    """A derived column, row by row: what works it out asks for other columns by name."""
    at = 0

    def value(name: str) -> Any:
        column = columns[name]
        return column.value if isinstance(column, Same) else column[at]

    while at < count:
        yield derive(value)
        at += 1


def entries(kind: str, columns: Columns, count: int, stamp: Stamp, previous: Column) -> dict[str, Column]:
    """The ledger's entry of each record as it stands in these columns, after the entry whose hash stands in `previous`.

    As columns; `writer.append` writes them one by one. Every column of the kind is there, with `recorded_at` the same for
    all.
    """
    moment = columns["recorded_at"]
    assert isinstance(moment, Same)
    said = said_of_all(stamp, moment.value)
    # The parts of `SAID` between a record's version and its state, which are the same for all.
    common = canonical([as_hashed(name, said[name]) for name in SAID if name in said])[1:-1]
    identifiers = columns["id"]
    ids = identifiers.texts if isinstance(identifiers, Ids) else list(map(str, values_of(identifiers, count)))
    texts = state_texts(kind, {**columns, "id": Ids(ids)})
    rows = zip(*(values_of(one, count) for one in (previous, ids, columns["version"], texts)), strict=True)
    hashed = (
        f'{before}\n["{kind}","{one}",{version},{common},{encode_basestring(state)}]'
        for before, one, version, state in rows
    )
    return {
        "record_type": Same(kind),
        "record_id": Ids(ids),
        "version": columns["version"],
        **{name: Same(value) for name, value in said.items()},
        "state": texts,
        "previous_hash": previous,
        "hash": [hashlib.sha256(text.encode()).hexdigest() for text in hashed],
    }


def state_texts(kind: str, columns: Columns) -> list[str]:
    """The state of each record as the ledger writes it: `state.canonical` of `state.state_of`, letter for letter.

    At least the identifiers differ from row to row. Raises ValueError for a kind of record that has private or secret columns:
    these are written one by one.
    """
    names = columns_of(kind)
    if guarded := {PRIVATE, *SECRET} & set(names):
        raise ValueError(f"A {kind} is written one by one: of {', '.join(guarded)} the ledger keeps a digest.")
    said: dict[str, pl.Series] = {}
    parts: list[pl.Expr] = []
    same = "{"
    for name in sorted(names):
        column = columns[name]
        if isinstance(column, Same):
            same += "" if column.value is None else f'"{name}":{_json(column.value)},'
            continue
        said[name], is_plain = _jsons(column)
        value = '"{}"' if is_plain else "{}"
        parts += [pl.lit(same), pl.format(f'"{name}":{value},', pl.col(name))]
        same = ""
    if same:
        parts.append(pl.lit(same.removesuffix(",") + "}"))
    whole = pl.concat_str(parts, ignore_nulls=True)
    if not same:
        whole = pl.concat_str(whole.str.strip_suffix(","), pl.lit("}"))
    return pl.DataFrame(said).select(whole).to_series().to_list()


def _jsons(column: Json | Ids | Sequence[Any] | pl.Series) -> tuple[pl.Series, bool]:
    """The values of a column in JSON, null where there is none; and whether they still lack the marks around a text."""
    match column:
        case Json():
            return pl.Series(column.texts, dtype=pl.String), False
        case Ids():
            return pl.Series(column.texts, dtype=pl.String), True
        case pl.Series() if column.dtype == pl.String and not column.str.contains(_ESCAPED).any():
            return column, True
        case pl.Series() if column.dtype == pl.Decimal:
            return column.cast(pl.String), True
    values = column.to_list() if isinstance(column, pl.Series) else column
    # The kinds that fill most columns, without a call for each value.
    match first_of(values):
        case float():
            texts = [None if value is None else repr(value) for value in values]
        case Decimal():
            texts = [None if value is None else f'"{value:.2f}"' for value in values]
        case str():
            texts = [None if value is None else encode_basestring(value) for value in values]
        case _:
            texts = each(values, _json)
    return pl.Series(texts, dtype=pl.String), False


def _json(value: Any) -> str | None:
    if value is None:
        return None
    return f'"{value}"' if type(value) is UUID else canonical(value)


_ESCAPED = r'["\\\x00-\x1f]'
"""Characters that JSON doesn't write as they are."""
