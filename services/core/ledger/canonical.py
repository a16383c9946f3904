"""A record as the ledger writes it: canonical JSON text, the same on both databases, and back again."""

import hashlib
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

from sqlalchemy import inspect

import models
from models.base import Recorded
from models.core import LedgerEntry
from services.core.canonical_json import canonical, plain

GENESIS = "0" * 64
"""What stands before the first entry of a record, and before the first seal."""


@lru_cache(maxsize=64)
def columns_of(record_type: str) -> tuple[str, ...]:
    """The names of the columns of a kind of record, in their order; without those worked out from others of the row."""
    attributes = inspect(model_by_type()[record_type]).column_attrs
    return tuple(attribute.key for attribute in attributes if not attribute.columns[0].info.get("derived"))


SECRET = frozenset({"secret_hash"})
"""Columns of which the ledger keeps a digest only: it is read by more people than may see what they guard."""


def _told(name: str, value: Any) -> Any:
    if name in SECRET and value is not None:
        return f"sha256:{hashlib.sha256(str(value).encode()).hexdigest()}"
    return plain(value)


PRIVATE = "only_for"
"""A record with a value here is one organisation's alone, and the ledger is read and exported by others."""


def state_of(record: Recorded) -> dict[str, Any]:
    """The record's columns as plain JSON values; empty ones left out, so that a new column changes no old state.

    Of a private record only a digest of all of that: its chain is verified like any other, and nothing in it can be read.
    """
    values = ((name, _told(name, getattr(record, name))) for name in columns_of(record.record_type()))
    return _withheld({name: value for name, value in values if value is not None})


def _withheld(state: dict[str, Any]) -> dict[str, Any]:
    if PRIVATE not in state:
        return state
    return {"id": state["id"], "withheld": f"sha256:{hashlib.sha256(canonical(state).encode()).hexdigest()}"}


SAID = (
    "record_type", "record_id", "version", "operation", "use_case", "user_id", "client_id", "organisation_id",
    "on_behalf_of", "recorded_at", "state",
)  # fmt: skip
"""What an entry's hash is taken over, in this order. Identifiers as text, "None" where there is none."""
_AS_TEXT = frozenset({"record_id", "user_id", "organisation_id", "on_behalf_of"})


def as_hashed(name: str, value: Any) -> Any:
    """A part of what an entry says as its hash is taken over it."""
    return str(value) if name in _AS_TEXT else value


def hash_of(parts: Mapping[str, Any], previous_hash: str) -> str:
    """SHA-256 over the entry before and everything that `said` says, a value for each name of `SAID`."""
    values = [as_hashed(name, parts[name]) for name in SAID]
    return hashlib.sha256(f"{previous_hash}\n{canonical(values)}".encode()).hexdigest()


def entry_hash(entry: LedgerEntry) -> str:
    """SHA-256 over the entry before and everything this one says."""
    return hash_of({name: getattr(entry, name) for name in SAID}, entry.previous_hash)


def recorded_models() -> Iterator[type[Recorded]]:
    """Every kind of record whose changes the ledger keeps."""
    for mapper in models.assets.Asset._sa_registry.mappers:  # pyright: ignore[reportAttributeAccessIssue]
        if issubclass(mapper.class_, Recorded):
            yield mapper.class_


@lru_cache(maxsize=1)
def model_by_type() -> dict[str, type[Recorded]]:
    """Kinds of record by the name that ledger and events use."""
    return {model.record_type(): model for model in sorted(recorded_models(), key=lambda model: model.__name__)}
