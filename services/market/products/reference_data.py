"""Sub-markets, procurers and what the catalogue is born with, as data/market/*.csv say it (UC-04.01)."""

import csv
from dataclasses import dataclass
from functools import cache

from models.products import Family
from services.core.settings import ROOT

FOLDER = ROOT / "data" / "market"


@dataclass(frozen=True, slots=True)
class SubMarket:
    """A segment of the market. `family` is None where nothing is qualified through this register."""

    name: str
    family: Family | None
    phase: str
    """go-live, phase-3, or outside: not through this register."""
    description: str


@dataclass(frozen=True, slots=True)
class Procurer:
    """A body that buys products. `dno_codes` are the licence areas it buys in; empty: all of Great Britain."""

    code: str
    name: str
    dno_codes: tuple[str, ...]


def rows_of(file: str) -> list[dict[str, str]]:
    """The rows of one file of data/market, by their headings."""
    with (FOLDER / file).open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


@cache
def sub_markets() -> dict[str, SubMarket]:
    """All sub-markets by name, in their order."""
    return {
        row["SubMarket"]: SubMarket(
            row["SubMarket"], Family(row["Family"]) if row["Family"] else None, row["Phase"], row["Description"]
        )
        for row in rows_of("sub_markets.csv")
    }


@cache
def procurers() -> dict[str, Procurer]:
    """All procurers by code, in their order."""
    return {
        row["Code"]: Procurer(row["Code"], row["Name"], tuple(filter(None, row["DnoCodes"].split(";"))))
        for row in rows_of("procurers.csv")
    }
