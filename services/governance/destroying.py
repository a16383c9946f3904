"""Destroying a register: its tables go, its anchors stay. A live one only where its name is typed."""

from sqlalchemy import MetaData, String, cast, inspect, select, text
from sqlmodel import col

from models.participants import Organisation
from services.core.db import engine as database
from services.core.db.engine import engine, is_sqlite
from services.core.errors import Refused
from services.core.operation import system_step
from services.core.register_settings import live_since, register_id
from services.core.transaction import current_session


@system_step("UC-05.07", name="read_register_name", writes=False)
def read_register_name() -> str:
    """The name of the register: that of the body that runs it; its identifier before there is one."""
    governs = cast(col(Organisation.organisation_roles), String).contains("Market Facilitator")
    query = select(col(Organisation.organisation_legal_name)).where(governs).order_by(col(Organisation.id)).limit(1)
    return current_session().scalar(query) or register_id()


@system_step("UC-05.07", name="read_live_since", writes=False)
def read_live_since() -> str | None:
    """When the register became live; None for one that never was, or where there is none."""
    return live_since()


def require_not_live() -> None:
    """Refuse for a register that is live, whatever mode this process runs in."""
    if inspect(engine()).has_table("setting") and (since := read_live_since()):
        raise Refused(
            f"This register is live since {since}: no demo takes its place. To destroy it all the same, type its name: "
            f'FMAR_MODE=live manage.py destroy-register "{read_register_name()}"'
        )


def destroy_register(name: str) -> None:
    """Drop every table of the register. The anchor file and the public keys stay: they prove what there was.

    Raises Refused unless `name` is the register's.
    """
    expected = read_register_name()
    if name != expected:
        raise Refused(f"The name of this register is “{expected}”, not “{name}”. Nothing was changed.")
    drop_everything()


def drop_everything() -> None:
    """All tables, with their rows, indexes and triggers, in one transaction."""
    with engine(writes=True).connect() as connection:
        held = MetaData()
        held.reflect(connection)
        held.drop_all(connection)
        if not is_sqlite():
            connection.execute(text("DROP FUNCTION IF EXISTS ledger_append_only()"))
        connection.commit()
    database.close()
