"""Reference data of the market from data/market/*.csv: sub-markets, procurers, seed rows of the catalogue (UC-04.01)."""

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


def read_rows(file: str) -> list[dict[str, str]]:
    """Read the rows of one file of data/market, by heading."""
    with (FOLDER / file).open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


@cache
def sub_markets() -> dict[str, SubMarket]:
    """Return all sub-markets by name, in their order."""
    return {
        row["SubMarket"]: SubMarket(
            row["SubMarket"], Family(row["Family"]) if row["Family"] else None, row["Phase"], row["Description"]
        )
        for row in read_rows("sub_markets.csv")
    }


@cache
def procurers() -> dict[str, Procurer]:
    """Return all procurers by code, in their order."""
    return {
        row["Code"]: Procurer(row["Code"], row["Name"], tuple(filter(None, row["DnoCodes"].split(";"))))
        for row in read_rows("procurers.csv")
    }
