"""Size of a register on disk, table by table: what an operator plans the next disk by (docs/operate.md)."""

from dataclasses import dataclass

from sqlalchemy import Connection, func, select, text
from sqlalchemy.exc import DBAPIError

from models import metadata
from services.core.db.engine import is_sqlite
from services.core.errors import Refused
from services.core.identity.actor import Actor
from services.core.operation import operation
from services.core.transaction import current_session


@dataclass(frozen=True, slots=True)
class TableSize:
    """One table: its rows, and its bytes on disk with all its indexes."""

    name: str
    rows: int
    bytes: int


@operation("UC-05.06", permission="ledger.verify", writes=False, name="table_sizes")
def table_sizes(actor: Actor) -> list[TableSize]:
    """Every table of the register, largest first. Raises Refused where SQLite was built without what tells it."""
    connection = current_session().connection()
    sizes = _in_sqlite(connection) if is_sqlite() else _in_postgres(connection)
    rows = [
        TableSize(
            table.name, connection.execute(select(func.count()).select_from(table)).scalar_one(), sizes[table.name]
        )
        for table in metadata.sorted_tables
    ]
    return sorted(rows, key=lambda table: -table.bytes)


def _in_sqlite(connection: Connection) -> dict[str, int]:
    pages = text("SELECT m.tbl_name, sum(d.pgsize) FROM dbstat d JOIN sqlite_master m ON m.name = d.name GROUP BY 1")
    try:
        return {name: int(size) for name, size in connection.execute(pages)}
    except DBAPIError:
        raise Refused("This SQLite was built without dbstat and can't tell the size of a table.") from None


def _in_postgres(connection: Connection) -> dict[str, int]:
    relations = text("SELECT relname, pg_total_relation_size(relid) FROM pg_stat_user_tables")
    return {name: int(size) for name, size in connection.execute(relations)}
