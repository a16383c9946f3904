"""Moments as people read them: in London, and sure also in the hour that comes twice."""

from datetime import UTC, datetime

import pytest

from services.core.clock import show_moment, show_period


@pytest.mark.parametrize(
    ("moment", "words"),
    [
        (datetime(2026, 10, 25, 0, 30, tzinfo=UTC), "25 Oct 2026, 01:30 BST (+01:00)"),
        (datetime(2026, 10, 25, 1, 30, tzinfo=UTC), "25 Oct 2026, 01:30 GMT (+00:00)"),
        (datetime(2026, 10, 25, 2, 30, tzinfo=UTC), "25 Oct 2026, 02:30"),
        (datetime(2026, 10, 24, 23, 30, tzinfo=UTC), "25 Oct 2026, 00:30"),
        (datetime(2026, 3, 29, 1, 30, tzinfo=UTC), "29 Mar 2026, 02:30"),
        (datetime(2026, 7, 1, 12, 0, tzinfo=UTC), "1 Jul 2026, 13:00"),
    ],
)
def test_an_hour_that_comes_twice_carries_its_offset(moment: datetime, words: str) -> None:
    assert show_moment(moment) == words


def test_a_period_over_the_hour_that_comes_twice_says_which_is_which() -> None:
    begin, end = datetime(2026, 10, 25, 0, 15, tzinfo=UTC), datetime(2026, 10, 25, 1, 15, tzinfo=UTC)
    assert show_period(begin, end) == "25 Oct 2026, 01:15 BST (+01:00) to 01:15 GMT (+00:00)"
