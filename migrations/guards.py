"""Triggers that refuse to change or delete what the ledger holds, on both databases."""

from alembic import op

from services.core.ledger.guards import FUNCTION_BODY, TABLES, postgres_triggers, sqlite_triggers


def guard() -> None:
    """Make ledger tables append-only."""
    if op.get_bind().dialect.name == "sqlite":
        for statement in sqlite_triggers().values():
            op.execute(statement)
        return
    op.execute(f"CREATE FUNCTION ledger_append_only() RETURNS trigger LANGUAGE plpgsql AS $${FUNCTION_BODY}$$")
    for statement in postgres_triggers().values():
        op.execute(statement)


def unguard() -> None:
    """Take the guards away, before the tables go."""
    if op.get_bind().dialect.name == "sqlite":
        for name in sqlite_triggers():
            op.execute(f"DROP TRIGGER {name}")
        return
    for table in TABLES:
        op.execute(f"DROP TRIGGER {table}_append_only ON {table}")
        op.execute(f"DROP TRIGGER {table}_no_truncate ON {table}")
    op.execute("DROP FUNCTION ledger_append_only()")
