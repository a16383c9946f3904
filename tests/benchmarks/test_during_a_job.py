"""What other users notice while a large file is registered: pages, in the portal whose worker has it."""

import os
import shutil
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from models.bulk import UNFINISHED
from services.assets.bulk.upload.jobs import Wishes, get_job, submit_file
from services.core.jobs.worker import Worker
from tests.benchmarks.portfolio import write_portfolio
from tests.benchmarks.registers import SIZES, register_of, use
from tests.benchmarks.report import Figures
from tests.factories import make_fsp
from tests.pages.portal import open_page

pytestmark = [pytest.mark.benchmark, pytest.mark.timeout(3_600)]
ROWS = int(os.environ.get("FMAR_BENCH_ROWS", "100000"))
MOST = 1.3
TIMES = 15
PAGES = {"home": None, "the list of assets": "assets/assets"}


def _seconds(act: Callable[[], object]) -> float:
    started = time.perf_counter()
    act()
    return time.perf_counter() - started


def test_pages_while_a_file_is_registered(tmp_path: Path, figures: Figures) -> None:
    """Each page again and again, alone and beside the worker; both by the clock."""
    register = tmp_path / "register.sqlite"
    shutil.copyfile(register_of(SIZES[0]), register)
    use(register)
    file = write_portfolio(tmp_path / "portfolio.csv", ROWS)
    opened = {name: open_page("bramble", page) for name, page in PAGES.items()}
    alone = {name: statistics.median(_seconds(at.run) for _ in range(TIMES)) for name, at in opened.items()}
    actor = make_fsp("Ampere Flex")
    job = submit_file(actor, file.read_bytes(), file.name, Wishes(dry_run=False))
    worker = Worker(0.1)
    worker.start()
    beside: dict[str, list[float]] = {name: [] for name in opened}
    try:
        while get_job(actor, job.id).status in UNFINISHED:
            for name, at in opened.items():
                beside[name].append(_seconds(at.run))
    finally:
        worker.stop()
    assert get_job(actor, job.id).rows_registered
    for name, times in beside.items():
        median = statistics.median(times)
        worst = max(times)
        figures.add(
            f"A page while {ROWS:,} rows are registered in the same portal: {name}",
            f"{median * 1000:,.0f} ms by the clock (median of {len(times)}; the slowest {worst * 1000:,.0f} ms)",
            f"{MOST:g} × alone",
            f"{median / alone[name]:.2f} × the same page alone ({alone[name] * 1000:,.0f} ms)",
        )
        assert median <= MOST * alone[name]
