"""How fast the register is: processor time, since a shared machine's clock tells more of its neighbours than of us."""

import os
import shutil
import signal
import sqlite3
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from services.assets.filters import AssetFilters
from services.assets.reading.assets import get_asset
from services.assets.reading.listing import list_assets
from services.assets.registration.register import register_asset
from services.core.db import engine as database
from services.core.db.migrate import migrate
from services.core.identity.actor import system_actor
from services.core.ledger.verifying import verify_ledger
from services.core.settings import ROOT
from services.first_data import begin
from services.governance.export import export_to
from services.governance.sealing import seal_and_anchor
from services.workshop.demo import reset, seed_demo
from tests.asset_factories import battery, make_operator, make_provider
from tests.benchmarks.report import Figures, cpu_ms, median_cpu_ms
from tests.browser.harness import free_port
from tests.conftest import use_database

pytestmark = pytest.mark.benchmark
SYSTEM = system_actor()
REGISTRATIONS, ROUNDS = 300, 3
REGISTER_BOUND_MS, START_BOUND_S, SEED_BOUND_S = 20.0, 5.0, 15.0


@pytest.fixture(scope="module")
def demo_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo register, laid down once."""
    path = tmp_path_factory.mktemp("bench") / "demo.sqlite"
    use_database(f"sqlite:///{path}")
    migrate()
    begin()
    seed_demo()
    database.close()
    return path


@pytest.fixture
def demo(demo_file: Path, tmp_path: Path) -> Iterator[Path]:
    """A copy of the demo for one measurement."""
    path = tmp_path / "demo.sqlite"
    shutil.copyfile(demo_file, path)
    use_database(f"sqlite:///{path}")
    yield path
    database.close()


def test_registering_one_asset(demo: Path, figures: Figures) -> None:
    """Rules, duplicates, record, ledger, event, commit; beside it, the bare rows by the same driver."""
    provider = make_provider()
    register_asset(provider, battery())
    per_round = [
        cpu_ms(lambda: [register_asset(provider, battery()) for _ in range(REGISTRATIONS)]) / REGISTRATIONS
        for _ in range(ROUNDS)
    ]
    taken = statistics.median(per_round)
    bare = _bare_rows(demo)
    ratio = f"{taken / bare:.0f} × the bare rows by sqlite3, each committed ({bare:.2f} ms)"
    bound = f"{REGISTER_BOUND_MS:.0f} ms"
    figures.add("Registering one asset through the service", f"{taken:.1f} ms of CPU", bound, ratio)
    assert taken <= REGISTER_BOUND_MS


def _bare_rows(path: Path) -> float:
    """What the rows of one registration cost without a register: copied by the driver, one commit a registration."""
    database.close()
    with sqlite3.connect(path) as connection:
        rows = {
            name: connection.execute(f"SELECT * FROM {name} ORDER BY rowid DESC LIMIT 1").fetchone()
            for name in ("asset", "ledger_entry", "event", "event_delivery")
        }
        for name, row in rows.items():
            connection.execute(f"CREATE TABLE bare_{name} ({', '.join(f'c{n}' for n in range(len(row)))})")

    def insert() -> None:
        for name, row in rows.items():
            connection.execute(f"INSERT INTO bare_{name} VALUES ({', '.join('?' * len(row))})", row)
        connection.commit()

    taken = statistics.median(
        cpu_ms(lambda: [insert() for _ in range(REGISTRATIONS)]) / REGISTRATIONS for _ in range(ROUNDS)
    )
    connection.close()
    return taken


def test_reading(demo: Path, figures: Figures) -> None:
    """A page of 50 by filter, and one asset, as a system operator of three areas."""
    operator = make_operator("UKPN_EPN", "UKPN_LPN", "UKPN_SPN")
    filters = AssetFilters(asset_category=("EV_CHARGER",))
    page = list_assets(operator, filters)
    first = page.items[0]
    listed = median_cpu_ms(lambda: list_assets(operator, filters), 30)
    one = median_cpu_ms(lambda: get_asset(operator, first.id), 50)
    with sqlite3.connect(demo) as connection:
        bare = median_cpu_ms(lambda: connection.execute("SELECT * FROM asset ORDER BY id DESC LIMIT 51").fetchall(), 30)
    connection.close()
    figures.add(
        "A page of 50 assets", f"{listed:.1f} ms of CPU", "", f"{listed / bare:.0f} × the bare SELECT ({bare:.2f} ms)"
    )
    figures.add("One asset by its identifier", f"{one:.1f} ms of CPU")


def test_ledger(demo: Path, figures: Figures) -> None:
    """Verification of the whole demo register; sealing what 300 registrations wrote."""
    result = verify_ledger(SYSTEM)
    taken = median_cpu_ms(lambda: verify_ledger(SYSTEM), 3)
    each = f"{taken / result.entries * 1000:.0f} µs for each of {result.entries:,} entries"
    figures.add("Verifying the ledger of the demo register", f"{taken / 1000:.2f} s of CPU", "", each)
    provider = make_provider()
    for _ in range(REGISTRATIONS):
        register_asset(provider, battery())
    sealed = cpu_ms(seal_and_anchor)
    figures.add(f"Sealing what {REGISTRATIONS} registrations wrote", f"{sealed:.0f} ms of CPU")


def test_export(demo: Path, tmp_path: Path, figures: Figures) -> None:
    """Every asset of the demo to a CSV file."""
    target = tmp_path / "assets.csv"
    count = export_to(SYSTEM, "assets", target)
    taken = median_cpu_ms(lambda: export_to(SYSTEM, "assets", target), 3)
    each = f"{taken / count * 1000:.0f} µs for each of {count:,} assets"
    figures.add("Exporting every asset to CSV", f"{taken / 1000:.2f} s of CPU", "", each)


def test_laying_the_demo_down(demo: Path, figures: Figures) -> None:
    """`make reset-demo`, without the start of Python."""
    taken = cpu_ms(reset) / 1000
    figures.add("Resetting the demo", f"{taken:.1f} s of CPU", f"{SEED_BOUND_S:.0f} s")
    assert taken <= SEED_BOUND_S


def test_start_with_data_in_place(demo: Path, figures: Figures) -> None:
    """`make run` until the portal answers, the register being there already."""
    database.close()
    starts = [_start(demo) for _ in range(ROUNDS)]
    bare = statistics.median(_bare_start() for _ in range(ROUNDS))
    seconds, cpu = statistics.median(one for one, _ in starts), statistics.median(one for _, one in starts)
    ratio = f"{seconds / bare:.1f} × importing Streamlit and SQLAlchemy alone ({bare:.1f} s)"
    figures.add(
        "Start of `make run` with data in place",
        f"{seconds:.1f} s, {cpu:.1f} s of CPU",
        f"{START_BOUND_S:.0f} s",
        ratio,
    )
    assert cpu <= START_BOUND_S


def _start(path: Path) -> tuple[float, float]:
    """(seconds until the health check answers, seconds of CPU that the process took by then)."""
    port = free_port()
    env = {**os.environ, "DATABASE_URL": f"sqlite:///{path}", "FMAR_WORKER": "false", "FMAR_ANCHOR_FILE": ""}
    started = time.monotonic()
    command = [sys.executable, "manage.py", "run", "--port", str(port)]
    process = subprocess.Popen(
        command, cwd=ROOT, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    )
    try:
        while time.monotonic() - started < 120:
            try:
                if httpx.get(f"http://127.0.0.1:{port}/api/health", timeout=2, trust_env=False).is_success:
                    return time.monotonic() - started, _cpu_of(process.pid)
            except httpx.HTTPError:
                time.sleep(0.05)
        raise AssertionError("The portal did not answer within two minutes.")
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(timeout=30)


def _cpu_of(pid: int) -> float:
    """Seconds of CPU that a process has taken; 0 where the system doesn't say."""
    stat = Path(f"/proc/{pid}/stat")
    if not stat.exists():
        return 0.0
    fields = stat.read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _bare_start() -> float:
    started = time.monotonic()
    subprocess.run([sys.executable, "-c", "import streamlit, sqlalchemy, streamlit.web.bootstrap"], check=True)
    return time.monotonic() - started
