"""A cell of a row beside what the register holds: whether it says anything new (UC-02.03, bulk)."""

import json
from collections.abc import Collection
from decimal import Decimal, InvalidOperation
from typing import Any

from services.assets.bulk.files.formats import as_text
from services.assets.rules.prepare import text_of
from services.assets.rules.schemas import ATTRIBUTES_TERM


def says_the_same(term: str, stands: object, cell: str, derived: Collection[str]) -> bool:
    """Whether a cell says of an asset what `stands` there; `derived` has the terms that the register worked out.

    Of `ATTRIBUTES_TERM`, `stands` has all attributes of the category.
    """
    given = cell.strip()
    if term == ATTRIBUTES_TERM:
        return not given or _parsed(given) == stands
    if not given:
        # What the register worked out is worked out again when nothing is given.
        return stands in (None, "", []) or term in derived
    if stands is None or stands == []:
        return False
    if isinstance(stands, list):
        if given.startswith("[") and _parsed(given) == stands:
            return True
        return isinstance(stands[0], str) and given == as_text(stands)
    if isinstance(stands, bool):
        return given.lower() == str(stands).lower()
    if isinstance(stands, Decimal | float | int):
        return given == text_of(stands) or _number(given) == Decimal(str(stands))
    return given == text_of(stands)


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return None


def _number(text: str) -> Decimal | None:
    try:
        return Decimal(text)
    except InvalidOperation:
        return None
