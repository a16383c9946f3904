"""Drafts that an installer has prepared for Bramble: one draft that waits to be completed, one that was given back."""

from typing import Any

from models.base import new_id
from services.assets.registration.submissions import return_draft, submit_draft
from services.assets.rules.mpan import mpan_check_digit
from services.workshop.cast import Cast
from services.workshop.history import Timeline

FIRST_NUMBER = 4_900_001_001
"""Unique numbers of the MPANs given here; no other demo data has them."""
INSTALLER = "kit.rowan@openmeter.example.com"
SENT, GIVEN_BACK = 3, 4
"""Days before the day of seeding."""
NOTE = "Commissioned last week. The customer signs the contract with you on Friday; ask for Ruth at the front desk."
REASON = (
    "The meter number belongs to the flat next door. Please read it again from the meter, and add the serial number."
)


def hand_over(timeline: Timeline, cast: Cast) -> None:
    """Kit Rowan submits two installations, and Bramble gives one of them back."""
    installer, bramble = cast.people[INSTALLER], cast.organisations["bramble"].id
    past, sent = timeline.past, new_id()
    first = _charger(0, "Millrace car park chargers") | {
        "SerialNumber": "KD60-910001",
        "Postcode": "LS1 4DL",
        "Latitude": "53.79500",
        "Longitude": "-1.54100",
        "ConnectorType": "CCS",
        "ChargerCount": "6",
    }

    def submit() -> None:
        nonlocal sent
        sent = submit_draft(installer, _charger(1, "Larch Court chargers"), bramble).id

    def give_back() -> None:
        return_draft(cast.providers["bramble"], sent, REASON)

    def submit_another() -> None:
        submit_draft(installer, first, bramble, NOTE)

    timeline.add(past.moment(GIVEN_BACK, 15, 20), submit)
    timeline.add(past.moment(SENT, 9, 5), give_back)
    timeline.add(past.moment(SENT, 10, 40), submit_another)


def _charger(number: int, name: str) -> dict[str, Any]:
    digits = f"23{FIRST_NUMBER + number:010d}"
    return {
        "AssetName": name,
        "AssetCategory": "EV_CHARGER",
        "RatedCapacity": "360.00",
        "Manufacturer": "Kerbline",
        "AssetModel": "Depot 60",
        "ConnectionStatus": "CONNECTED",
        "DNOConnection": "NPG_YK",
        "ImportMPAN": f"{digits}{mpan_check_digit(digits)}",
    }
