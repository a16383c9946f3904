"""What holds after every test of the market: its kept counts are what counting anew gives."""

from collections.abc import Iterator

import pytest

from services.core.transaction import unit_of_work
from services.market.counters.reconcile import find_drifts
from tests.asset_factories import STAMP


@pytest.fixture(autouse=True)
def counts_of_the_market_are_right(request: pytest.FixtureRequest) -> Iterator[None]:
    """Whatever a test of units, applications and their steps did, nothing has drifted."""
    if "register" not in request.fixturenames:
        yield
        return
    request.getfixturevalue("register")
    yield
    with unit_of_work(STAMP, writes=False) as session:
        assert find_drifts(session) == []
