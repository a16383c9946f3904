"""Every connection of a real register, declared as it stands there, is found and agrees (UC-02.01)."""

from collections import Counter
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from sqlmodel import col

from models.assets import Asset, CheckOutcome
from models.base import new_id
from models.sources import SourceRecord
from services.assets.checks.sources import ask_connection_register
from services.assets.rules.mpan import mpan_check_digit
from services.assets.sources.loading import load_source
from services.core.identity.actor import system_actor
from services.core.transaction import current_session, unit_of_work
from tests.asset_factories import STAMP

pytestmark = pytest.mark.use_case("UC-02.01")


@pytest.fixture
def records(one_register: str, shared: Path) -> list[dict[str, Any]]:
    """The values of every record of the edition of August 2025."""
    name = "ecr-ukpn-2025-08.csv"
    load_source(system_actor(), (shared / "data" / name).read_bytes(), name)
    with unit_of_work(STAMP, writes=False):
        return list(current_session().scalars(select(col(SourceRecord.values))))


def declared(record: dict[str, Any], **changes: Any) -> Asset:
    """An asset whose FSP declares what the register says."""
    rated = Decimal(record["registered_kw"])
    values: dict[str, Any] = {
        "asset_name": "As the register has it",
        "service_provider_id": new_id(),
        "asset_category": record["category"],
        "rated_capacity": rated,
        "gen_capacity": min(rated, Decimal(record.get("export_kw", rated))),
        "demand_capacity": min(rated, Decimal(record.get("import_kw", 0))),
        "installed_capacity": rated,
        "effective_date": date(2030, 1, 1),
        "commissioning_date": date(2015, 1, 1),
        "fuel_type_energy_source": record.get("energy_source"),
        "connection_status": record.get("connection_status", "CONNECTED"),
        "connection_type": "FIRM",
        "dno_connection": record.get("dno_code"),
        "export_mpan": next(iter(record.get("export_mpans", ())), None),
        "import_mpan": next(iter(record.get("import_mpans", ())), None),
        "latitude": record.get("latitude"),
        "longitude": record.get("longitude"),
        "position_source": "coordinates",
        "postcode": record.get("postcode"),
    }
    return Asset(**values | changes)


def listed(records: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Those with an MPAN and a capacity that the register says anything about."""
    return [row for row in records if row.get("export_mpans") and Decimal(row.get("registered_kw", 0)) >= 50]


def test_each_connection_with_an_mpan_is_found_and_agrees(records: list[dict[str, Any]]) -> None:
    """No false alarm in a whole register."""
    answers = [ask_connection_register(system_actor(), declared(row)) for row in listed(records)]
    assert len(answers) > 500
    assert Counter((answer.outcome, answer.matched_by) for answer in answers) == {
        (CheckOutcome.AGREES, "MPAN"): len(answers)
    }


def test_double_the_capacity_never_passes(records: list[dict[str, Any]]) -> None:
    """An overstated capacity is seen wherever one connection has one record."""
    single = [row for row in listed(records) if "#" not in row["key"] and len(row.get("categories", [1])) == 1]
    shared = Counter(mpan for row in listed(records) for mpan in row["export_mpans"])
    alone = [row for row in single if all(shared[mpan] == 1 for mpan in row["export_mpans"])]
    assert len(alone) > 300
    for row in alone:
        twice = declared(row, rated_capacity=Decimal(row["registered_kw"]) * 2)
        assert ask_connection_register(system_actor(), twice).outcome is CheckOutcome.DIFFERS, row["key"]


def test_a_place_can_vouch_but_not_accuse(records: list[dict[str, Any]]) -> None:
    """Without an MPAN, the record at the same place with the same technology agrees, or is only named."""
    battery = next(row for row in records if row["key"] == "MPAN:1050001382531")
    without = {"export_mpan": None, "import_mpan": None}
    found = ask_connection_register(system_actor(), declared(battery, **without))
    assert (found.outcome, found.matched_by) == (CheckOutcome.AGREES, "position and technology")
    other = declared(battery, **without, rated_capacity=Decimal(90_000))
    answer = ask_connection_register(system_actor(), other)
    assert (answer.outcome, answer.expected) == (CheckOutcome.NOT_FOUND, True)
    assert "50,000.00 kW" in answer.summary


def test_behind_an_independent_network_absence_says_nothing(records: list[dict[str, Any]]) -> None:
    """The host DNO's register doesn't list what stands behind another network's meter."""
    digits = "240000000001"
    battery = next(row for row in records if row["key"] == "MPAN:1050001382531")
    place = {"latitude": 52.9, "longitude": 0.9, "postcode": None}
    inside = declared(battery, **place, export_mpan=f"{digits}{mpan_check_digit(digits)}")
    assert ask_connection_register(system_actor(), inside).outcome is CheckOutcome.NOT_APPLICABLE
