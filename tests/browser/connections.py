"""A connection register as distributors publish it, and the batteries that stand in it, read without the code under test."""

import csv
import re
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path

from services.assets.rules.mpan import is_valid_mpan
from tests.conftest import SHARED

REAL = SHARED / "data" / "ecr-ukpn-2025-08.csv"
MADE_UP = Path(__file__).parents[1] / "data" / "sources" / "ecr-test-2025-08.csv"
REGISTERED = "Energy Source & Energy Conversion Technology 1 - Registered Capacity (MW)"
EXPORT, IMPORT = "Already Connected - Maximum Export Capacity (MW)", "Already Connected - Maximum Import Capacity (MW)"
MPAN = "Export MPAN / MSID"


@dataclass(frozen=True, slots=True)
class Battery:
    """A battery of the register; capacity in kW, the same to export and to import."""

    site: str
    mpan: str
    kw: Decimal
    postcode: str
    latitude: Decimal
    longitude: Decimal
    connected_on: date

    @property
    def mistyped(self) -> str:
        """Its MPAN with the last digit wrong."""
        return f"{self.mpan[:-1]}{(int(self.mpan[-1]) + 1) % 10}"


def published_file() -> Path:
    """The real register of UK Power Networks where it is, else three made-up rows in the same form."""
    return REAL if REAL.exists() else MADE_UP


def rows_of(file: Path) -> list[dict[str, str]]:
    """Every row as published."""
    with file.open(encoding="utf-8-sig", newline="") as lines:
        return list(csv.DictReader(lines))


def batteries_of(file: Path) -> list[Battery]:
    """The connected batteries with one sound MPAN that no other row has, in the order of the register."""
    rows = rows_of(file)
    mpans = [row[MPAN].strip() for row in rows]
    return [
        _battery(row)
        for row, mpan in zip(rows, mpans, strict=True)
        if "Batteries" in row["Energy Conversion Technology 1"]
        and row["Connection Status"].strip() == "Connected"
        and is_valid_mpan(mpan)
        and mpans.count(mpan) == 1
        and not row["Energy Source 2"].strip()
        and row["Latitude"]
        and re.fullmatch(r"[A-Z]{1,2}[0-9][A-Z0-9]? [0-9][A-Z]{2}", row["Postcode"])
        and row[REGISTERED] == row[EXPORT] == row[IMPORT]
    ]


def _battery(row: dict[str, str]) -> Battery:
    return Battery(
        site=row["Customer Site"].strip(),
        mpan=row[MPAN].strip(),
        kw=Decimal(row[REGISTERED]) * 1000,
        postcode=row["Postcode"],
        latitude=Decimal(row["Latitude"]),
        longitude=Decimal(row["Longitude"]),
        connected_on=date.fromisoformat(row["Date Connected"]),
    )
