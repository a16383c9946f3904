"""UC-05.01: lists in every order, counts, an asset's file; as many statements at any size, and no sorting of all."""

import random
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
import time_machine
from sqlalchemy import event

from models.assets import Asset, AssetStatus
from models.base import new_id
from models.participants import Role
from services.assets.asset_page.page import whole_asset, whole_asset_as_of
from services.assets.asset_page.provenance import provenance_of
from services.assets.asset_page.timeline import asset_timeline
from services.assets.cells import COARSE, parent_of
from services.assets.checks.queries import query_asset
from services.assets.conversation.comments import involved
from services.assets.counters.figures import register_in_numbers
from services.assets.counters.queries import counts_by_cell
from services.assets.filters import AssetFilters
from services.assets.reading.assets import asset_as_of, asset_history, count_assets, get_asset
from services.assets.reading.list_row import AssetLine
from services.assets.reading.listing import ORDERS, list_lines
from services.assets.registration.lifecycle import allowed_actions
from services.assets.registration.update import update_asset
from services.core.db.engine import engine
from services.core.db.maintenance import refresh_statistics
from services.core.errors import Invalid, NotFound
from services.core.identity.actor import Actor, system_actor
from services.core.ledger.bulk_insert import insert_recorded
from services.core.ledger.canonical import columns_of
from services.core.operation import operation
from services.core.transaction import Stamp, unit_of_work
from tests.asset_factories import (
    make_actor,
    make_administrator,
    make_operator,
    make_organisation,
    make_provider,
    registered,
)

pytestmark = pytest.mark.both_engines

WRITE = Stamp("test_assets", "UC-02.01", system_actor())
AREAS = (("UKPN_EPN", "_A", 52.2, 0.1), ("UKPN_LPN", "_C", 51.5, -0.1), ("NGED_WALES", "_K", 51.6, -3.2))
CATEGORIES = ("BESS", "SOLAR_PV", "EV_CHARGER")


def lay_down(providers: list[Actor], count: int, seed: int = 1) -> None:
    """So many assets of all kinds, in one commit."""
    chance = random.Random(seed)
    own = {"version", "recorded_at", "recorded_by"}
    rows: list[dict[str, Any]] = []
    for number in range(count):
        dno, group, latitude, longitude = chance.choice(AREAS)
        moment = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=chance.randrange(100_000))
        given = {
            "id": new_id(),
            "status": chance.choice(list(AssetStatus)),
            "status_since": moment,
            "registered_at": moment,
            "asset_name": f"Device {chance.randrange(count // 2 + 1)} {'ab'[number % 2]}",
            "service_provider_id": chance.choice(providers).organisation_id,
            "asset_category": chance.choice(CATEGORIES),
            "schema_version": 1,
            "rated_capacity": Decimal(chance.randrange(1, 500)) / 4,
            "effective_date": datetime(2030, 1, 1, tzinfo=UTC).date(),
            "connection_status": "CONNECTED",
            "connection_type": "FIRM",
            "dno_connection": dno,
            "gsp_group": group,
            "latitude": latitude + chance.uniform(-0.2, 0.2),
            "longitude": longitude + chance.uniform(-0.2, 0.2),
            "consumer_owned": False,
            "category_attributes": {},
            "aliases": [],
            "derived_terms": [],
            "justifications": [],
        }
        rows.append({name: given.get(name) for name in columns_of("asset") if name not in own})
    with unit_of_work(WRITE, writes=True) as session:
        insert_recorded(session, Asset, rows)


def everything(actor: Actor, filters: AssetFilters, sort: str, limit: int = 7) -> list[AssetLine]:
    """All pages of a list, one after another."""
    found: list[AssetLine] = []
    after: str | None = None
    while True:
        page = list_lines(actor, filters, sort=sort, after=after, limit=limit)
        found += page.items
        after = page.next_cursor
        if after is None:
            return found


KEYS: dict[str, Callable[[AssetLine], Any]] = {
    "newest": lambda line: line.id,
    "oldest": lambda line: line.id,
    "name": lambda line: (line.name, line.id),
    "capacity": lambda line: (line.rated_kw, line.id),
    "status_since": lambda line: (line.status_since, line.id),
    "waiting": lambda line: (line.status_since, line.id),
}
FILTERS = (
    AssetFilters(),
    AssetFilters(status=(AssetStatus.QUERY,)),
    AssetFilters(asset_category=("BESS",)),
    AssetFilters(status=(AssetStatus.QUERY, AssetStatus.VERIFIED), asset_category=("SOLAR_PV",)),
    AssetFilters(gsp_group=("_C",), capacity_min=Decimal("20"), capacity_max=Decimal("90.5")),
    AssetFilters(text="device 1"),
    AssetFilters(status=(AssetStatus.VERIFIED,), gsp_group=("_Z",)),
)


@pytest.mark.use_case("UC-05.01")
@pytest.mark.parametrize("sort", ORDERS)
def test_every_order_shows_each_asset_once_page_by_page(register: str, sort: str) -> None:
    """For every kind of actor and filter: all that may be seen, in order, once; and as many as are counted."""
    providers = [make_provider("First"), make_provider("Second")]
    lay_down(providers, 120)
    names = {"First": providers[0], "operator": make_operator("UKPN_EPN", "UKPN_LPN"), "all": make_administrator()}
    for who in names.values():
        seen = {line.id for line in everything(who, AssetFilters(), "newest", 50)}
        for filters in FILTERS:
            found = everything(who, filters, sort)
            assert [line.id for line in found] == [
                line.id for line in sorted(found, key=KEYS[sort], reverse=ORDERS[sort].keyset.descending)
            ] or register.startswith("postgresql")
            assert len({line.id for line in found}) == len(found) == count_assets(who, filters)
            assert {line.id for line in found} <= seen
            wanted = replace(filters, text=None)
            assert all(not wanted.status or line.status in wanted.status for line in found)
            assert all(not wanted.gsp_group or line.gsp_group in wanted.gsp_group for line in found)
    assert count_assets(names["operator"]) < count_assets(names["all"]) == 120


@pytest.mark.use_case("UC-05.01")
def test_a_line_says_what_the_asset_says(register: str) -> None:
    """Every value of a line is the record's."""
    provider = make_provider()
    asset = registered(provider)
    line = list_lines(provider).items[0]
    stored = get_asset(provider, asset.id)
    assert (line.id, line.name, line.status, line.category) == (
        asset.id,
        asset.asset_name,
        stored.status,
        asset.asset_category,
    )
    assert (line.rated_kw, line.gsp_group, line.dno) == (asset.rated_capacity, asset.gsp_group, asset.dno_connection)
    assert (line.provider_id, line.registered_at, line.status_since) == (
        provider.organisation_id,
        stored.registered_at,
        stored.status_since,
    )
    assert line.position == (asset.latitude, asset.longitude)
    searched = list_lines(provider, AssetFilters(text=asset.asset_name)).items[0]
    assert (searched.id, searched.rated_kw, searched.status_since) == (line.id, line.rated_kw, line.status_since)


@pytest.mark.use_case("UC-05.01")
@pytest.mark.parametrize("cursor", ["", "x", "0197ee67-0b60-7001-b7b7-c9bb966ad59bnot a number", "\x00" * 40])
def test_a_cursor_of_another_list_is_refused(one_register: str, cursor: str) -> None:
    """What isn't a cursor of the list is told, not guessed at."""
    with pytest.raises(Invalid):
        list_lines(make_provider(), sort="capacity", after=cursor)
    with pytest.raises(Invalid):
        list_lines(make_provider(), sort="colour")


@pytest.mark.use_case("UC-05.01")
def test_counting_ends_where_it_says_little(register: str) -> None:
    """Exact by the kept counts; otherwise no further than asked, and said so."""
    provider = make_provider()
    lay_down([provider], 60)
    administrator = make_administrator()
    assert (count_assets(administrator, most=10), count_assets(administrator, most=10).more) == (60, False)
    assert (count_assets(provider, most=10), count_assets(provider, most=10).more) == (10, True)
    counted = count_assets(administrator, AssetFilters(text="device"), most=10)
    assert (counted, counted.more) == (10, True)
    assert not count_assets(administrator, AssetFilters(text="device")).more


@operation("UC-05.01", permission="asset.read", writes=False, name="cells_seen")
def cells_seen(actor: Actor, filters: AssetFilters) -> Any:
    """What the map of all reads, through an operation as the map has it."""
    return counts_by_cell(actor, filters)


@pytest.mark.use_case("UC-05.01")
def test_hexagons_of_the_map_hold_what_lies_in_them(register: str) -> None:
    """By the kept counts what the lines add up to; none for who sees single organisations' assets."""
    provider = make_provider()
    lay_down([provider], 150)
    for who in (make_administrator(), make_operator("UKPN_LPN", "NGED_WALES")):
        for filters in (*FILTERS[:4], AssetFilters(dno_connection=("UKPN_EPN", "UKPN_LPN"))):
            wanted: dict[int, list[Decimal]] = {}
            for line in everything(who, filters, "newest", 100):
                asset = get_asset(who, line.id)
                assert asset.cell is not None
                wanted.setdefault(parent_of(asset.cell, COARSE), []).append(line.rated_kw)
            found = {cell: (assets, Decimal(rated) / 100) for cell, assets, rated in cells_seen(who, filters)}
            assert found == {cell: (len(rated), sum(rated)) for cell, rated in wanted.items()}
    assert cells_seen(provider, AssetFilters()) is None
    assert cells_seen(make_administrator(), AssetFilters(text="x")) is None


@pytest.mark.use_case("UC-05.01")
@pytest.mark.use_case("UC-05.06")
def test_a_page_holds_what_the_single_readings_tell(register: str) -> None:
    """Asset, provenance, conversation, acts and names; as it stood: nothing that came later."""
    provider, operator = make_provider(), make_administrator()
    with time_machine.travel(datetime(2026, 3, 1, 9, tzinfo=UTC), tick=False):
        asset = registered(provider)
    with time_machine.travel(datetime(2026, 3, 2, 9, tzinfo=UTC), tick=False):
        asset = update_asset(provider, asset.id, {"AssetModel": "AD-2600"}, get_asset(provider, asset.id).version)
    with time_machine.travel(datetime(2026, 3, 3, 9, tzinfo=UTC), tick=False):
        query_asset(operator, asset.id, "Which model is it, please?", get_asset(operator, asset.id).version)
    page = whole_asset(operator, asset.id)
    assert page.asset.model_dump() == get_asset(operator, asset.id).model_dump()
    assert page.provenance == provenance_of(operator, asset.id)
    assert [one.message.text for one in page.messages] == ["Which model is it, please?"]
    assert page.actions == allowed_actions(operator, page.asset)
    assert page.involved == involved(operator, asset.id)
    assert page.involved[0] == "Northgate Flex Ltd"
    then = datetime(2026, 3, 1, 12, tzinfo=UTC)
    stood = whole_asset_as_of(provider, asset.id, then)
    assert stood.asset.model_dump() == asset_as_of(provider, asset.id, then).model_dump()
    assert (stood.asset.asset_model, stood.present_version) == ("AD-2500", page.asset.version)
    assert (stood.provenance["AssetModel"].declared_at, list(stood.messages)) == (
        datetime(2026, 3, 1, 9, tzinfo=UTC),
        [],
    )
    told = asset_timeline(operator, asset.id)
    written = [(one.version, one.changes) for one in told if one.version is not None]
    assert written == [(one.version, one.changes) for one in asset_history(operator, asset.id)]
    with pytest.raises(NotFound):
        whole_asset_as_of(provider, asset.id, datetime(2026, 2, 1, tzinfo=UTC))
    with pytest.raises(NotFound):
        whole_asset(make_provider("Another"), asset.id)


def counted(act: Callable[[], object]) -> int:
    """How many SQL statements an act sends."""
    seen: list[str] = []

    def see(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        seen.append(statement)

    event.listen(engine(), "before_cursor_execute", see)
    try:
        act()
    finally:
        event.remove(engine(), "before_cursor_execute", see)
    return len(seen)


@pytest.mark.use_case("UC-05.01")
def test_as_many_statements_however_many_assets(register: str) -> None:
    """List, count, home, map and one asset: the same number of statements at 20 assets and at 400."""
    provider = make_provider()
    lay_down([provider], 20)
    operator = make_operator("UKPN_EPN", "UKPN_LPN")
    viewer = make_actor(make_organisation("Ofgem", ("Regulator",)), Role.REGULATOR)
    filters = AssetFilters(status=(AssetStatus.VERIFIED,), asset_category=("BESS",))

    def statements() -> list[int]:
        one = list_lines(operator).items[0].id
        acts = [lambda who=who, act=act: act(who) for who in (operator, provider) for act in (list_lines, count_assets)]
        acts += [lambda sort=sort: list_lines(operator, filters, sort=sort) for sort in ORDERS]
        acts += [lambda who=who: register_in_numbers(who) for who in (operator, provider, viewer)]
        acts += [lambda: cells_seen(operator, filters), lambda: asset_timeline(operator, one)]
        acts.append(lambda: whole_asset(operator, one))
        for act in acts:
            act()
        return [counted(act) for act in acts]

    few = statements()
    lay_down([provider], 380, seed=2)
    assert statements() == few
    assert max(few) <= 11


@pytest.mark.use_case("UC-05.01")
@pytest.mark.parametrize("filters", FILTERS[:4])
@pytest.mark.parametrize("sort", ORDERS)
def test_no_list_sorts_all_that_passes(sqlite_register: str, sort: str, filters: AssetFilters) -> None:
    """SQLite walks an index in the order that is wanted; it sorts only where the kept counts say that few will pass."""
    lay_down([make_provider()], 4000)
    refresh_statistics()
    seen: list[tuple[str, Any]] = []
    operator = make_operator("UKPN_EPN", "UKPN_LPN")
    event.listen(engine(), "before_cursor_execute", lambda *told: seen.append((told[2], told[3])))
    list_lines(operator, filters, sort=sort)
    statement, values = next(one for one in seen if "FROM asset " in one[0])
    with engine().connect() as connection:
        plan = [row[3] for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values)]
    few = sort in ("name", "capacity", "status_since", "waiting") and (filters.status or filters.asset_category)
    assert not any(re.search("TEMP B-TREE", step) for step in plan) or few, plan
    assert any("INDEX" in step for step in plan), plan


def test_reading_inside_a_change_sees_the_change(register: str) -> None:
    """The kept counts are brought up to date for who reads them in the operation that changed something."""
    provider = make_provider()
    lay_down([provider], 5)
    with unit_of_work(WRITE, writes=True):
        asset = registered(provider)
        assert count_assets(system_actor()) == 6
        asset.asset_category = "SOLAR_PV"
        assert count_assets(system_actor(), AssetFilters(asset_category=("SOLAR_PV",), gsp_group=("_A",))) > 0
    assert count_assets(system_actor()) == 6
