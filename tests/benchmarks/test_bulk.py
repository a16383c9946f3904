"""Bulk registration, each side in a fresh process: our whole job, the bare driver, and a peer, over the same file.

`FMAR_BENCH_ROWS=10000` makes the file smaller than 100,000 rows for a quick look (bounds are held from 100,000 on);
`FMAR_BENCH_BULK_SIZES=10000,1000000` chooses the sizes between which time and memory are compared.
"""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import psycopg
import pytest

from services.core.settings import ROOT
from tests.benchmarks.bulk_sides import POSTMASTER, Spent
from tests.benchmarks.peers.environment import NotInstallable, peer_python
from tests.benchmarks.portfolio import COLUMNS, refused_in, write_portfolio
from tests.benchmarks.report import Figures
from tests.databases import fresh_postgres

pytestmark = [pytest.mark.benchmark, pytest.mark.timeout(14_400)]
ROWS = int(os.environ.get("FMAR_BENCH_ROWS", "100000"))
SIZES = sorted(int(size) for size in os.environ.get("FMAR_BENCH_BULK_SIZES", "10000,100000").split(","))
OF_ONE_FILE = 500_000
"""The most rows that one upload may have: a million come as two."""
TURNS = 3
"""The speed of a shared machine varies from minute to minute: what is compared runs by turns, and the median turn is told."""
MOST_OF_BARE, LEAST_OF_PEER, MOST_SECONDS = 4.0, 5.0, 60
MOST_MEMORY_MB = {100_000: 700, 1_000_000: 1_200}
BOUNDS_FROM = 100_000
PEER = ROOT / "tests" / "benchmarks" / "peers" / "import_export_peer.py"
BASELINES = {
    "sqlite": "the bare sqlite3 module inserting the same asset and ledger rows",
    "postgres": "bare psycopg COPY of the same asset and ledger rows",
}


def _process(environment: dict[str, str], *command: object) -> Spent:
    """What a side says, run by a process of its own; what it prints before its last line is passed over."""
    done = subprocess.run(
        [str(part) for part in command], cwd=ROOT, env={**os.environ, **environment}, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return Spent(**json.loads(done.stdout.splitlines()[-1]))


@dataclass(frozen=True, slots=True)
class Register:
    """A register with its first data and one provider, and a folder beside it."""

    folder: Path
    environment: dict[str, str]

    def side(self, name: str, *files: Path) -> Spent:
        """Let a fresh process do one thing with it."""
        return _process(
            self.environment, sys.executable, "-m", "tests.benchmarks.bulk_sides", name, self.folder, *files
        )


@contextmanager
def _register(kind: str, folder: Path) -> Iterator[Register]:
    """A new register on SQLite or PostgreSQL."""
    folder.mkdir(parents=True)
    usual = {"FMAR_ANCHOR_FILE": ""}
    if kind == "sqlite":
        register = Register(folder, {**usual, "DATABASE_URL": f"sqlite:///{folder / 'register.sqlite'}"})
        register.side("lay-down")
        yield register
    else:
        with fresh_postgres() as url:
            register = Register(folder, {**usual, "DATABASE_URL": url, POSTMASTER: _postmaster(url)})
            register.side("lay-down")
            yield register
    shutil.rmtree(folder)


def _postmaster(url: str) -> str:
    """The process of the server, as its own file names it."""
    with psycopg.connect(url.replace("+psycopg", "", 1)) as connection:
        row = connection.execute("SELECT pg_read_file('postmaster.pid')").fetchone()
    assert row
    return str(row[0].splitlines()[0])


def _told(spent: Spent, rows: int) -> str:
    return (
        f"{spent.cpu_s:.1f} s of CPU, {rows / spent.cpu_s:,.0f} rows/s ({spent.wall_s:.1f} s by the clock, "
        f"{spent.peak_mb:,.0f} MB)"
    )


class Turn(NamedTuple):
    """The whole job, and after it the rows that it left, inserted bare: assets and ledger, and all."""

    job: Spent
    core: Spent
    bare: Spent

    @property
    def ratio(self) -> float:
        """The job's time by the clock beside that of bare assets and ledger."""
        return self.job.wall_s / self.core.wall_s


def _turn(register: Register, file: Path) -> Turn:
    job = register.side("job", file)
    refused = refused_in(ROWS)
    assert (job.registered, job.refused) == (ROWS - refused, refused)
    return Turn(job, register.side("bare-core"), register.side("bare"))


@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
def test_a_portfolio(kind: str, tmp_path: Path, figures: Figures) -> None:
    """The whole job beside the rows that it leaves, inserted bare; then what else a provider does with such a file."""
    file = write_portfolio(tmp_path / "portfolio.csv", ROWS)
    refused = refused_in(ROWS)
    with _register(kind, tmp_path / "dry") as register:
        dry = register.side("dry-run", file)
    turns: list[Turn] = []
    for number in range(TURNS - 1):
        with _register(kind, tmp_path / f"job-{number}") as register:
            turns.append(_turn(register, file))
    with _register(kind, tmp_path / "job") as register:
        turns.append(_turn(register, file))
        turn = sorted(turns, key=lambda one: one.ratio)[TURNS // 2]
        job, core, bare = turn
        assert (dry.registered, dry.refused) == (job.registered, job.refused)
        again = register.side("job", file)
        assert (again.registered, again.unchanged) == (0, job.registered)
        out = register.side("export")
    name = {"sqlite": "SQLite", "postgres": "PostgreSQL"}[kind]
    what = f"{ROWS:,} rows of {len(COLUMNS)} columns, five categories, {refused:,} faulty, {name}"
    spread = " to ".join(f"{one.ratio:.2f}" for one in sorted(turns, key=lambda one: one.ratio)[:: TURNS - 1])
    baseline = (
        f"{turn.ratio:.2f} × ({spread} × in {TURNS} turns) {BASELINES[kind]} ({core.wall_s:.1f} s by the clock); "
        f"{job.wall_s / bare.wall_s:.2f} × when aliases, events and deliveries are inserted bare too "
        f"({bare.wall_s:.1f} s); in CPU {job.cpu_s / core.cpu_s:.2f} and "
        f"{job.cpu_s / bare.cpu_s:.2f} ×"
    )
    figures.add(f"Whole bulk job, {what}", _told(job, ROWS), f"{MOST_OF_BARE:g} × bare", baseline)
    figures.add(f"Dry run, {what}", _told(dry, ROWS), "", f"{dry.cpu_s / job.cpu_s:.2f} × the whole job")
    figures.add(f"The same file once more, nothing changes, {name}", _told(again, ROWS))
    figures.add(f"Exporting the {job.registered:,} assets to CSV, {name}", _told(out, job.registered))
    assert ROWS < BOUNDS_FROM or turn.ratio <= MOST_OF_BARE
    assert ROWS > BOUNDS_FROM or job.wall_s <= MOST_SECONDS


def test_beside_a_peer(tmp_path: Path, figures: Figures) -> None:
    """Our whole job and django-import-export in bulk mode with model validation, one after the other."""
    try:
        python = peer_python()
    except NotInstallable as reason:
        pytest.skip(f"django-import-export can't be installed here: {reason}")
    file = write_portfolio(tmp_path / "portfolio.csv", ROWS)
    peer = _process({}, python, PEER, tmp_path, file)
    with _register("sqlite", tmp_path / "job") as register:
        job = register.side("job", file)
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


def test_growth(tmp_path: Path, figures: Figures) -> None:
    """Time per row and memory from the smallest to the largest size; more than one file may hold come one after another."""
    per_row: dict[int, float] = {}
    first: Spent | None = None
    for size in SIZES:
        spent = _grown(tmp_path / str(size), size)
        first = first or spent
        per_row[size] = spent.wall_s / size
        most_memory = next((most for rows, most in MOST_MEMORY_MB.items() if size <= rows), None)
        more_cpu = spent.cpu_s / size / (first.cpu_s / SIZES[0])
        figures.add(
            f"Registering {size:,} rows into an empty register",
            f"{per_row[size] * 1e6:,.0f} µs a row by the clock, {spent.cpu_s / size * 1e6:,.0f} µs of CPU; "
            f"{spent.wall_s:.1f} s, at most {spent.peak_mb:,.0f} MB",
            f"{most_memory:,} MB" if most_memory else "",
            f"{per_row[size] / per_row[SIZES[0]]:.2f} × at {SIZES[0]:,} by the clock, {more_cpu:.2f} × in CPU"
            if spent is not first
            else "",
        )
        assert most_memory is None or spent.peak_mb <= most_memory


def _grown(folder: Path, size: int) -> Spent:
    """A job, or several, of so many rows; small ones three times, for their median."""
    times = []
    for turn in range(1 if size > 20_000 else 3):
        with _register("sqlite", folder / str(turn)) as register:
            files = [
                write_portfolio(register.folder / f"portfolio-{first}.csv", min(OF_ONE_FILE, size - first), first)
                for first in range(0, size, OF_ONE_FILE)
            ]
            spent = register.side("job", *files)
        assert spent.registered == size - refused_in(size)
        times.append(spent)
    return sorted(times, key=lambda one: one.wall_s)[len(times) // 2]
