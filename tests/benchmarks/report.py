"""From measurements to the tables of docs/performance.md."""

import os
import platform
import sqlite3
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from services.core.settings import ROOT

DOCUMENT = ROOT / "docs" / "performance.md"
PARTS = ("waits", "figures")
"""The tables of the document: what people wait for, and what services take."""
HEADINGS = ("What", "Measured", "Bound", "Against a baseline in the same run")


@dataclass
class Figures:
    """Rows of the tables, by the table: what, measured, bound, ratio in words."""

    rows: dict[str, list[tuple[str, str, str, str]]] = field(default_factory=dict)

    def add(self, what: str, measured: str, bound: str = "", ratio: str = "", *, part: str = "figures") -> None:
        """Keep one figure, and show it."""
        self.rows.setdefault(part, []).append((what, measured, bound, ratio))
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


def table(rows: Sequence[tuple[str, str, str, str]], before: str = "") -> str:
    """The figures as a Markdown table, with the machine that gave them; other lines of an earlier table stay."""
    lines = {line.split(" | ")[0]: line for line in before.strip().splitlines()[2:] if line.startswith("|")}
    lines.update({f"| {row[0]}": f"| {' | '.join(row)} |" for row in rows})
    head = [f"| {' | '.join(HEADINGS)} |", f"|{'---|' * len(HEADINGS)}"]
    machine = f"Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}, {os.cpu_count()} processors, "
    return "\n".join([*head, *lines.values(), "", f"{machine}{platform.system()}."])


def write_report(figures: Figures) -> None:
    """Put what was measured into the tables between the markers of the document."""
    text = DOCUMENT.read_text(encoding="utf-8")
    for part in PARTS:
        if part in figures.rows:
            begin, end = f"<!-- {part}: begin -->", f"<!-- {part}: end -->"
            before, rest = text.split(begin)
            old, after = rest.split(end)
            text = f"{before}{begin}\n{table(figures.rows[part], old)}\n{end}{after}"
    DOCUMENT.write_text(text, encoding="utf-8")
