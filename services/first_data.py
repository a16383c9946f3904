"""First data of a register: identifier, code lists, categories, products. Laid down once, harmless when repeated."""

from sqlalchemy import text

from services.assets.rules.reference import load_catalogue
from services.core.db.engine import is_sqlite
from services.core.db.migrate import START_LOCK
from services.core.operation import system_step
from services.core.register_settings import give_register_id, register_id
from services.core.transaction import current_session
from services.market.products.seed import load_market


@system_step("UC-05.07", name="lay_first_data")
def lay_first_data() -> bool:
    """Lay down what every register starts with; whether anything was missing."""
    if not is_sqlite():
        current_session().execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": START_LOCK})
    is_new = not register_id()
    if is_new:
        give_register_id()
    missing = load_catalogue() + load_market()
    return missing > 0 or is_new


def begin() -> bool:
    """Lay down the first data as the register itself; whether the register was new."""
    return lay_first_data()
