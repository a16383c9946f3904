"""Health of the register at this moment."""

import logging
import tomllib
from functools import lru_cache

from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from services.core.identity.actor import system_actor
from services.core.settings import ROOT
from services.core.transaction import Stamp, unit_of_work

log = logging.getLogger("fmar.health")


def database_answers() -> bool:
    """Tell whether the database can be reached and has the register's tables; the log says why not."""
    try:
        with unit_of_work(Stamp("database_answers", "UC-05.01", system_actor()), writes=False) as session:
            session.execute(text("SELECT 1 FROM setting LIMIT 1"))
    except SQLAlchemyError as error:
        log.warning("The database does not answer: %s", error)
        return False
    return True


@lru_cache(maxsize=1)
def register_version() -> str:
    """The version of this software."""
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
