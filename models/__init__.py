"""Tables, code lists and states of the register. Import this package to know them all."""

from sqlmodel import SQLModel

from models import (
    assets,
    bulk,
    core,
    exports,
    market_tallies,
    participants,
    personal,
    products,
    qualifications,
    service_windows,
    sources,
    statistics,
    tallies,
    units,
)

metadata = SQLModel.metadata

__all__ = [
    "assets",
    "bulk",
    "core",
    "exports",
    "market_tallies",
    "metadata",
    "participants",
    "personal",
    "products",
    "qualifications",
    "service_windows",
    "sources",
    "statistics",
    "tallies",
    "units",
]
