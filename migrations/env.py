"""Alembic's entry: brings the configured database to the schema of the models."""

from alembic import context

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
    context.configure(connection=connection, target_metadata=metadata, compare_type=True)  # pyright: ignore
    with context.begin_transaction():
        context.run_migrations()


run()
