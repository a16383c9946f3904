"""The file that bulk registration is measured with says what it claims to: its faults are found, and nothing else is wrong."""

from pathlib import Path

import pytest

from services.assets.bulk.upload.results import job_findings
from tests.benchmarks.portfolio import APART, CATEGORIES, refused_in, write_portfolio
from tests.bulk_files import assets, counts, send
from tests.factories import make_fsp

pytestmark = pytest.mark.use_case("UC-02.01")
KINDS = ["CAP-02", "CAT-02", "INST-03", "MPAN-02", "MPAN-05", "NAME-01", "POS-13"]


def test_three_rows_in_a_hundred_are_refused_each_for_the_one_thing_that_is_wrong(
    one_register: str, tmp_path: Path
) -> None:
    actor = make_fsp()
    job = send(actor, write_portfolio(tmp_path / "portfolio.csv", 600).read_bytes())
    assert counts(job) == {"registered": 582, "refused": refused_in(600)}, job.summary
    assert {asset.asset_category for asset in assets()} == set(CATEGORIES)
    found = job_findings(actor, job.id)
    assert sorted({one["code"] for one in found}) == KINDS
    assert len(found) == 18
    first = next(number for number in range(APART // 100 * 100 + 100, 10_000, 100) if number // 100 % 6 == 5)
    claimed = send(actor, write_portfolio(tmp_path / "again.csv", 100, first).read_bytes())
    assert counts(claimed) == {"registered": 97, "refused": 3}
    assert {one["code"] for one in job_findings(actor, claimed.id)} == {"DUP-01"}
