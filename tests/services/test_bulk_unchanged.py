"""Rows that speak of registered assets: told apart for a whole run at once, exactly as one by one (UC-02.03, bulk)."""

import pytest

from services.assets.registration import register_asset
from tests.asset_factories import values_for
from tests.bulk_files import assets, counts, csv_of, send
from tests.factories import make_fsp


@pytest.mark.use_case("UC-02.03")
def test_an_attribute_that_one_row_gives_for_the_first_time_takes_none_from_the_others(register: str) -> None:
    actor = make_fsp()
    has = register_asset(actor, values_for("EV_CHARGER", FriendlyCode="A", ChargerCount=3))
    lacks = register_asset(actor, values_for("EV_CHARGER", FriendlyCode="B"))
    rows = [
        {"FriendlyCode": "A", "AssetModel": "Newer", "ChargerCount": "3"},
        {"FriendlyCode": "B", "AssetModel": "Newer", "ChargerCount": "2"},
    ]
    assert counts(send(actor, csv_of(rows))) == {"updated": 2}
    found = {asset.id: asset.category_attributes for asset in assets()}
    assert found == {has.id: {"ChargerCount": 3}, lacks.id: {"ChargerCount": 2}}
