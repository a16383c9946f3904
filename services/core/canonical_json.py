"""Canonical JSON: one text for one value, so that equal states have equal hashes."""

import json
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum
from typing import Any
from uuid import UUID


def plain(value: Any) -> Any:
    """Turn a value of a model into one that JSON has."""
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="microseconds")
    if isinstance(value, Decimal):
        return f"{value:.2f}"
    if isinstance(value, (UUID, date)):
        return str(value)
    return value


_ENCODER = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=plain)


def canonical(value: Any) -> str:
    """JSON with sorted keys and no spaces: the text over which hashes are taken."""
    return _ENCODER.encode(value)
