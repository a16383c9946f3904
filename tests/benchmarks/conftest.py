"""Benchmarks run by ``make bench`` only: they measure, and what they measure goes into docs/performance.md."""

import os
from collections.abc import Iterator

import pytest

from tests.benchmarks.report import Figures, write_report


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave benchmarks out unless they were asked for by their mark."""
    if "benchmark" in (config.getoption("markexpr") or ""):
        return
    asked = pytest.mark.skip(reason="measures; run by make bench")
    for item in items:
        if item.get_closest_marker("benchmark"):
            item.add_marker(asked)


@pytest.fixture(scope="session")
def figures() -> Iterator[Figures]:
    """Where measurements are gathered; written to the document when all have run, unless FMAR_BENCH_KEEP is set."""
    gathered = Figures()
    yield gathered
    if gathered.rows and not os.environ.get("FMAR_BENCH_KEEP"):
        write_report(gathered)
