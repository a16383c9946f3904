"""Two providers on one meter: something for both to look at, until it is dealt with (UC-02.01, MPAN-09)."""

from datetime import timedelta

import pytest
import time_machine

from services.assets.registration.deregister import deregister_asset
from services.core.clock import now
from services.governance.waiting import Errand, waiting_assets, what_waits
from tests.asset_factories import battery, registered
from tests.bulk_files import csv_of, send
from tests.factories import administrator, make_fsp

pytestmark = pytest.mark.use_case("UC-02.01")
WHY = {"MPAN-09": "One meter feeds both halves of the site."}


@pytest.mark.both_engines
def test_both_are_told_of_their_own_asset_only_and_no_more_once_either_has_ended(register: str) -> None:
    actor, rival, stranger = make_fsp(), make_fsp(), make_fsp()
    theirs, _apart = registered(rival), registered(rival)
    send(actor, csv_of([battery(AssetName="Alder", ImportMPAN=theirs.import_mpan), battery()]), justifications=WHY)
    (ours,) = waiting_assets(actor, Errand.SHARED)
    assert ours.asset_name == "Alder"
    assert [one.id for one in waiting_assets(rival, Errand.SHARED)] == [theirs.id]
    assert [what_waits(one).assets.get(Errand.SHARED) for one in (actor, rival, stranger, administrator())] == [
        1, 1, None, None,
    ]  # fmt: skip
    with time_machine.travel(now() + timedelta(days=29)):
        assert what_waits(rival).assets[Errand.SHARED] == 1
    with time_machine.travel(now() + timedelta(days=31)):
        assert Errand.SHARED not in what_waits(rival).assets
    deregister_asset(actor, ours.id, "It stands on another meter.", ours.version)
    assert [what_waits(one).assets.get(Errand.SHARED) for one in (actor, rival)] == [None, None]
