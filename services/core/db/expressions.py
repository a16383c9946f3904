"""A list of values inside a statement that is the same text however long the list is: compiled and planned once."""

import json
from collections.abc import Iterable
from typing import Any

from sqlalchemy import ColumnElement, String, any_, func, literal, select, text
from sqlalchemy.dialects.postgresql import ARRAY

from services.core.db.engine import is_sqlite
from services.core.transaction import current_session


def among(column: Any, values: Iterable[str]) -> ColumnElement[bool]:
    """That a text column has one of the values."""
    texts = list(values)
    if is_sqlite():
        rows = func.json_each(literal(json.dumps(texts), String)).table_valued("value")
        return column.in_(select(rows.c.value))
    return column == any_(literal(texts, ARRAY(String)))


def by_index() -> None:
    """Have whatever is looked up in the rest of the transaction looked up by an index, where there is one.

    For runs of rows by the thousand: PostgreSQL would rather read a table of 100,000 rows from end to end than look for
    10,000 values in its index, which takes a fifth of the time; and how many rows a table has it doesn't know for a while.
    """
    if not is_sqlite():
        current_session().execute(text("SET LOCAL enable_seqscan = off"))
