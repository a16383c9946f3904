"""Alembic's entry: brings the configured database to the schema of the models."""

from alembic import context
from alembic.operations.ops import MigrationScript
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from models import metadata
from services.core.db.engine import engine

config = context.config


def run() -> None:
    """Migrate over the register's own engine, or the connection handed in by `services.core.db.migrate`."""
    connection = config.attributes.get("connection")
    if connection is not None:
        _migrate(connection)
        return
    with engine(writes=True).connect() as opened:
        _migrate(opened)


def _migrate(connection: object) -> None:
    context.configure(
        connection=connection,  # pyright: ignore
        target_metadata=metadata,
        compare_type=True,
        process_revision_directives=_number,
    )
    with context.begin_transaction():
        context.run_migrations()


def _number(_migration: MigrationContext, _revision: object, scripts: list[MigrationScript]) -> None:
    """Give a new migration the number after the last one, as all of them have."""
    last = ScriptDirectory.from_config(config).get_current_head() or "0000"
    for script in scripts:
        script.rev_id = f"{int(last) + 1:04}"


run()
