"""The database role that docs/operate.md gives the portal: the register works under it, and can't take back what it wrote."""

import re
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.exc import ProgrammingError

from models.bulk import JobStatus
from services.assets.bulk.pipeline.worker import work_through_jobs
from services.assets.bulk.upload.jobs import Wishes, get_job, submit_file
from services.assets.registration.register import register_asset
from services.assets.registration.update import update_asset
from services.core.db import engine as database
from services.core.settings import ROOT
from services.governance.sealing import seal_and_anchor
from tests.asset_factories import battery
from tests.bulk_files import csv_of
from tests.conftest import build_register, use_database
from tests.databases import fresh_database
from tests.factories import administrator, make_fsp

ROLE = "fmar_portal"


def _statements() -> list[str]:
    """The grants as documented, for tables that are there already, and what is taken back."""
    guide = (ROOT / "docs" / "operate.md").read_text(encoding="utf-8")
    blocks = [block for block in re.findall(r"```sql\n(.*?)```", guide, re.DOTALL) if ROLE in block]
    given = [
        "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO fmar_portal",
        "GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO fmar_portal",
    ]
    return given + [statement for block in blocks for statement in block.split(";") if "REVOKE" in statement]


@pytest.mark.use_case("UC-05.06")
def test_the_portals_role_does_its_work_and_can_not_take_back_what_is_written(tmp_path: Path) -> None:
    with fresh_database(tmp_path, "register", build_register, "postgres") as url:
        owner = create_engine(url, isolation_level="AUTOCOMMIT")
        with owner.connect() as connection:
            connection.execute(
                text("DO $$ BEGIN CREATE ROLE fmar_portal; EXCEPTION WHEN duplicate_object THEN NULL; END $$")
            )
            for statement in _statements():
                connection.execute(text(statement))
        joined = "&" if "?" in url else "?"
        use_database(f"{url}{joined}options=-crole%3D{ROLE}")
        administrator()
        provider = make_fsp()
        asset = register_asset(provider, battery())
        update_asset(provider, asset.id, {"AssetName": "Larch depot"}, asset.version)
        job = submit_file(provider, csv_of([battery()]), "larch.csv", Wishes(dry_run=False))
        work_through_jobs()
        done = get_job(provider, job.id)
        assert (done.status, done.rows_registered) == (JobStatus.COMPLETED, 1), (done.reason, done.summary)
        seal_and_anchor()
        with database.engine(writes=True).connect() as connection:
            assert connection.execute(text("SELECT current_user")).scalar_one() == ROLE
            assert connection.execute(text("SELECT count(*) FROM asset")).scalar_one() == 2
            for statement in (
                "DELETE FROM ledger_entry", "UPDATE ledger_entry SET seq = seq", "DELETE FROM ledger_seal",
                "DELETE FROM access", "DELETE FROM event", "DELETE FROM asset", "TRUNCATE ledger_entry",
                "DROP TRIGGER ledger_entry_kept ON ledger_entry", "ALTER TABLE ledger_entry DISABLE TRIGGER ALL",
            ):  # fmt: skip
                with pytest.raises(ProgrammingError, match=r"permission denied|must be owner|does not exist"):
                    connection.execute(text(statement))
                connection.rollback()
        database.close()
        owner.dispose()
