"""Bringing a database to the present schema.

Alembic is imported only where there is something to bring: a start with the present schema never waits for it.
"""

from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, inspect, text

from services.core.db.engine import engine
from services.core.errors import Refused
from services.core.settings import ROOT

if TYPE_CHECKING:
    from alembic.config import Config

MIGRATIONS: Path = ROOT / "migrations" / "versions"
START_LOCK = 0x464D4153
"""PostgreSQL's advisory lock: held while the schema or the first data are laid down, so that one process does it."""


def alembic_config() -> "Config":
    """Alembic's settings for this software's migrations."""
    from alembic.config import Config

    config = Config(str(ROOT / "alembic.ini"))
    config.set_main_option("script_location", str(MIGRATIONS.parent))
    return config


def present_schema() -> str:
    """The version of the schema that this software works with, such as `0003`."""
    return max(known_schemas())


def known_schemas() -> set[str]:
    """Every version of the schema that this software can bring to the present one: the numbers of its migrations."""
    return {file.name.partition("_")[0] for file in MIGRATIONS.glob("[0-9]*_*.py")}


def schema_of(connection: Connection) -> str | None:
    """The version of the schema of a database; None where no register has ever been."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.scalar(text("SELECT version_num FROM alembic_version"))


def migrate_over(connection: Connection) -> None:
    """Bring a database to the present schema in the transaction of this connection, or in one of its own."""
    from alembic import command

    config = alembic_config()
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def migrate() -> bool:
    """Migrate the configured database to the newest schema; whether anything had to be done.

    Raises Refused for a schema that only a newer version knows.
    Processes that start at once do it one after the other: SQLite by its one writer, PostgreSQL by a lock.
    """
    with engine(writes=True).connect() as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": START_LOCK})
        schema = schema_of(connection)
        if schema == present_schema():
            return False
        if schema is not None and schema not in known_schemas():
            raise Refused(
                f"The database has schema {schema}, which this software ({present_schema()}) does not know: a newer one has "
                "worked on it. Install that, or restore a backup from before."
            )
        migrate_over(connection)
        connection.commit()
    return True
