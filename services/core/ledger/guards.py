"""Triggers that refuse to change or delete what the ledger holds: as the migrations make them, and as they stand."""

from collections.abc import Iterator, Mapping

from sqlalchemy import text
from sqlalchemy.orm import Session as OrmSession

TABLES = ("ledger_entry", "ledger_seal")
SAME_ROW = {
    "ledger_entry": "seq = NEW.seq OR (record_type = NEW.record_type AND record_id = NEW.record_id AND version = NEW.version)",
    "ledger_seal": "id = NEW.id OR number = NEW.number",
}
"""When a new row would take the place of one that is there."""
FUNCTION_BODY = " BEGIN RAISE EXCEPTION 'The ledger is append-only'; END "


def sqlite_triggers() -> Mapping[str, str]:
    """The triggers of SQLite by name, each as the statement that makes it."""
    refused = "BEGIN SELECT RAISE(ABORT, 'The ledger is append-only'); END"
    triggers = {
        f"{table}_no_{act.lower()}": f"CREATE TRIGGER {table}_no_{act.lower()} BEFORE {act} ON {table} {refused}"
        for table in TABLES
        for act in ("UPDATE", "DELETE")
    }
    for table, same in SAME_ROW.items():
        # INSERT OR REPLACE deletes without asking the triggers above.
        exists = f"EXISTS (SELECT 1 FROM {table} WHERE {same})"  # noqa: S608 - names of ours
        triggers[f"{table}_no_replace"] = (
            f"CREATE TRIGGER {table}_no_replace BEFORE INSERT ON {table} WHEN {exists} {refused}"
        )
    return triggers


def postgres_triggers() -> Mapping[str, str]:
    """The triggers of PostgreSQL by name, each as the statement that makes it."""
    triggers: dict[str, str] = {}
    for table in TABLES:
        triggers[f"{table}_append_only"] = (
            f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE ON {table} "
            "FOR EACH ROW EXECUTE FUNCTION ledger_append_only()"
        )
        triggers[f"{table}_no_truncate"] = (
            f"CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION ledger_append_only()"
        )
    return triggers


def find_guard_faults(session: OrmSession) -> Iterator[tuple[str, str]]:
    """Triggers that are missing, altered or switched off, and triggers that the register didn't make: name and fault."""
    is_sqlite = session.get_bind().dialect.name == "sqlite"
    expected, present = (
        (_plain(sqlite_triggers()), _sqlite_triggers(session))
        if is_sqlite
        else (_plain(postgres_triggers()), _postgres_triggers(session))
    )
    for name in sorted(expected.keys() | present.keys()):
        if name not in present:
            yield name, f"The trigger {name}, which keeps the ledger append-only, is missing or switched off."
        elif name not in expected:
            yield name, f"The trigger {name} is none of the register's."
        elif present[name] != expected[name]:
            yield name, f"The trigger {name} was altered: {present[name]}"
    if not is_sqlite:
        body = session.scalar(text("SELECT prosrc FROM pg_proc WHERE proname = 'ledger_append_only'"))
        if body != FUNCTION_BODY:
            yield "ledger_append_only", "The function that refuses changes of the ledger is missing or was altered."


def _plain(triggers: Mapping[str, str]) -> dict[str, str]:
    return {name: " ".join(statement.split()) for name, statement in triggers.items()}


def _sqlite_triggers(session: OrmSession) -> dict[str, str]:
    query = text("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'")
    return _plain({row[0]: row[1] for row in session.execute(query)})


def _postgres_triggers(session: OrmSession) -> dict[str, str]:
    """Triggers that are in force on tables of this schema, as the database words them, without the schema."""
    query = text(
        "SELECT t.tgname, pg_get_triggerdef(t.oid, true), n.nspname FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid "
        "JOIN pg_namespace n ON n.oid = c.relnamespace WHERE NOT t.tgisinternal AND t.tgenabled IN ('O', 'A') "
        "AND n.nspname = current_schema()"
    )
    triggers = {}
    for name, definition, schema in session.execute(query):
        words = definition.replace(f" {schema}.", " ").replace("UPDATE OR DELETE", "DELETE OR UPDATE")
        triggers[name] = words.replace("DELETE OR UPDATE", "UPDATE OR DELETE")
    return _plain(triggers)
