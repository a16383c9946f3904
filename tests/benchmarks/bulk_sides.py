"""What the benchmark of bulk registration runs in processes of their own: each side does one thing, and says what it took.

    python -m tests.benchmarks.bulk_sides SIDE FOLDER [FILE ...]

prints one line of JSON. FOLDER holds `register.sqlite`. Imports, and what is laid down before, aren't in the figures.
"""

import json
import resource
import sqlite3
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from uuid import UUID

from services.assets.bulk.exporting import export_file
from services.assets.bulk.jobs import Wishes, get_job, submit_file
from services.assets.bulk.working import work_through_jobs
from services.core import database
from services.core.actor import Actor
from services.core.migrate import migrate
from services.first_data import begin
from services.participants.acting import actor_for_user
from services.registry import load_all
from tests.conftest import use_database
from tests.factories import make_fsp

TABLES = ("asset", "asset_alias", "ledger_entry", "event", "event_delivery")
"""What registering writes: assets, their aliases, ledger and events. Counts and the job aren't asked of the baseline."""
REGISTER, BEGUN, PROVIDER = "register.sqlite", "begun.sqlite", "provider.json"


@dataclass
class Spent:
    """Seconds of processor time and of the clock, the most memory the process ever had (MB), and what came of it."""

    cpu_s: float
    wall_s: float
    peak_mb: float
    registered: int = 0
    unchanged: int = 0
    refused: int = 0


def measured(act: Callable[[], object]) -> Spent:
    """What an act takes of this process, all threads counted."""
    wall, cpu = time.perf_counter(), time.process_time()
    act()
    cpu_s, wall_s = time.process_time() - cpu, time.perf_counter() - wall
    return Spent(cpu_s, wall_s, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


def lay_down(folder: Path) -> Spent:
    """A register with its first data and one provider, kept twice: to work on, and to tell later what was there before."""
    _use(folder)
    migrate()
    begin()
    actor = make_fsp("Ampere Flex")
    (folder / PROVIDER).write_text(json.dumps([str(actor.user_id), str(actor.organisation_id)]))
    database.close()
    with sqlite3.connect(folder / REGISTER) as connection:
        connection.execute("VACUUM INTO ?", (str(folder / BEGUN),))
    return Spent(0, 0, 0)


def whole_job(folder: Path, files: list[Path], *, dry_run: bool = False) -> Spent:
    """Hand files in and work until all is done: read, validate, look for duplicates, store with ledger and events."""
    actor = _provider(folder)
    jobs: list[UUID] = []

    def act() -> None:
        for file in files:
            jobs.append(submit_file(actor, file.read_bytes(), file.name, Wishes(dry_run=dry_run)).id)
            work_through_jobs()

    spent = measured(act)
    for done in (get_job(actor, job_id) for job_id in jobs):
        spent.registered += done.rows_registered
        spent.unchanged += done.rows_unchanged
        spent.refused += done.rows_refused
    return spent


def export(folder: Path) -> Spent:
    """The portfolio as CSV."""
    actor = _provider(folder)
    return measured(lambda: export_file(actor, "csv", folder / "out.csv"))


def bare(folder: Path) -> Spent:
    """The rows that the job left, inserted by the driver alone into empty tables of the same shape and indexes."""
    rows, made = _left_by_the_job(folder)
    path = folder / "bare.sqlite"
    for old in folder.glob(f"{path.name}*"):
        old.unlink()
    target = sqlite3.connect(path)
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL"):
        target.execute(f"PRAGMA {pragma}")
    for statement in made:
        target.execute(statement)
    target.commit()

    def act() -> None:
        for table, lines in rows.items():
            target.executemany(f"INSERT INTO {table} VALUES ({', '.join('?' * len(lines[0]))})", lines)
        target.commit()

    spent = measured(act)
    target.close()
    spent.registered = len(rows["asset"])
    return spent


def _left_by_the_job(folder: Path) -> tuple[dict[str, list[tuple]], list[str]]:
    """Rows by table that weren't there when the job began, and the statements that make tables and indexes."""
    source = sqlite3.connect(folder / REGISTER)
    source.execute("ATTACH ? AS begun", (str(folder / BEGUN),))
    rows = {
        table: source.execute(
            f"SELECT * FROM main.{table} WHERE rowid > (SELECT coalesce(max(rowid), 0) FROM begun.{table}) ORDER BY rowid"
        ).fetchall()
        for table in TABLES
    }
    made = source.execute(
        f"SELECT sql FROM main.sqlite_master WHERE sql IS NOT NULL AND type IN ('table', 'index') "
        f"AND tbl_name IN ({', '.join('?' * len(TABLES))}) ORDER BY type DESC",
        TABLES,
    ).fetchall()
    source.close()
    return {table: lines for table, lines in rows.items() if lines}, [statement for (statement,) in made]


def _use(folder: Path) -> None:
    use_database(f"sqlite:///{folder / REGISTER}")
    load_all()


def _provider(folder: Path) -> Actor:
    _use(folder)
    user, organisation = json.loads((folder / PROVIDER).read_text())
    return actor_for_user(UUID(user), UUID(organisation))


def main(side: str, folder: Path, files: list[Path]) -> Spent:
    """Do what a side does."""
    match side:
        case "lay-down":
            return lay_down(folder)
        case "job":
            return whole_job(folder, files)
        case "dry-run":
            return whole_job(folder, files, dry_run=True)
        case "export":
            return export(folder)
        case "bare":
            return bare(folder)
    raise SystemExit(f"There is no side {side}.")


if __name__ == "__main__":
    print(json.dumps(asdict(main(sys.argv[1], Path(sys.argv[2]), [Path(name) for name in sys.argv[3:]]))))
