"""Bringing a database to the present schema."""

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from services.core.database import engine
from services.core.settings import ROOT


def _config() -> Config:
    config = Config(str(ROOT / "alembic.ini"))
    config.set_main_option("script_location", str(ROOT / "migrations"))
    return config


def migrate() -> bool:
    """Migrate the configured database to the newest schema; whether anything had to be done."""
    config = _config()
    with engine(writes=True).connect() as connection:
        before = MigrationContext.configure(connection).get_current_revision()
        if before == ScriptDirectory.from_config(config).get_current_head():
            return False
        connection.rollback()
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
        connection.commit()
    return True
