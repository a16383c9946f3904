"""Registrations of last evening whose checks have not run yet: the worker is seen at work once the portal starts."""

from typing import Any

from services.assets.registration.register import register_asset
from services.assets.rules.mpan import mpan_check_digit
from services.core.clock import today
from services.workshop.cast import Cast

FIRST_NUMBER = 4_900_000_001
"""Unique numbers of the MPANs given here; those of the portfolios lie below."""
PLACES = (
    ("Ironbeck depot chargers 9", "23", "NPG_YK", 53.795, -1.541, "LS1 4DL"),
    ("Garth forecourt chargers 4", "14", "NGED_WMID", 52.478, -1.898, "B1 1BB"),
    ("Netherby fleet chargers 2", "18", "SPEN_SPD", 55.861, -4.256, "G1 1XQ"),
    ("Orchardleigh hub 7", "22", "NGED_SWEST", 50.722, -3.529, "EX4 3SR"),
)


def just_in(cast: Cast) -> None:
    """Bramble's last registrations, made at its own desk."""
    for number, place in enumerate(PLACES):
        register_asset(cast.providers["bramble"], _charger(number, *place))


def _charger(
    number: int, name: str, distributor: str, dno: str, lat: float, lon: float, postcode: str
) -> dict[str, Any]:
    digits = f"{distributor}{FIRST_NUMBER + number:010d}"
    return {
        "AssetName": name,
        "AssetCategory": "EV_CHARGER",
        "RatedCapacity": "240.00",
        "DemandCapacity": "240.00",
        "FuelType_DemandTechType": "EV",
        "Manufacturer": "Kerbline",
        "AssetModel": "Depot 60",
        "SerialNumber": f"KD60-9{number:05d}",
        "ConnectionStatus": "CONNECTED",
        "ConnectionType": "FIRM",
        "CommissioningDate": "2023-05-11",
        "EffectiveDate": today().isoformat(),
        "DNOConnection": dno,
        "ImportMPAN": f"{digits}{mpan_check_digit(digits)}",
        "Latitude": lat,
        "Longitude": lon,
        "Postcode": postcode,
        "ConnectorType": "CCS",
        "ChargerCount": 4,
        "ChargingMode": "DC",
        "AccessType": "FLEET",
    }
