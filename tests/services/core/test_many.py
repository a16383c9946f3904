"""Bulk rows and their ledger entries are, letter for letter, what one record at a time would have left."""

import json
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select, text
from sqlmodel import col

from models.assets import Asset, AssetStatus
from models.base import ID_SOURCE, new_id, new_ids
from models.core import Event, EventDelivery, LedgerEntry
from services.core.canonical_json import canonical
from services.core.db.columns import Ids, Json, Same, as_columns, each, values_of
from services.core.db.expressions import among, by_index
from services.core.jobs.outbox import emit_many
from services.core.ledger.bulk_insert import insert_columns, state_texts
from services.core.ledger.canonical import columns_of, entry_hash, state_of
from services.core.ledger.verifying import verify_ledger
from services.core.transaction import unit_of_work
from tests.asset_factories import STAMP, make_administrator, make_provider

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
    columns = as_columns(rows) | {
        "id": Ids([str(one["id"]) for one in rows]),
        "asset_name": pl.Series([one["asset_name"] for one in rows], dtype=pl.String),
        "friendly_code": pl.Series([one["friendly_code"] for one in rows], dtype=pl.String),
        "gen_capacity": pl.Series([one["gen_capacity"] for one in rows], dtype=pl.Decimal(18, 2)),
        "category_attributes": Json([canonical(one["category_attributes"]) for one in rows]),
    }
    assert state_texts("asset", columns) == written


def test_what_is_private_is_not_written_in_bulk() -> None:
    with pytest.raises(ValueError, match="one by one"):
        state_texts("asset_message", {})


def test_equal_values_are_made_once_and_kinds_are_kept_apart() -> None:
    made: list[object] = []

    def note(value: object) -> object:
        made.append(value)
        return str(value)

    assert each(["a", "b", "a", None], note) == ["a", "b", "a", "None"]
    assert len(made) == 3
    shared: dict[str, int] = {}
    assert each([shared, {"a": 1}, shared], json.dumps) == ["{}", '{"a": 1}', "{}"]
    assert list(values_of(each(Same(2), str), 3)) == ["2", "2", "2"]
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
        insert_columns(session, Asset, as_columns(rows), len(rows))
        kept = dict(session.execute(select(col(Asset.asset_name), col(Asset.postcode))).all())
        assert kept == {one["asset_name"]: one["postcode"] for one in rows}
        wanted = [text[:10] for text in ODD]
        found = session.scalars(select(col(Asset.postcode)).where(among(col(Asset.postcode), wanted))).all()
        assert sorted(map(str, found)) == sorted(wanted)
        assert session.scalars(select(col(Asset.id)).where(among(col(Asset.postcode), []))).all() == []


@pytest.mark.usefixtures("register")
def test_columns_of_text_and_numbers_are_kept_as_values_are() -> None:
    provider = make_provider().organisation_id
    powers = [Decimal("0.00"), None, Decimal("7.40"), Decimal("12345678.90")] * len(ODD)
    made = new_ids(len(ODD))
    rows = [row(id=UUID(one), service_provider_id=provider, asset_name="x") for one in made]
    columns = as_columns(rows) | {
        "id": Ids(made),
        "postcode": pl.Series([text[:10] for text in ODD]),
        "gen_capacity": pl.Series(powers[: len(ODD)], dtype=pl.Decimal(18, 2)),
    }
    with unit_of_work(STAMP, writes=True) as session:
        insert_columns(session, Asset, columns, len(rows))
        kept = session.execute(
            select(col(Asset.id), col(Asset.postcode), col(Asset.gen_capacity)).order_by(col(Asset.id))
        )
        wanted = zip(map(UUID, made), (text[:10] for text in ODD), powers[: len(ODD)], strict=True)
        assert [tuple(one) for one in kept] == list(wanted)
        entries = session.execute(
            select(col(LedgerEntry.record_id), col(LedgerEntry.state)).order_by(col(LedgerEntry.seq))
        )
        states = {one: json.loads(state) for one, state in entries}
        assert {states[UUID(one)]["postcode"] for one in made} == {text[:10] for text in ODD}


@pytest.mark.usefixtures("register")
def test_identifiers_of_many_are_in_order_and_come_from_where_one_would() -> None:
    made = new_ids(1000)
    assert made == sorted(made) == sorted(set(made))
    chosen = uuid4()
    token = ID_SOURCE.set(lambda: chosen)
    try:
        assert new_ids(2) == [str(chosen)] * 2
    finally:
        ID_SOURCE.reset(token)


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
            same = {name: Same(value) for name, value in {**alike, "asset_model": text}.items()}
            insert_columns(session, Asset, {**as_columns(rows), **same}, len(rows))
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
        insert_columns(session, Asset, columns, len(rows))
        seen_by = {"organisation_id": columns["service_provider_id"], "dno_code": columns["dno_connection"]}
        told = {"record_id": columns["id"], **seen_by, "payload": Same({"version": 1})}
        emit_many("asset.registered", Asset, told, len(rows))
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
