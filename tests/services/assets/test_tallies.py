"""Counts kept beside the assets equal a fresh count after any mix of changes, on both databases."""

import random
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import select, true, update
from sqlmodel import col

from models.assets import Asset, AssetStatus
from models.base import new_id
from models.tallies import AssetCellTally, AssetTally
from services.assets.counters.figures import Figures, UndisclosedFigure, from_assets, from_tallies
from services.assets.counters.reconcile import Drift, drifts, reconcile, recount
from services.core.identity.actor import Actor, system_actor
from services.core.ledger.bulk_insert import insert_recorded
from services.core.ledger.canonical import columns_of
from services.core.transaction import Stamp, current_session, unit_of_work
from tests.asset_factories import make_provider, registered

pytestmark = pytest.mark.both_engines

SYSTEM = system_actor()
WRITE = Stamp("test_changes", "UC-02.01", SYSTEM)
CATEGORIES = ("BESS", "SOLAR_PV", "EV_CHARGER")
AREAS = (("UKPN_EPN", "_A"), ("UKPN_LPN", "_C"), (None, None))


class TakenBack(Exception):
    """Ends a unit of work that is to leave nothing."""


def _drifts() -> list[Drift]:
    with unit_of_work(WRITE, writes=False) as session:
        return drifts(session)


def _row(chance: random.Random, provider: Actor) -> dict[str, Any]:
    dno, group = chance.choice(AREAS)
    placed = chance.random() < 0.8
    given = {
        "id": new_id(),
        "status": chance.choice(list(AssetStatus)),
        "registered_at": datetime(2025, 1, 1, tzinfo=UTC) + timedelta(hours=chance.randrange(24 * 600)),
        "asset_name": f"Device {chance.randrange(10**9)}",
        "service_provider_id": provider.organisation_id,
        "asset_category": chance.choice(CATEGORIES),
        "schema_version": 1,
        "rated_capacity": Decimal(chance.randrange(1, 100_000)) / 100,
        "effective_date": datetime(2030, 1, 1, tzinfo=UTC).date(),
        "connection_status": "CONNECTED",
        "connection_type": "FIRM",
        "dno_connection": dno,
        "gsp_group": group,
        "latitude": chance.uniform(50, 58) if placed else None,
        "longitude": chance.uniform(-5, 1) if placed else None,
        "consumer_owned": False,
        "category_attributes": {},
        "aliases": [],
        "derived_terms": [],
        "justifications": [],
    }
    own = {"version", "recorded_at", "recorded_by"}
    return {name: given.get(name) for name in columns_of("asset") if name not in own}


def _change(chance: random.Random, asset: Asset) -> None:
    """Whatever may happen to an asset that counts depend on."""
    match chance.randrange(7):
        case 0:
            asset.status = chance.choice(list(AssetStatus))
        case 1:
            asset.rated_capacity = Decimal(chance.randrange(1, 100_000)) / 100
        case 2:
            asset.latitude, asset.longitude = chance.uniform(50, 58), chance.uniform(-5, 1)
        case 3:
            asset.latitude = asset.longitude = None
        case 4:
            asset.dno_connection, asset.gsp_group = chance.choice(AREAS)
        case 5:
            asset.asset_category = chance.choice(CATEGORIES)
        case _:
            asset.asset_name = f"Renamed {chance.randrange(10**9)}"


def _act(chance: random.Random, providers: list[Actor]) -> None:
    """One unit of work: bulk rows, objects, changes, a savepoint taken back, in any mix."""
    session = current_session()
    if chance.random() < 0.5:
        insert_recorded(session, Asset, [_row(chance, chance.choice(providers)) for _ in range(chance.randrange(1, 9))])
    if chance.random() < 0.3:
        session.add(Asset(**_row(chance, chance.choice(providers))))
    assets = list(session.scalars(select(Asset).order_by(col(Asset.id))))
    for asset in chance.sample(assets, min(len(assets), 4)):
        _change(chance, asset)
        if chance.random() < 0.3:
            session.flush()
    if assets and chance.random() < 0.3:
        with suppress(TakenBack), session.begin_nested():
            _change(chance, chance.choice(assets))
            with session.begin_nested():
                _change(chance, chance.choice(assets))
            insert_recorded(session, Asset, [_row(chance, providers[0])])
            raise TakenBack
    if assets and chance.random() < 0.3:
        with session.begin_nested():
            _change(chance, chance.choice(assets))
    if chance.random() < 0.2:
        raise TakenBack


def _comparable(figures: Figures, providers: bool) -> Figures:
    """Without the months, which the kept counts have from the first one on; providers only where they are asked for."""

    def bare(rows: list[UndisclosedFigure]) -> list[UndisclosedFigure]:
        return rows if providers else [row._replace(providers=0) for row in rows]

    return Figures(
        bare(figures.by_status),
        bare([figures.total])[0],
        bare(figures.by_category),
        bare(figures.by_gsp_group),
        {},
        {},
    )


@pytest.mark.use_case("UC-05.02")
@pytest.mark.parametrize("seed", range(4))
def test_any_mix_of_changes_leaves_the_counts_right(register: str, seed: int) -> None:
    """Thirty units of work; after each of them every kept count is what counting anew gives."""
    chance = random.Random(seed)
    providers = [make_provider("First"), make_provider("Second")]
    for _ in range(30):
        with suppress(TakenBack), unit_of_work(WRITE, writes=True):
            _act(chance, providers)
        assert _drifts() == []
    with unit_of_work(WRITE, writes=False) as session:
        for anonymised in (False, True):
            kept = from_tallies(None, anonymised)
            counted = from_assets(true(), anonymised)
            assert kept._replace(months={}, providers_by_month={}) == _comparable(counted, anonymised)
            assert sum(kept.months.values()) >= sum(counted.months.values()) > 0
        ours = (col(Asset.dno_connection).in_([area for area, _ in AREAS[:1]]), from_tallies(("UKPN_EPN",), False))
        assert ours[1]._replace(months={}) == _comparable(from_assets(ours[0], False), False)
        assert session.scalar(select(col(AssetTally.assets)).where(col(AssetTally.assets) <= 0)) is None
        assert session.scalar(select(col(AssetCellTally.assets)).where(col(AssetCellTally.assets) <= 0)) is None


@pytest.mark.use_case("UC-05.02")
def test_a_drift_is_found_told_and_put_right(register: str, caplog: pytest.LogCaptureFixture) -> None:
    """Somebody changes a count behind the register's back: the nightly job says so and counts anew."""
    registered(make_provider())
    reconcile()
    assert not caplog.records
    with unit_of_work(WRITE, writes=True) as session:
        session.execute(update(AssetTally).values(assets=7))
    assert [(drift.table, drift.stored[0], drift.recounted[0]) for drift in _drifts()] == [("AssetTally", 7, 1)]
    reconcile()
    assert "1 counts of assets had drifted" in caplog.text
    assert _drifts() == []
    assert recount(SYSTEM) == 0


def test_a_deferred_column_is_counted_by_what_it_was(register: str) -> None:
    """An object whose columns were not read before they are changed: what it was is read then."""
    asset = registered(make_provider())
    with unit_of_work(WRITE, writes=True) as session:
        found = session.get_one(Asset, asset.id)
        session.expire(found)
        found.status = AssetStatus.DEREGISTERED
    assert _drifts() == []
