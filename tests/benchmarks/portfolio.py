"""A portfolio file to measure by: 28 columns, five categories, five licence areas, and 3 rows in 100 that have to be refused.

Row `n` says the same on every machine. Faults are such that any importer with rules of its own can find them in its own
way: a check digit, a postcode, a number, a code, two values that contradict each other, a device that an earlier row has.
"""

from pathlib import Path

import polars as pl

from services.assets.rules.mpan import mpan_check_digit

FAULTY_IN_100 = (17, 50, 83)
APART = 5_001
"""How far a device stands from the faulty row that claims it again: further than any importer's batch."""
AREAS = (
    ("UKPN_EPN", "10", 52.2053, 0.1218, "CB1 2JD"),
    ("NGED_EMID", "11", 52.9548, -1.1581, "NG1 5DT"),
    ("NGED_WMID", "14", 52.4862, -1.8904, "B1 1BB"),
    ("NPG_YK", "23", 53.8008, -1.5491, "LS1 4AP"),
    ("SSEN_SEPD", "20", 51.4543, -0.9781, "RG1 1LZ"),
)
"""Licence area, distributor, a place within it and its postcode."""
CATEGORIES = ("BESS", "SOLAR_PV", "WIND_TURBINE", "EV_CHARGER", "HEAT_PUMP")
COLUMNS = (
    "AssetName", "FriendlyCode", "AssetCategory", "RatedCapacity", "GenCapacity", "DemandCapacity", "InstalledCapacity",
    "EffectiveDate", "CommissioningDate", "FuelType_EnergySource", "FuelType_DemandTechType", "Manufacturer", "AssetModel",
    "SerialNumber", "ConnectionStatus", "ConnectionType", "DNOConnection", "ImportMPAN", "ExportMPAN", "Latitude",
    "Longitude", "Postcode", "Aliases", "StorageCapacity_kWh", "PeakPower_kWp", "TurbineCount", "ChargerCount",
    "ThermalOutput_kW",
)  # fmt: skip
GENERATES, STORES, DEMANDS = ("SOLAR_PV", "WIND_TURBINE"), ("BESS",), ("EV_CHARGER", "HEAT_PUMP")


def refused_in(rows: int, first: int = 0) -> int:
    """How many of so many rows, from row `first` on, have to be refused."""
    return sum(number % 100 in FAULTY_IN_100 for number in range(first, first + rows))


def write_portfolio(path: Path, rows: int, first: int = 0) -> Path:
    """Write rows `first` to `first + rows` as CSV."""
    lines = (values(number) for number in range(first, first + rows))
    pl.DataFrame(lines, schema=dict.fromkeys(COLUMNS, pl.String), orient="row").write_csv(path)
    return path


def values(number: int) -> list[str | None]:
    """The cells of a row by `COLUMNS`, None for an empty one."""
    row = _sound(number)
    if number % 100 in FAULTY_IN_100:
        _spoil(row, number)
    return [row.get(column) or None for column in COLUMNS]


def _sound(number: int) -> dict[str, str]:
    category = CATEGORIES[number % 5]
    area, distributor, latitude, longitude, postcode = AREAS[number // 5 % 5]
    rated = 5 + number % 4_000 / 4
    row = {
        "AssetName": f"Device {number} of {category.replace('_', ' ').lower()}",
        "FriendlyCode": f"D-{number:07d}",
        "AssetCategory": category,
        "RatedCapacity": f"{rated:.2f}",
        "InstalledCapacity": f"{rated:.2f}",
        "EffectiveDate": "2040-01-01",
        "CommissioningDate": f"20{10 + number % 15}-0{1 + number % 9}-{1 + number % 28:02d}",
        "Manufacturer": f"Ampere Devices {number % 40}",
        "AssetModel": f"AD-{number % 400}",
        "SerialNumber": f"AD-{number:08d}",
        "ConnectionStatus": "CONNECTED",
        "ConnectionType": "NON_FIRM" if number % 7 == 0 else "FIRM",
        "DNOConnection": area,
        "Latitude": f"{latitude + number % 991 / 20_000 - 0.025:.6f}",
        "Longitude": f"{longitude + number % 997 / 20_000 - 0.025:.6f}",
        "Postcode": postcode,
    }
    return row | _technical(category, number, rated, distributor)


def _technical(category: str, number: int, rated: float, distributor: str) -> dict[str, str]:
    """What an asset of the category has to say beside."""
    row: dict[str, str] = {}
    if category in GENERATES + STORES:
        row["GenCapacity"] = f"{rated:.2f}"
        row["ExportMPAN"] = _mpan(distributor, 5_000_000_000 + number)
    if category in DEMANDS + STORES:
        row["DemandCapacity"] = f"{rated:.2f}"
        row["ImportMPAN"] = _mpan(distributor, number)
    match category:
        case "BESS":
            row |= {"FuelType_EnergySource": "GRID", "StorageCapacity_kWh": f"{rated * 2:.1f}"}
        case "SOLAR_PV":
            row |= {"FuelType_EnergySource": "SOLAR", "PeakPower_kWp": f"{rated * 1.2:.1f}"}
        case "WIND_TURBINE":
            row |= {"FuelType_EnergySource": "WIND", "TurbineCount": str(1 + number % 9)}
        case "EV_CHARGER":
            row |= {"FuelType_DemandTechType": "EV", "ChargerCount": str(1 + number % 4)}
            row["Aliases"] = f"EVSE:GB*AMP*E{number}"
        case _:
            row |= {"FuelType_DemandTechType": "HEAT_PUMP", "ThermalOutput_kW": f"{rated * 3:.1f}"}
    return row


def _mpan(distributor: str, number: int) -> str:
    digits = f"{distributor}{number:010d}"
    return f"{digits}{mpan_check_digit(digits)}"


def _spoil(row: dict[str, str], number: int) -> None:
    """Make a row one that has to be refused, each in one of six ways."""
    meter = "ImportMPAN" if row.get("ImportMPAN") else "ExportMPAN"
    match number // 100 % 6:
        case 0:
            row[meter] = f"{row[meter][:12]}{(int(row[meter][12]) + 1) % 10}"
        case 1:
            row["Postcode"] = "C012 5NB"
        case 2:
            row["RatedCapacity"] = f"{row['RatedCapacity']}kVA"
        case 3:
            row["AssetCategory"] = "BATTERY"
        case 4:
            row["InstalledCapacity"] = "1.00"
        case _ if number >= APART:
            row |= {name: _sound(number - APART)[name] for name in ("SerialNumber", "Manufacturer")}
        case _:
            row["AssetName"] = ""
