"""What the benchmark of bulk registration runs in processes of their own: each side does one thing, and says what it took.

    python -m tests.benchmarks.bulk_sides SIDE FOLDER [FILE ...]

prints one line of JSON. The register is that of DATABASE_URL; FOLDER says who registers and what was there before. Imports,
and what is laid down before, aren't in the figures.
"""

import json
import os
import sys
import threading
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

from services.assets.bulk.export.direct import export_file
from services.assets.bulk.pipeline.worker import work_through_jobs
from services.assets.bulk.upload.jobs import Wishes, get_job, submit_file
from services.core.db import engine as database
from services.core.db.migrate import migrate
from services.core.identity.actor import Actor
from services.core.identity.resolve import actor_for_user
from services.core.jobs.process_pool import collect_seldom
from services.first_data import begin
from services.wiring import wire
from tests.benchmarks.bare_rows import ASSETS_AND_LEDGER, TABLES, counts_of, prepared
from tests.factories import make_fsp

BEGUN = "begun.json"
POSTMASTER = "FMAR_BENCH_POSTMASTER"
"""The process of the database server, whose processor time and that of its children is counted too."""
TICKS = os.sysconf("SC_CLK_TCK")
PAGE_MB = os.sysconf("SC_PAGE_SIZE") / 2**20
LOOKS_EVERY = 0.1
"""Seconds."""


@dataclass
class Spent:
    """Seconds of processor time and of the clock, the most memory that all processes had together (MB), and what came of it."""

    cpu_s: float = 0
    wall_s: float = 0
    peak_mb: float = 0
    registered: int = 0
    unchanged: int = 0
    refused: int = 0


def measured(act: Callable[[], object]) -> Spent:
    """What an act takes of this process and its children, all threads counted, and of the database server if there is one."""
    watch = _MemoryWatch()
    watch.start()
    wall, cpu = time.perf_counter(), _cpu()
    act()
    wall_s = time.perf_counter() - wall
    watch.over.set()
    watch.join()
    return Spent(_cpu() - cpu, wall_s, watch.most_mb)


class _MemoryWatch(threading.Thread):
    """Looks again and again at how much memory this process and its descendants have at the same moment."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.over = threading.Event()
        self.most_mb = 0.0

    def run(self) -> None:
        while not self.over.wait(LOOKS_EVERY):
            self.most_mb = max(self.most_mb, sum(map(_resident_mb, _family(os.getpid()))))


def _family(process: int) -> Iterator[int]:
    yield process
    with suppress(OSError):
        for children in Path(f"/proc/{process}/task").glob("*/children"):
            for child in children.read_text().split():
                yield from _family(int(child))


def _resident_mb(process: int) -> float:
    """Pages that two processes share are counted for each of them."""
    with suppress(OSError):
        return int(Path(f"/proc/{process}/statm").read_text().split()[1]) * PAGE_MB
    return 0.0


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
    wire()
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
    # As the process beside the portal that works on large files.
    collect_seldom()
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
    wire()
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
