"""From measurements to the tables of docs/performance.md."""

import os
import platform
import sqlite3
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from services.core.settings import ROOT

DOCUMENT = ROOT / "docs" / "performance.md"
BEGIN, END = "<!-- figures: begin -->", "<!-- figures: end -->"
HEADINGS = ("What", "Measured", "Bound", "Against a baseline in the same run")


@dataclass
class Figures:
    """Rows of the table: what, measured, bound, ratio in words."""

    rows: list[tuple[str, str, str, str]] = field(default_factory=list)

    def add(self, what: str, measured: str, bound: str = "", ratio: str = "") -> None:
        """Keep one figure, and show it."""
        self.rows.append((what, measured, bound, ratio))
        print(f"\n  {what}: {measured}  {f'(bound {bound})' if bound else ''}  {ratio}")


def cpu_ms(act: Callable[[], object]) -> float:
    """Milliseconds of processor time that an act takes."""
    started = time.process_time()
    act()
    return (time.process_time() - started) * 1000


def median_cpu_ms(act: Callable[[], object], times: int) -> float:
    """The median over several runs; one run before them warms caches up."""
    act()
    return statistics.median(cpu_ms(act) for _ in range(times))


def table(figures: Figures) -> str:
    """The figures as a Markdown table, with the machine that gave them."""
    lines = [f"| {' | '.join(HEADINGS)} |", f"|{'---|' * len(HEADINGS)}"]
    lines += [f"| {' | '.join(row)} |" for row in figures.rows]
    machine = f"Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}, {os.cpu_count()} processors, "
    return "\n".join([*lines, "", f"{machine}{platform.system()}."])


def write_report(figures: Figures) -> None:
    """Put the table between the markers of the document."""
    text = DOCUMENT.read_text(encoding="utf-8")
    before, rest = text.split(BEGIN)
    after = rest.split(END)[1]
    DOCUMENT.write_text(f"{before}{BEGIN}\n{table(figures)}\n{END}{after}", encoding="utf-8")
