"""A list of values inside a statement that is the same text however long the list is: compiled and planned once."""

import json
from collections.abc import Iterable
from typing import Any

from sqlalchemy import ColumnElement, String, any_, func, literal, select
from sqlalchemy.dialects.postgresql import ARRAY

from services.core.database import is_sqlite


def among(column: Any, values: Iterable[str]) -> ColumnElement[bool]:
    """That a text column has one of the values."""
    wanted = list(values)
    if is_sqlite():
        rows = func.json_each(literal(json.dumps(wanted), String)).table_valued("value")
        return column.in_(select(rows.c.value))
    return column == any_(literal(wanted, ARRAY(String)))
