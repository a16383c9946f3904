"""The demo data: sound, conforming, the same each time, with every scene that the demo tells of."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import time_machine
from sqlalchemy import func, select
from sqlmodel import col

from models.assets import Asset, AssetCheck, AssetMessage, AssetStatus, CheckOutcome, CheckSource
from models.core import DeliveryStatus, EventDelivery, LedgerEntry
from models.participants import ApiClient, Organisation, OrganisationStatus
from models.products import ProductProposal, ProposalStatus
from models.qualifications import Qualification, QualificationNotice, QualificationStatus, QualificationStep
from models.units import MarketUnit, UnitCapability, UnitMember
from services.assets.checks.deadlines import suspend_unanswered
from services.assets.checks.sources import ask_source
from services.assets.reading.assets import asset_as_of, asset_history
from services.assets.registration.record import as_terms
from services.assets.rules.check import check_assets
from services.assets.rules.mpan import is_valid_mpan
from services.assets.rules.prepare import AssetRuleContext
from services.assets.rules.reference import catalogue
from services.assets.rules.schemas import ATTRIBUTES_TERM, CORE
from services.core import clock
from services.core.attributes import text_of
from services.core.db import engine as database
from services.core.errors import Refused
from services.core.identity.actor import system_actor
from services.core.jobs.worker import work_through
from services.core.ledger.verifying import verify_ledger
from services.core.settings import settings
from services.core.transaction import Stamp, unit_of_work
from services.grid.geography import gsp_groups_at
from services.market.qualification.sla_clock import ClockState, current_clock
from services.participants.clients import authenticate_client
from services.participants.identity import actor_for_user, demo_personas, memberships_of
from services.workshop.demo import is_empty, lay_demo_data, reset, seed_demo
from services.workshop.edition import FILE, edition_text
from services.workshop.past import Past
from services.workshop.portfolio import plan
from tests.conftest import build_demo, use_database
from tests.databases import fresh_database

pytestmark = pytest.mark.use_case("WS-6")
SYSTEM = system_actor()
FEW = 150
"""Assets where what is proven doesn't hang on their number."""
CLIENTS = {
    "bramble", "northgate", "kelvin", "tidewater", "heliograph", "lumen", "marketplace", "openmeter", "elexon", "neso",
    "ukpn", "nged", "npg", "spen", "ssen", "enwl", "ofgem",
}  # fmt: skip


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[str]:
    """The demo, laid down once for the whole test run; each test has a copy of its own."""
    with fresh_database(tmp_path, "demo", build_demo) as url:
        use_database(url)
        yield url
        database.close()


@pytest.fixture
def assets(demo: str) -> list[Asset]:
    """Every asset of the demo."""
    with reading() as session:
        return list(session.scalars(select(Asset).order_by(col(Asset.id))))


def reading() -> Any:
    """A look into the register as itself."""
    return unit_of_work(Stamp("look", "WS-6", SYSTEM), writes=False)


def count(model: type[Any], *conditions: Any) -> int:
    """How many rows there are."""
    with reading() as session:
        return session.scalar(select(func.count()).select_from(model).where(*conditions)) or 0


def test_the_demo_is_large_and_everywhere(assets: list[Asset]) -> None:
    assert 1_950 <= len(assets) <= 2_100
    assert len({asset.asset_category for asset in assets}) == 11
    assert len({asset.gsp_group for asset in assets}) == 14
    assert {asset.status for asset in assets} == set(AssetStatus)


@pytest.mark.use_case("UC-05.06")
def test_its_ledger_is_sound_and_sealed(demo: str) -> None:
    result = verify_ledger(SYSTEM)
    assert result.sound, result.faults[:3]
    assert result.entries > 10_000
    assert result.seals
    assert result.sealed_entries >= result.entries - 1


@pytest.mark.use_case("UC-02.01")
def test_every_asset_passes_the_rules_on_the_day_of_its_registration(assets: list[Asset]) -> None:
    with reading():
        reference = catalogue().reference
    by_day: dict[date, list[dict[str, Any]]] = {}
    for asset in assets:
        assert asset.registered_at is not None
        terms = as_terms(asset)
        row = {term: terms.get(term) for term in CORE} | {ATTRIBUTES_TERM: asset.category_attributes}
        by_day.setdefault(clock.in_london(asset.registered_at).date(), []).append(row)
    for day, rows in by_day.items():
        frame = pl.DataFrame({name: [text_of(row.get(name)) for row in rows] for name in rows[0]})
        found = check_assets(frame, AssetRuleContext(today=day, reference=reference)).findings
        assert found.is_empty(), found.to_dicts()[:3]


def test_assets_stand_in_their_own_gsp_group_behind_meters_of_the_right_network(assets: list[Asset]) -> None:
    places = [(asset.latitude or 0.0, asset.longitude or 0.0) for asset in assets]
    groups = gsp_groups_at(*zip(*places, strict=True))
    assert groups == [asset.gsp_group for asset in assets]
    mpans = [mpan for asset in assets for mpan in (asset.import_mpan, asset.export_mpan) if mpan]
    assert all(map(is_valid_mpan, mpans))
    independent = [mpan for mpan in mpans if int(mpan[:2]) >= 24]
    assert 200 < len(independent) < 500


def test_registrations_spread_over_eighteen_months_and_end_yesterday(assets: list[Asset]) -> None:
    moments = [asset.registered_at for asset in assets if asset.registered_at]
    assert moments == sorted(moments), "identifiers follow the order of registration"
    days = (clock.today() - min(moments).date()).days
    assert 480 <= days <= 546
    assert max(moments).date() == clock.today() - timedelta(days=1)
    assert len({(moment.year, moment.month) for moment in moments}) >= 17


def test_the_ledger_tells_the_past_in_its_order(demo: str) -> None:
    with reading() as session:
        told = session.scalars(
            select(col(LedgerEntry.recorded_at))
            .where(col(LedgerEntry.record_type) == "asset")
            .order_by(col(LedgerEntry.seq))
        ).all()
    assert told == sorted(told)
    assert told[-1] < datetime.now(UTC)


@pytest.mark.use_case("UC-02.03")
def test_assets_have_a_history_that_can_be_read_at_any_date(demo: str, assets: list[Asset]) -> None:
    changed = next(asset for asset in assets if (asset.status_reason or "").startswith("Knows") and asset.version > 3)
    told = asset_history(SYSTEM, changed.id)
    assert told[-1].operation == "register_asset"
    assert any(change.operation == "update_asset" and "RatedCapacity" in change.changes for change in told)
    first = asset_as_of(SYSTEM, changed.id, told[-1].at)
    assert first.rated_capacity != changed.rated_capacity
    assert first.status is AssetStatus.PENDING_VALIDATION


@pytest.mark.use_case("UC-02.01")
def test_queries_were_asked_answered_settled_and_left(demo: str) -> None:
    with reading() as session:
        operations = set(session.scalars(select(col(LedgerEntry.operation)).distinct()))
    assert {"answer_query", "settle_query", "suspend_unanswered", "deregister_asset", "update_asset"} <= operations
    assert count(AssetMessage) > 100
    assert count(Asset, col(Asset.status) == AssetStatus.QUERY) >= 15
    assert suspend_unanswered() == 0, "no open query is older than the deadline"


@pytest.mark.use_case("UC-02.01")
def test_the_connection_register_agrees_with_some_batteries_and_not_with_others(demo: str) -> None:
    with reading() as session:
        rows = session.execute(
            select(col(AssetCheck.outcome), col(Asset.status), col(Organisation.legal_name_key))
            .join(Asset, col(Asset.id) == col(AssetCheck.asset_id))
            .join(Organisation, col(Organisation.id) == col(Asset.service_provider_id))
            .where(
                col(AssetCheck.source) == CheckSource.CONNECTION_REGISTER, col(AssetCheck.source_record_id).is_not(None)
            )
        ).all()
    northgate = [(outcome, status) for outcome, status, name in rows if name.startswith("northgate")]
    assert (CheckOutcome.AGREES, AssetStatus.VERIFIED) in northgate
    assert northgate.count((CheckOutcome.DIFFERS, AssetStatus.QUERY)) >= 3
    assert any(outcome is CheckOutcome.SETTLED for outcome, _status, _name in rows)


@pytest.mark.use_case("UC-02.01")
def test_what_the_connection_register_said_it_says_again(demo: str) -> None:
    with reading() as session:
        rows = session.execute(
            select(AssetCheck, Asset)
            .join(Asset, col(Asset.id) == col(AssetCheck.asset_id))
            .where(
                col(AssetCheck.source) == CheckSource.CONNECTION_REGISTER,
                col(AssetCheck.outcome) == CheckOutcome.DIFFERS,
                col(Asset.status) == AssetStatus.QUERY,
            )
        ).all()
    assert rows
    for check, asset in rows:
        assert ask_source(CheckSource.CONNECTION_REGISTER, asset).outcome is check.outcome


def test_two_providers_claim_one_mpan(demo: str) -> None:
    with reading() as session:
        shared = session.execute(
            select(col(Asset.import_mpan))
            .where(col(Asset.import_mpan).is_not(None))
            .group_by(col(Asset.import_mpan))
            .having(func.count(col(Asset.service_provider_id).distinct()) > 1)
        ).all()
        assert len(shared) == 3
        claims = list(session.scalars(select(Asset).where(col(Asset.import_mpan) == shared[0][0])))
    justified = [claim for claim in claims if claim.justifications]
    assert [one["code"] for claim in justified for one in claim.justifications] == ["MPAN-09"]


@pytest.mark.use_case("UC-01.02")
def test_organisations_stand_in_every_state_with_their_people(demo: str) -> None:
    with reading() as session:
        found = list(session.scalars(select(Organisation)))
    states = {one.organisation_status for one in found}
    assert states >= set(OrganisationStatus) - {OrganisationStatus.WITHDRAWN}
    areas = {one.organisation_trading_name: len(one.licence_areas) for one in found if one.licence_areas}
    assert areas == {"UKPN": 3, "NGED": 4, "NPg": 2, "SPEN": 2, "SSEN": 2, "ENWL": 1}
    active = [one for one in found if one.organisation_status is OrganisationStatus.ACTIVE]
    assert all(one.registry_check["outcome"] in ("agrees", "not applicable") for one in active)


@pytest.mark.use_case("UC-01.01")
def test_each_persona_can_act(demo: str) -> None:
    personas = {persona.key: persona for persona in demo_personas()}
    assert set(personas) >= {
        "administrator",
        "bramble",
        "kelvin",
        "northgate",
        "ukpn",
        "neso",
        "ofgem",
        "installer",
        "viewer",
    }
    for persona in personas.values():
        assert actor_for_user(persona.user_id, persona.organisation_id).roles
    assert len(memberships_of(personas["two_organisations"].user_id)) == 2


@pytest.mark.use_case("UC-05.04")
def test_each_organisation_has_its_credential(demo: str) -> None:
    with reading() as session:
        assert set(session.scalars(select(col(ApiClient.client_id)))) == {f"demo-{slug}" for slug in CLIENTS}
    for slug in ("bramble", "ukpn", "ofgem"):
        actor = authenticate_client(f"demo-{slug}", "demo")
        assert actor is not None
        assert actor.roles


def test_the_worker_has_a_handful_to_do(demo: str) -> None:
    waiting = count(EventDelivery, col(EventDelivery.status) == DeliveryStatus.WAITING)
    assert 3 <= waiting <= 8
    work_through()
    fresh = count(AssetCheck, col(AssetCheck.source) == CheckSource.MPAN_REGISTER, col(AssetCheck.asset_version) == 1)
    assert fresh > 0


@pytest.mark.use_case("UC-04.02")
def test_the_market_has_applications_in_every_state_with_clocks_in_every_colour(demo: str) -> None:
    with reading() as session:
        found = list(session.scalars(select(Qualification)))
        clocks = {current_clock(one).state for one in found}
        decided = set(
            session.scalars(select(col(QualificationStep.at)).where(col(QualificationStep.to_status) == "QUALIFIED"))
        )
    assert {one.status for one in found} == set(QualificationStatus)
    assert clocks == set(ClockState)
    assert len({(moment.year, moment.month) for moment in decided}) >= 10
    assert len({one.reason_code for one in found if one.status is QualificationStatus.FAILED}) >= 4
    for state in found:
        if state.status is QualificationStatus.QUALIFIED:
            assert state.valid_until
            assert state.valid_until >= clock.today()
    assert count(QualificationNotice) >= 5, "some end soon"
    assert count(UnitCapability, col(UnitCapability.stale) > 0) == 0


@pytest.mark.use_case("UC-04.03")
def test_a_battery_of_northgate_is_held_by_dc_and_su_with_the_same_power(demo: str) -> None:
    with reading() as session:
        rows = session.execute(
            select(col(UnitMember.asset_id), col(Qualification.product_code), col(MarketUnit.family))
            .join(MarketUnit, col(MarketUnit.id) == col(UnitMember.unit_id))
            .join(Qualification, col(Qualification.unit_id) == col(MarketUnit.id))
            .where(
                col(UnitMember.until_at).is_(None),
                col(Qualification.status) == QualificationStatus.QUALIFIED,
                col(MarketUnit.code).in_(("NG-RESP-YK", "NG-LOCAL-YK")),
            )
        ).all()
    held: dict[Any, set[str]] = {}
    for asset, product, _family in rows:
        held.setdefault(asset, set()).add(product)
    assert any({"DC", "SU"} <= products for products in held.values())


@pytest.mark.use_case("UC-04.01")
def test_a_product_proposal_waits(demo: str) -> None:
    assert count(ProductProposal, col(ProductProposal.status) == ProposalStatus.PROPOSED) == 1


def test_the_connection_register_of_the_demo_is_the_one_in_the_file_whatever_the_day() -> None:
    kept = FILE.read_text(encoding="utf-8")
    for day in (date(2026, 2, 28), date(2026, 11, 24), date(2028, 2, 29)):
        assert edition_text(plan(Past(day))) == kept


def test_it_is_laid_down_on_a_leap_day_too(one_register: str) -> None:
    with time_machine.travel(datetime(2028, 2, 29, 0, 20, tzinfo=UTC), tick=True):
        assert "21 organisations" in seed_demo(FEW)
        assert verify_ledger(SYSTEM).sound


def identifiers() -> list[list[Any]]:
    """The identifiers of what the demo is made of, by kind."""
    kinds = (Asset, AssetMessage, Organisation, MarketUnit, Qualification)
    with reading() as session:
        return [sorted(session.scalars(select(col(kind.id)))) for kind in kinds]


@pytest.mark.both_engines
def test_it_is_laid_down_and_put_back_the_same_on_either_database(
    register: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    anchors = tmp_path / "anchors.jsonl"
    anchors.write_text('{"register": "of somebody else", "number": 1, "hash": "ab", "at": "2026-01-01"}\n')
    monkeypatch.setenv("FMAR_ANCHOR_FILE", str(anchors))
    settings.cache_clear()
    assert is_empty()
    seed_demo(FEW)
    assert not is_empty()
    with pytest.raises(Refused):
        seed_demo()
    [own] = tmp_path.glob("anchors-*.jsonl")
    first = own.read_text().splitlines()
    before = identifiers()
    assert all(before)
    reset(FEW)
    assert identifiers() == before, "the same day gives the same demo"
    assert not own.exists(), "the anchors of a demo that is gone go with it"
    [own] = tmp_path.glob("anchors-*.jsonl")
    assert set(first).isdisjoint(own.read_text().splitlines())
    assert anchors.read_text().count("\n") == 1, "another demo's anchors stay as they were"
    result = verify_ledger(SYSTEM)
    assert result.sound
    assert result.anchors == result.seals


def test_a_live_register_takes_no_demo(one_register: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FMAR_MODE", "live")
    settings.cache_clear()
    for act in (seed_demo, reset, lambda: lay_demo_data(SYSTEM)):
        with pytest.raises(Refused):
            act()
    with pytest.raises(RuntimeError), clock.made_up_moment(datetime(2025, 1, 1, tzinfo=UTC)):
        pass
    settings.cache_clear()
    assert is_empty()


def test_a_seed_that_breaks_off_leaves_nothing(one_register: str) -> None:
    def break_off() -> None:
        with unit_of_work(Stamp("outer", "WS-6", SYSTEM), writes=True) as session:
            lay_demo_data(SYSTEM, FEW)
            assert session.scalar(select(func.count()).select_from(Asset))
            raise InterruptedError

    with pytest.raises(InterruptedError):
        break_off()
    assert is_empty()
    assert verify_ledger(SYSTEM).sound
