"""What the benchmark of bulk registration runs in processes of their own: each side does one thing, and says what it took.

    python -m tests.benchmarks.bulk_sides SIDE FOLDER [FILE ...]

prints one line of JSON. The register is that of DATABASE_URL; FOLDER says who registers and what was there before. Imports,
and what is laid down before, aren't in the figures.
"""

import json
import os
import resource
import sys
import time
from collections.abc import Callable, Collection
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

from services.assets.bulk.exporting import export_file
from services.assets.bulk.jobs import Wishes, get_job, submit_file
from services.assets.bulk.working import work_through_jobs
from services.core import database
from services.core.actor import Actor
from services.core.migrate import migrate
from services.core.second_process import second_process
from services.first_data import begin
from services.participants.acting import actor_for_user
from services.registry import load_all
from tests.benchmarks.bare_rows import ASSETS_AND_LEDGER, TABLES, counts_of, prepared
from tests.factories import make_fsp

BEGUN = "begun.json"
POSTMASTER = "FMAR_BENCH_POSTMASTER"
"""The process of the database server, whose processor time and that of its children is counted too."""
TICKS = os.sysconf("SC_CLK_TCK")


@dataclass
class Spent:
    """Seconds of processor time and of the clock, the most memory the processes ever had (MB), and what came of it."""

    cpu_s: float = 0
    wall_s: float = 0
    peak_mb: float = 0
    registered: int = 0
    unchanged: int = 0
    refused: int = 0


def measured(act: Callable[[], object]) -> Spent:
    """What an act takes of this process and its children, all threads counted, and of the database server if there is one."""
    wall, cpu = time.perf_counter(), _cpu()
    act()
    wall_s = time.perf_counter() - wall
    # What checks rows ahead is counted when it has ended, and its most memory as if it had been at the same moment.
    second_process().shutdown()
    peaks = (resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return Spent(_cpu() - cpu, wall_s, sum(peaks) / 1024)


def _cpu() -> float:
    spent = os.times()
    return spent.user + spent.system + spent.children_user + spent.children_system + _server_cpu()


def _server_cpu() -> float:
    """Seconds that the server has spent: itself, its children, and those of them that have ended."""
    postmaster = os.environ.get(POSTMASTER)
    if not postmaster:
        return 0.0
    ticks = 0
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if path.parent.name == postmaster:
            ticks += sum(int(fields[place]) for place in (11, 12, 13, 14))
        elif fields[1] == postmaster:
            ticks += int(fields[11]) + int(fields[12])
    return ticks / TICKS


def lay_down(folder: Path) -> Spent:
    """A register with its first data and one provider; what there is then is kept beside it."""
    load_all()
    migrate()
    begin()
    actor = make_fsp("Ampere Flex")
    database.close()
    begun = {"provider": [str(actor.user_id), str(actor.organisation_id)], "rows": counts_of(_url())}
    (folder / BEGUN).write_text(json.dumps(begun))
    return Spent()


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


def bare(folder: Path, tables: Collection[str] = TABLES) -> Spent:
    """The rows that the job left in these tables, inserted by the driver alone."""
    before = {table: count for table, count in _begun(folder)["rows"].items() if table in tables}
    act, assets = prepared(_url(), before, folder)
    spent = measured(act)
    spent.registered = assets
    return spent


def _url() -> str:
    return os.environ["DATABASE_URL"]


def _begun(folder: Path) -> dict[str, Any]:
    return json.loads((folder / BEGUN).read_text())


def _provider(folder: Path) -> Actor:
    load_all()
    user, organisation = _begun(folder)["provider"]
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
        case "bare-core":
            return bare(folder, ASSETS_AND_LEDGER)
    raise SystemExit(f"There is no side {side}.")


if __name__ == "__main__":
    print(json.dumps(asdict(main(sys.argv[1], Path(sys.argv[2]), [Path(name) for name in sys.argv[3:]]))))
