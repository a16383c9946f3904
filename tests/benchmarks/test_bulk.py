"""Bulk registration of 100,000 chargers beside a bare executemany of the very rows it leaves, into the same tables."""

import sqlite3
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import polars as pl
import pytest

from services.assets.bulk.exporting import export_file
from services.assets.bulk.jobs import Wishes, confirm_job, get_job, submit_file
from services.assets.bulk.working import work_through_jobs
from services.assets.mpan import mpan_check_digit
from services.core import database
from services.core.migrate import migrate
from services.first_data import begin
from tests.benchmarks.report import Figures
from tests.conftest import use_database
from tests.factories import make_fsp

pytestmark = pytest.mark.benchmark
ROWS = 100_000
DRY_RUN_BOUND_S, REGISTER_BOUND_S = 30.0, 120.0
TABLES = ("asset", "ledger_entry", "event", "event_delivery")


@pytest.fixture
def empty(tmp_path: Path) -> Iterator[Path]:
    """A register with its first data."""
    path = tmp_path / "bulk.sqlite"
    use_database(f"sqlite:///{path}")
    migrate()
    begin()
    yield path
    database.close()


def _mpan(number: int) -> str:
    digits = f"10{number:010d}"
    return f"{digits}{mpan_check_digit(digits)}"


def chargers(count: int) -> pl.DataFrame:
    """A portfolio of chargers, each another device at another place."""
    every = range(count)
    same = {
        "AssetCategory": "EV_CHARGER",
        "RatedCapacity": "7.40",
        "EffectiveDate": "2040-01-01",
        "CommissioningDate": "2025-06-30",
        "FuelType_DemandTechType": "EV",
        "Manufacturer": "Ampere Devices",
        "AssetModel": "AD-7",
        "ConnectionStatus": "CONNECTED",
        "ConnectionType": "FIRM",
        "DNOConnection": "UKPN_EPN",
        "Postcode": "CB1 2JD",
        "ConnectorType": "TYPE_2",
        "ChargerCount": "1",
    }
    own = {
        "AssetName": [f"Charger {n}" for n in every],
        "FriendlyCode": [f"EV-{n:06d}" for n in every],
        "SerialNumber": [f"AD7-{n:07d}" for n in every],
        "ImportMPAN": [_mpan(n) for n in every],
        "Latitude": [f"{52.2 + n % 1000 / 10000:.6f}" for n in every],
        "Longitude": [f"{0.1 + n % 997 / 10000:.6f}" for n in every],
    }
    return pl.DataFrame(own).with_columns(pl.lit(text).alias(term) for term, text in same.items())


def _seconds(act: Callable[[], object]) -> float:
    """Seconds of processor time."""
    started = time.process_time()
    act()
    return time.process_time() - started


def _bare(path: Path) -> float:
    """The rows that the job left, inserted once more by the driver into empty tables of the same shape and indexes."""
    database.close()
    with sqlite3.connect(path) as source:
        rows = {table: source.execute(f"SELECT * FROM {table}").fetchall() for table in TABLES}
        made = source.execute(
            f"SELECT tbl_name, sql FROM sqlite_master WHERE sql IS NOT NULL AND type IN ('table', 'index') "
            f"AND tbl_name IN ({', '.join('?' * len(TABLES))}) ORDER BY type DESC",
            TABLES,
        ).fetchall()
    bare = path.with_name("bare.sqlite")
    with sqlite3.connect(bare) as target:
        target.execute("PRAGMA journal_mode=WAL")
        for _table, statement in made:
            target.execute(statement)

        def insert() -> None:
            for table, lines in rows.items():
                target.executemany(f"INSERT INTO {table} VALUES ({', '.join('?' * len(lines[0]))})", lines)
            target.commit()

        return _seconds(insert)


def test_a_portfolio_of_chargers(empty: Path, tmp_path: Path, figures: Figures) -> None:
    """Dry run, registration, the same file again, and the export, against the bare rows."""
    actor = make_fsp()
    data = chargers(ROWS).write_csv().encode()
    handed: list[object] = []
    read = _seconds(lambda: handed.append(submit_file(actor, data, "chargers.csv", Wishes(dry_run=True))))
    job_id = handed[0].id  # pyright: ignore[reportAttributeAccessIssue]
    dry = _seconds(work_through_jobs)
    confirm_job(actor, job_id)
    taken = _seconds(work_through_jobs)
    assert get_job(actor, job_id).rows_registered == ROWS
    submit_file(actor, data, "chargers.csv", Wishes(dry_run=False))
    again = _seconds(work_through_jobs)
    target = tmp_path / "chargers-out.csv"
    out = _seconds(lambda: export_file(actor, "csv", target))
    bare = _bare(empty)
    thousand = f"{ROWS:,} chargers"
    figures.add(f"Handing in a CSV file of {thousand}", f"{read:.1f} s of CPU")
    figures.add(f"Dry run of {thousand}", f"{dry:.1f} s of CPU, {ROWS / dry:,.0f} rows/s", f"{DRY_RUN_BOUND_S:.0f} s")
    ratio = f"{taken / bare:.1f} × a bare executemany of the same rows, same indexes ({bare:.1f} s)"
    measured = f"{taken:.1f} s of CPU, {ROWS / taken:,.0f} rows/s"
    figures.add(f"Registering {thousand}: ledger, events, counts", measured, f"{REGISTER_BOUND_S:.0f} s", ratio)
    figures.add("The same file once more: nothing changes", f"{again:.1f} s of CPU, {ROWS / again:,.0f} rows/s")
    figures.add(f"Exporting {thousand} to CSV", f"{out:.1f} s of CPU, {ROWS / out:,.0f} rows/s")
    assert dry <= DRY_RUN_BOUND_S
    assert taken <= REGISTER_BOUND_S
