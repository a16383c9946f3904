"""Several programs at once: one wins, the others are told (UC-02.01, UC-02.03)."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from tests.api.conftest import Program
from tests.asset_factories import battery

CALLERS = 6


def at_once(call: Callable[[int], httpx.Response]) -> list[int]:
    """The statuses of several calls that are under way together, sorted."""
    with ThreadPoolExecutor(CALLERS) as callers:
        return sorted(answer.status_code for answer in callers.map(call, range(CALLERS)))


@pytest.mark.use_case("UC-02.03")
def test_of_several_changes_of_one_version_one_is_made(program: Program) -> None:
    mine = program()
    path = f"/v1/assets/{mine.post('/v1/assets', json=battery()).json()['AssetId']}"
    tag = {"If-Match": '"1"'}
    statuses = at_once(lambda n: mine.patch(path, json={"AssetModel": f"Model {n}"}, headers=tag))
    assert statuses == [200] + [412] * (CALLERS - 1)
    assert mine.get(path).headers["ETag"] == '"2"'
    assert len(mine.get(f"{path}/history").json()["items"]) == 2


@pytest.mark.use_case("UC-02.01")
def test_of_several_registrations_of_one_device_one_is_made(program: Program) -> None:
    mine = program()
    values = battery()
    statuses = at_once(lambda _n: mine.post("/v1/assets", json=values))
    assert statuses == [201] + [409] * (CALLERS - 1)
    assert len(mine.get("/v1/assets").json()["items"]) == 1
