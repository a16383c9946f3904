"""Bulk registration, each side in a fresh process: our whole job, the bare driver, and a peer, over the same file.

`FMAR_BENCH_ROWS=10000` makes the file smaller than 100,000 rows for a quick look (bounds are held from 100,000 on);
`FMAR_BENCH_BULK_SIZES=10000,1000000` chooses the sizes between which time and memory are compared.
"""

import json
import os
import shutil
import statistics
import subprocess
import sys
from pathlib import Path

import pytest

from services.core.settings import ROOT
from tests.benchmarks.bulk_sides import BEGUN, REGISTER, Spent
from tests.benchmarks.peers.environment import NotInstallable, peer_python
from tests.benchmarks.portfolio import COLUMNS, refused_in, write_portfolio
from tests.benchmarks.report import Figures

pytestmark = [pytest.mark.benchmark, pytest.mark.timeout(14_400)]
ROWS = int(os.environ.get("FMAR_BENCH_ROWS", "100000"))
SIZES = sorted(int(size) for size in os.environ.get("FMAR_BENCH_BULK_SIZES", "10000,100000").split(","))
OF_ONE_FILE = 500_000
"""The most rows that one upload may have: a million come as two."""
BARE_TIMES = 3
MOST_OF_BARE, LEAST_OF_PEER, MOST_GROWTH, MOST_MEMORY_MB = 2.0, 3.0, 1.3, 1_500
BOUNDS_FROM = 100_000
PEER = ROOT / "tests" / "benchmarks" / "peers" / "import_export_peer.py"


def _process(*command: object) -> Spent:
    """What a side says, run by a process of its own; what it prints before its last line is passed over."""
    environment = {**os.environ, "FMAR_ANCHOR_FILE": "", "FMAR_MODE": "live"}
    done = subprocess.run(
        [str(part) for part in command], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return Spent(**json.loads(done.stdout.splitlines()[-1]))


def _side(name: str, folder: Path, *files: Path) -> Spent:
    return _process(sys.executable, "-m", "tests.benchmarks.bulk_sides", name, folder, *files)


def _told(spent: Spent, rows: int) -> str:
    return (
        f"{spent.cpu_s:.1f} s of CPU, {rows / spent.cpu_s:,.0f} rows/s ({spent.wall_s:.1f} s by the clock, "
        f"{spent.peak_mb:,.0f} MB)"
    )


@pytest.fixture(scope="module")
def begun(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A register with its first data and one provider, to be copied."""
    folder = tmp_path_factory.mktemp("begun")
    _side("lay-down", folder)
    return folder


def _register(begun: Path, folder: Path) -> Path:
    """A folder with a register of its own."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in os.listdir(begun):
        shutil.copyfile(begun / name, folder / name)
    shutil.copyfile(begun / BEGUN, folder / REGISTER)
    return folder


def test_a_portfolio(begun: Path, tmp_path: Path, figures: Figures) -> None:
    """The whole job beside the rows that it leaves, inserted bare; then what else a provider does with such a file."""
    file = write_portfolio(tmp_path / "portfolio.csv", ROWS)
    refused = refused_in(ROWS)
    dry = _side("dry-run", _register(begun, tmp_path / "dry"), file)
    folder = _register(begun, tmp_path / "job")
    job = _side("job", folder, file)
    assert (job.registered, job.refused) == (ROWS - refused, refused)
    assert (dry.registered, dry.refused) == (job.registered, job.refused)
    bare = statistics.median(_side("bare", folder).cpu_s for _ in range(BARE_TIMES))
    again = _side("job", folder, file)
    assert (again.registered, again.unchanged) == (0, job.registered)
    out = _side("export", folder)
    what = f"{ROWS:,} rows of {len(COLUMNS)} columns, five categories, {refused:,} faulty"
    ratio = job.cpu_s / bare
    bound = f"{MOST_OF_BARE:g} × bare"
    baseline = f"{ratio:.2f} × the bare sqlite3 module inserting the same rows ({bare:.1f} s)"
    figures.add(f"Whole bulk job, {what}", _told(job, ROWS), bound, baseline)
    figures.add(f"Dry run, {what}", _told(dry, ROWS), "", f"{dry.cpu_s / job.cpu_s:.2f} × the whole job")
    figures.add("The same file once more: nothing changes", _told(again, ROWS))
    figures.add(f"Exporting the {job.registered:,} assets to CSV", _told(out, job.registered))
    assert ROWS < BOUNDS_FROM or ratio <= MOST_OF_BARE


def test_beside_a_peer(begun: Path, tmp_path: Path, figures: Figures) -> None:
    """Our whole job and django-import-export in bulk mode with model validation, one after the other."""
    try:
        python = peer_python()
    except NotInstallable as reason:
        pytest.skip(f"django-import-export can't be installed here: {reason}")
    file = write_portfolio(tmp_path / "portfolio.csv", ROWS)
    peer = _process(python, PEER, tmp_path, file)
    job = _side("job", _register(begun, tmp_path / "job"), file)
    assert (peer.registered, peer.refused) == (job.registered, job.refused)
    ratio = peer.cpu_s / job.cpu_s
    figures.add(
        f"Rows per second of the whole job beside django-import-export, {ROWS:,} rows",
        f"{ROWS / job.cpu_s:,.0f} rows/s of CPU",
        f"{LEAST_OF_PEER:g} × the peer",
        f"{ratio:.1f} × django-import-export, bulk mode with model validation ({ROWS / peer.cpu_s:,.0f} rows/s; "
        f"{peer.cpu_s:.1f} s of CPU, {peer.wall_s:.1f} s by the clock)",
    )
    assert ROWS < BOUNDS_FROM or ratio >= LEAST_OF_PEER


def test_growth(begun: Path, tmp_path: Path, figures: Figures) -> None:
    """Time per row and memory from the smallest to the largest size; more than one file may hold come one after another."""
    per_row: dict[int, float] = {}
    for size in SIZES:
        spent = _grown(begun, tmp_path / str(size), size)
        per_row[size] = spent.cpu_s / size
        grown = per_row[size] / per_row[SIZES[0]]
        figures.add(
            f"Registering {size:,} rows into an empty register",
            f"{per_row[size] * 1e6:,.0f} µs of CPU a row, {spent.wall_s:.1f} s by the clock, at most {spent.peak_mb:,.0f} MB",
            f"{MOST_GROWTH:g} × at {SIZES[0]:,}; {MOST_MEMORY_MB:,} MB",
            f"{grown:.2f} × at {SIZES[0]:,}" if size != SIZES[0] else "",
        )
        assert spent.peak_mb <= MOST_MEMORY_MB
        shutil.rmtree(tmp_path / str(size))
    assert max(per_row.values()) <= MOST_GROWTH * per_row[SIZES[0]]


def _grown(begun: Path, folder: Path, size: int) -> Spent:
    """A job, or several, of so many rows; small ones three times, for their median."""
    times = []
    for turn in range(1 if size > 20_000 else 3):
        register = _register(begun, folder / str(turn))
        files = [
            write_portfolio(register / f"portfolio-{first}.csv", min(OF_ONE_FILE, size - first), first)
            for first in range(0, size, OF_ONE_FILE)
        ]
        spent = _side("job", register, *files)
        assert spent.registered == size - refused_in(size)
        times.append(spent)
    return sorted(times, key=lambda one: one.cpu_s)[len(times) // 2]
