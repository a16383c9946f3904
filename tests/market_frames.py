"""Frames of units and products for tests of eligibility, without a register."""

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

import polars as pl

from models.products import Direction, Family, Phase, ProductVersion, Spread
from services.market.products.reference_data import read_rows, sub_markets

UNIT_COLUMNS: Mapping[str, Any] = {
    "unit_id": pl.String,
    "family": pl.String,
    "up": pl.Int64,
    "down": pl.Int64,
    "energy": pl.Int64,
    "response_s": pl.Int64,
    "duration_min": pl.Int64,
    "assets": pl.Int64,
    "accounting_points": pl.Int64,
}
AREA_COLUMNS: Mapping[str, Any] = {
    "unit_id": pl.String,
    "dno_code": pl.String,
    "gsp_group": pl.String,
    "up": pl.Int64,
    "down": pl.Int64,
}


def product(code: str = "P", **changes: Any) -> ProductVersion:
    """A product that asks for nothing but power up, anywhere, from the national operator."""
    asks: dict[str, Any] = {
        "product_version": 1,
        "valid_from": date(2024, 12, 1),
        "name": code,
        "sub_market": "Response",
        "family": Family.RESPONSE,
        "procurers": ["NESO"],
        "direction": Direction.UP,
        "aggregation": Spread.NATIONAL,
        "phase": Phase.GO_LIVE,
        "source": "Test",
        "source_date": date(2024, 12, 1),
    }
    return ProductVersion(code=code, **{**asks, **changes})


def first_catalogue() -> list[ProductVersion]:
    """The products that a register is born with, made from the file alone."""
    return [_from_row(row) for row in read_rows("products.csv")]


def _from_row(row: Mapping[str, str]) -> ProductVersion:
    numbers: dict[str, Any] = {
        "min_capacity": Decimal(row["MinCapacity_kW"]) if row["MinCapacity_kW"] else None,
        "max_capacity": Decimal(row["MaxCapacity_kW"]) if row["MaxCapacity_kW"] else None,
        "full_delivery_s": int(row["FullDelivery_s"]) if row["FullDelivery_s"] else None,
        "min_duration_min": int(row["MinDuration_min"]) if row["MinDuration_min"] else None,
    }
    return product(
        row["Code"],
        name=row["Name"],
        sub_market=row["SubMarket"],
        family=sub_markets()[row["SubMarket"]].family,
        procurers=row["Procurers"].split(";"),
        direction=Direction(row["Direction"]),
        aggregation=Spread(row["Aggregation"]) if row["Aggregation"] else None,
        phase=Phase(row["Phase"]),
        metering=row["Metering"] or None,
        **numbers,
    )


def frames(*units: Mapping[str, Any]) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Units and their areas. Each unit: `places` (GSP group or empty -> kW up, kW down), and other columns as they are."""
    rows, areas = [], []
    for number, given in enumerate(units):
        unit = dict(given)
        places: Mapping[str, Sequence[int]] = unit.pop("places", {"_C": (1000, 1000)})
        name = f"unit-{number}"
        areas += [
            {"unit_id": name, "dno_code": "", "gsp_group": group, "up": up * 100, "down": down * 100}
            for group, (up, down) in places.items()
        ]
        usual = {"family": "RESPONSE", "energy": None, "response_s": 1, "duration_min": 60, "accounting_points": 1}
        sums = {way: sum(place[one] * 100 for place in places.values()) for one, way in enumerate(("up", "down"))}
        rows.append({"unit_id": name, "assets": 1, **usual, **sums, **unit})
    return pl.DataFrame(rows, schema=UNIT_COLUMNS), pl.DataFrame(areas, schema=AREA_COLUMNS)
