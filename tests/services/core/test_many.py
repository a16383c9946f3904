"""Bulk rows and their ledger entries are, letter for letter, what one record at a time would have left."""

import json
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select, text
from sqlmodel import col

from models.assets import Asset, AssetAlias, AssetStatus
from models.base import new_id
from models.core import Event, EventDelivery, LedgerEntry
from services.core.canonical_json import canonical
from services.core.db.bulk_insert import as_columns
from services.core.db.expressions import among, by_index
from services.core.jobs.outbox import emit_many
from services.core.ledger.bulk_insert import insert_columns, state_texts
from services.core.ledger.canonical import columns_of, entry_hash, state_of
from services.core.ledger.verifying import verify_ledger
from services.core.transaction import unit_of_work
from tests.asset_factories import STAMP, make_administrator, make_provider

pytestmark = pytest.mark.both_engines

SET_HERE = ("version", "recorded_at", "recorded_by")
texts = st.one_of(st.none(), st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=20))
powers = st.one_of(st.none(), st.decimals(0, 10**6, places=2))
nested = st.dictionaries(st.text(max_size=5), st.one_of(st.text(max_size=5), st.integers(), st.booleans()), max_size=3)


def row(**changes: Any) -> dict[str, Any]:
    """Every column of an asset that a bulk path gives."""
    blank: dict[str, Any] = {name: None for name in columns_of("asset") if name not in SET_HERE}
    return {
        **blank,
        "id": new_id(),
        "status": AssetStatus.PENDING_VALIDATION,
        "asset_name": "Riverside",
        "service_provider_id": new_id(),
        "asset_category": "BESS",
        "schema_version": 1,
        "rated_capacity": Decimal("7.40"),
        "effective_date": date(2030, 1, 1),
        "connection_status": "CONNECTED",
        "connection_type": "FIRM",
        "consumer_owned": False,
        "category_attributes": {},
        "aliases": [],
        "derived_terms": [],
        "justifications": [],
        **changes,
    }


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.tuples(texts, powers, st.floats(-90, 90), nested, st.booleans()), min_size=1, max_size=5))
def test_the_state_of_a_bulk_row_is_that_of_the_record(drawn: list[tuple[Any, ...]]) -> None:
    moment = datetime(2026, 5, 4, 3, 2, 1, tzinfo=UTC)
    rows = [
        row(
            asset_name=name or "x",
            friendly_code=name,
            gen_capacity=power,
            latitude=latitude,
            category_attributes=attributes,
            consumer_owned=owned,
            registered_at=moment,
            version=1,
            recorded_at=moment,
            recorded_by=None,
        )
        for name, power, latitude, attributes, owned in drawn
    ]
    written = state_texts("asset", as_columns(rows))
    assert written == [canonical(state_of(Asset(**one))) for one in rows]


def test_what_is_private_is_not_written_in_bulk() -> None:
    with pytest.raises(ValueError, match="one by one"):
        state_texts("asset_message", {})


def test_rows_of_different_names_are_no_columns() -> None:
    with pytest.raises(ValueError, match="friendly"):
        as_columns([{"name": 1}, {"name": 1, "friendly": 2}])


ODD = [
    "plain", "", "a,b", '"quoted"', "back\\slash", "\\N", "\\.", "{curly}", "NULL", "tab\there", "line\nbreak\r", "é ✓ 🔌", "'",
]  # fmt: skip


@pytest.mark.usefixtures("register")
def test_every_text_is_kept_and_found_again_as_it_was() -> None:
    provider = make_provider().organisation_id
    rows = [row(asset_name=f"{n}", service_provider_id=provider, postcode=text[:10]) for n, text in enumerate(ODD)]
    rows.append(row(asset_name="none", service_provider_id=provider, postcode=None))
    with unit_of_work(STAMP, writes=True) as session:
        insert_columns(session, Asset, as_columns(rows))
        kept = dict(session.execute(select(col(Asset.asset_name), col(Asset.postcode))).all())
        assert kept == {one["asset_name"]: one["postcode"] for one in rows}
        wanted = [text[:10] for text in ODD]
        found = session.scalars(select(col(Asset.postcode)).where(among(col(Asset.postcode), wanted))).all()
        assert sorted(map(str, found)) == sorted(wanted)
        assert session.scalars(select(col(Asset.id)).where(among(col(Asset.postcode), []))).all() == []


@pytest.mark.usefixtures("register")
def test_columns_of_text_and_numbers_are_kept_as_values_are() -> None:
    provider = make_provider().organisation_id
    powers = ([Decimal("0.00"), None, Decimal("7.40"), Decimal("12345678.90")] * len(ODD))[: len(ODD)]
    rows = [
        row(service_provider_id=provider, asset_name="x", postcode=text[:10], gen_capacity=power)
        for text, power in zip(ODD, powers, strict=True)
    ]
    with unit_of_work(STAMP, writes=True) as session:
        insert_columns(session, Asset, as_columns(rows))
        query = select(col(Asset.id), col(Asset.postcode), col(Asset.gen_capacity)).order_by(col(Asset.id))
        expected = [(one["id"], one["postcode"], one["gen_capacity"]) for one in rows]
        assert [tuple(one) for one in session.execute(query)] == expected
        entries = session.execute(select(col(LedgerEntry.record_id), col(LedgerEntry.state)))
        states = {record_id: json.loads(state) for record_id, state in entries}
        assert {states[one["id"]]["postcode"] for one in rows} == {text[:10] for text in ODD}


def test_values_of_a_run_are_looked_up_by_index(register: str) -> None:
    if not register.startswith("postgresql"):
        pytest.skip("SQLite reads by index anyway")
    with unit_of_work(STAMP, writes=False) as session:
        plan = text("EXPLAIN SELECT id FROM asset WHERE serial_key = ANY(:wanted)")
        wanted = {"wanted": [f"S-{number}" for number in range(5_000)]}
        by_index()
        assert "Seq Scan" not in " ".join(session.scalars(plan, wanted))
    with unit_of_work(STAMP, writes=False) as session:
        assert session.scalar(text("SHOW enable_seqscan")) == "on"


@pytest.mark.usefixtures("register")
def test_what_all_rows_have_is_kept_as_it_was() -> None:
    provider = make_provider().organisation_id
    alike: dict[str, Any] = {
        "latitude": 52.20530000000001,
        "rated_capacity": Decimal("7.40"),
        "effective_date": date(2030, 1, 1),
        "consumer_owned": True,
        "schema_version": 3,
        "status_reason": None,
        "category_attributes": {"it's": ["quoted", None], "long": "text, " * 500},
    }
    with unit_of_work(STAMP, writes=True) as session:
        for number, text in enumerate(ODD):
            rows = [row(asset_name=f"{number}-{n}", service_provider_id=provider) for n in range(2)]
            insert_columns(session, Asset, as_columns([{**one, **alike, "asset_model": text} for one in rows]))
        kept = session.scalars(select(Asset).order_by(col(Asset.id))).all()
        assert [one.asset_model for one in kept] == [text for text in ODD for _ in range(2)]
        for one in kept:
            assert {name: getattr(one, name) for name in alike} == alike
    assert verify_ledger(make_administrator()).sound


@pytest.mark.usefixtures("register")
@pytest.mark.use_case("UC-05.06")
def test_bulk_rows_stand_in_the_ledger_like_any_other() -> None:
    provider = make_provider()
    rows = [
        row(
            asset_name=f'"Quoted" \\ é \t {n}',
            service_provider_id=provider.organisation_id,
            organisation_id=provider.organisation_id if n % 2 else None,
            rated_capacity=Decimal(n) / 4,
            latitude=52.2 + n / 1000 if n % 3 else None,
            longitude=0.1 if n % 3 else None,
            friendly_code=f"code-{n}",
            category_attributes={"Größe": n % 2, "list": [1, 2.5]},
            aliases=[{"scheme": "ECR", "value": f"{n}"}] if n == 4 else [],
            registered_at=datetime(2026, 5, 4, tzinfo=UTC),
        )
        for n in range(1, 8)
    ]
    with unit_of_work(STAMP, writes=True) as session:
        columns = as_columns(rows)
        insert_columns(session, Asset, columns)
        session.add(AssetAlias(asset_id=columns["id"][3], scheme="ECR", value="4"))
        seen_by = {"organisation_id": columns["service_provider_id"], "dno_code": columns["dno_connection"]}
        told = {"record_id": columns["id"], **seen_by, "payload": [{"version": 1}] * len(rows)}
        emit_many("asset.registered", Asset, told)
        session.expire_all()
        entries = session.scalars(select(LedgerEntry).where(col(LedgerEntry.record_type) == "asset")).all()
        assert {entry.hash for entry in entries} == {entry_hash(entry) for entry in entries}
        by_id = {entry.record_id: entry for entry in entries}
        for asset in session.scalars(select(Asset)):
            assert by_id[asset.id].state == canonical(state_of(asset))
        events = session.scalars(select(Event).where(col(Event.type) == "asset.registered")).all()
        assert [event.record_id for event in events] == [one["id"] for one in rows]
        [due] = session.scalars(select(EventDelivery)).all()
        assert [due.event_seq, *due.further] == [event.seq for event in events], "all are handed over together"
    assert verify_ledger(make_administrator()).sound
