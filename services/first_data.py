"""First data of a register: identifier, code lists, categories, products. Laid down once, harmless when repeated."""

from sqlalchemy import select, text
from sqlmodel import col

from models.core import LedgerEntry, Setting
from services.assets.rules.reference import load_catalogue
from services.core.clock import now
from services.core.db.engine import is_sqlite
from services.core.db.migrate import START_LOCK
from services.core.errors import Refused
from services.core.operation import system_step
from services.core.register_settings import (
    MADE_UP_PAST,
    declare,
    give_register_id,
    live_since,
    register_id,
)
from services.core.settings import settings
from services.core.transaction import LIVE_SINCE, current_session
from services.governance.sealing import prepare_seal_key
from services.market.products.seed import load_market


@system_step("UC-05.07", name="lay_first_data")
def lay_first_data() -> bool:
    """Lay down what every register starts with; whether anything was missing."""
    if not is_sqlite():
        current_session().execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": START_LOCK})
    is_new = not register_id()
    if is_new:
        if current_session().scalar(select(col(LedgerEntry.seq)).limit(1)) is not None:
            raise Refused(
                "The register has lost its identifier (setting register.id), though its ledger has entries: somebody changed "
                "it behind its back. Restore a backup, or put the identifier back."
            )
        give_register_id()
    missing = load_catalogue() + load_market()
    return missing > 0 or is_new


def begin() -> bool:
    """Lay down the first data as the register itself; whether the register was new."""
    is_new = lay_first_data()
    if not settings().demo:
        become_live()
    prepare_seal_key()
    return is_new


@system_step("UC-05.07", name="become_live")
def become_live() -> None:
    """Have a register that is opened in live mode know from now on that it is live. Raises Refused for one with demo data."""
    if live_since() is not None:
        return
    if current_session().scalar(select(col(Setting.id)).where(col(Setting.key) == MADE_UP_PAST)) is not None:
        raise Refused(
            "This register holds demo data, with people and secrets that everybody knows: it never becomes live. "
            "Point DATABASE_URL at a new database, or set FMAR_MODE=demo."
        )
    declare(LIVE_SINCE, now().isoformat(timespec="seconds"))
