"""Editions of public registers: an older one contradicts no newer asset, and a new one says what it changed (UC-02.01)."""

import csv
import io
from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any

import pytest
import time_machine

from models.assets import Asset, AssetStatus, CheckOutcome, CheckSource
from services.assets.checks.edition_effects import edition_effects
from services.assets.checks.run import checks_of
from services.assets.reading.assets import get_asset
from services.assets.registration.register import register_asset
from services.assets.sources.loading import load_source
from services.core.errors import NotFound
from services.core.identity.actor import Actor, system_actor
from services.core.jobs.worker import work_through
from services.core.settings import ROOT
from tests.asset_factories import an_mpan, battery, make_operator, make_provider

pytestmark = [pytest.mark.use_case("UC-02.01"), pytest.mark.usefixtures("one_register")]
HEADINGS = next(csv.reader(io.StringIO((ROOT / "data/demo/ecr-demo.csv").read_text("utf-8"))))
STORAGE = {
    "Customer Site": "Riverside battery",
    "Country": "England",
    "Location (X-coordinate): Eastings (where data is held)": "545000",
    "Location (y-coordinate): Northings (where data is held)": "258000",
    "Licence Area": "Eastern Power Networks (EPN)",
    "Energy Source 1": "Stored Energy (all stored energy irrespective of the original energy source)",
    "Energy Conversion Technology 1": "Storage - Electrochemical (Batteries)",
}
MW = "Energy Source & Energy Conversion Technology 1 - Registered Capacity (MW)"


def load(day: date, *rows: Mapping[str, str]) -> Any:
    """An edition of UK Power Networks' register with these rows, and what follows from it."""
    text = io.StringIO()
    writer = csv.DictWriter(text, HEADINGS)
    writer.writeheader()
    writer.writerows([{**STORAGE, **row} for row in rows])
    edition = load_source(
        system_actor(), text.getvalue().encode(), "ecr.csv", publisher="UK Power Networks", edition_date=day
    )
    work_through()
    return edition


def row(mpan: str, megawatts: str) -> dict[str, str]:
    connected = {"Connection Status": "Connected", "Already connected Registered Capacity (MW)": megawatts}
    return {"Import MPAN / MSID": mpan, MW: megawatts, "Reference": f"R-{mpan}", **connected}


def registered(actor: Actor, **changes: Any) -> Asset:
    place = {"Latitude": "52.2017", "Longitude": "0.1194", "Postcode": "CB1 2JD"}
    asset = register_asset(actor, battery(**place | changes), justification="Accepted for this test.")
    work_through()
    return get_asset(actor, asset.id)


@pytest.mark.parametrize(
    "changes",
    [
        {"CommissioningDate": "2025-08-01"},
        {"CommissioningDate": "2025-12-01"},
        {"CommissioningDate": None, "ConnectionStatus": "PENDING"},
    ],
)
@pytest.mark.parametrize("listed", [False, True])
def test_an_edition_older_than_the_asset_raises_no_query(changes: dict[str, Any], listed: bool) -> None:
    actor, mpan = make_provider(), an_mpan()
    asset = registered(actor, ImportMPAN=mpan, RatedCapacity="2500", **changes)
    before = asset.status
    far = {"Location (X-coordinate): Eastings (where data is held)": "615000"}
    edition = load(date(2025, 8, 1), row(mpan, "9.9") if listed else row(an_mpan(), "9.9") | far)
    after = get_asset(actor, asset.id)
    assert after.status is before is not AssetStatus.QUERY
    check = {check.source: check for check in checks_of(actor, asset.id)}[CheckSource.CONNECTION_REGISTER]
    if not listed:
        assert "newer than this edition" in (check.summary or "")
    else:
        assert check.outcome is CheckOutcome.NOT_APPLICABLE, "nor does it vouch for the asset"
        told = [comparison["message"] for comparison in check.comparisons if comparison["field"] == "RatedCapacity"]
        assert "newer than this edition" in told[0]
    assert edition_effects(actor, edition.id).changes == []


def test_an_edition_that_could_know_of_the_asset_still_raises_one() -> None:
    actor, mpan = make_provider(), an_mpan()
    asset = registered(actor, ImportMPAN=mpan, RatedCapacity="2500", CommissioningDate="2025-07-31")
    load(date(2025, 8, 1), row(mpan, "9.9"))
    assert get_asset(actor, asset.id).status is AssetStatus.QUERY


def test_a_loaded_edition_says_whose_status_it_changed_and_why() -> None:
    actor, rival, stranger = make_provider(), make_provider("Rival"), make_operator("NPG_YK")
    mpans = [an_mpan() for _ in range(3)]
    with time_machine.travel(datetime(2025, 9, 1, 9, tzinfo=UTC), tick=True):
        load(date(2025, 8, 1), *(row(mpan, "2.5") for mpan in mpans))
        mine, theirs, same = (
            registered(owner, ImportMPAN=mpan, RatedCapacity="2500", AssetName=name, CommissioningDate="2024-01-01")
            for owner, mpan, name in zip((actor, rival, actor), mpans, ("Alpha", "Beta", "Gamma"), strict=True)
        )
        assert {asset.status for asset in (mine, theirs, same)} == {AssetStatus.VERIFIED}
        edition = load(date(2025, 9, 1), row(mpans[0], "9.9"), row(mpans[1], "7.7"), row(mpans[2], "2.55"))
    all_of_it = edition_effects(system_actor(), edition.id)
    assert (all_of_it.begun, all_of_it.checked, all_of_it.waiting) == (True, 3, 0)
    assert [(change.name, change.before, change.after) for change in all_of_it.changes] == [
        ("Alpha", AssetStatus.VERIFIED, AssetStatus.QUERY),
        ("Beta", AssetStatus.VERIFIED, AssetStatus.QUERY),
    ]
    assert "9,900.00 kW" in all_of_it.changes[0].reason
    assert [change.asset_id for change in edition_effects(rival, edition.id).changes] == [theirs.id]
    assert edition_effects(stranger, edition.id).checked == 0
    with pytest.raises(NotFound):
        edition_effects(actor, mine.id)
    back = load(date(2025, 10, 1), row(mpans[0], "2.5"), row(mpans[1], "7.7"), row(mpans[2], "2.55"))
    assert [(change.name, change.after) for change in edition_effects(system_actor(), back.id).changes] == [
        ("Alpha", AssetStatus.VERIFIED)
    ]
    assert len(edition_effects(system_actor(), edition.id).changes) == 2, "history stays"
