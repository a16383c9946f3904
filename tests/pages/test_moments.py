"""Moments in tables: the hour that comes twice when the clocks go back carries its offset."""

from datetime import UTC, datetime

import pytest

from pages.components.common.moments import moment_column

FORMAT = "DD MMM YYYY, HH:mm"


@pytest.mark.parametrize(
    ("moments", "offset"),
    [
        ([datetime(2026, 10, 25, 0, 30, tzinfo=UTC)], " Z"),
        ([datetime(2026, 10, 25, 1, 30, tzinfo=UTC), None], " Z"),
        ([datetime(2026, 10, 25, 2, 0, tzinfo=UTC), datetime(2026, 10, 24, 23, 59, tzinfo=UTC)], ""),
        ([datetime(2026, 3, 29, 1, 30, tzinfo=UTC)], ""),
        ([], ""),
    ],
)
def test_a_column_shows_its_offset_where_an_hour_comes_twice(moments: list[datetime | None], offset: str) -> None:
    assert moment_column(moments)["type_config"]["format"] == FORMAT + offset
