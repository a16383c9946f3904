"""Demo data: laid down in an empty register, and put back as they were (WS-6). Demo mode only."""

from sqlalchemy import func, inspect, select, update
from sqlmodel import col

from models.assets import Asset
from models.core import DeliveryStatus, EventDelivery, LedgerEntry
from models.participants import Organisation
from services.core.clock import now
from services.core.db.engine import engine
from services.core.db.migrate import migrate
from services.core.errors import Refused
from services.core.identity.actor import Actor, system_actor
from services.core.ledger.anchors import anchor_file_of
from services.core.operation import operation
from services.core.register_settings import MADE_UP_PAST, declare
from services.core.settings import settings
from services.core.transaction import Stamp, current_session, unit_of_work
from services.first_data import begin
from services.governance.destroying import drop_everything, require_not_live
from services.governance.sealing import read_register_id, seal_and_anchor
from services.wiring import wire
from services.workshop.cast import APPLIED, SUSPENDED, assemble, give_credentials, late_arrivals, suspend
from services.workshop.edition import LOADED, load_edition
from services.workshop.handed_over import hand_over
from services.workshop.history import Registrations, Timeline, conforming, everyday
from services.workshop.just_in import just_in
from services.workshop.market import MarketScene
from services.workshop.past import Past
from services.workshop.portfolio import plan
from services.workshop.scenes import REGISTER_AREAS
from services.workshop.stories import Stories

CREDENTIALS_AGO = 30


def is_empty() -> bool:
    """Tell whether nobody has registered yet."""
    with unit_of_work(Stamp("is_empty", "WS-6", system_actor()), writes=False) as session:
        return session.scalar(select(col(Organisation.id)).limit(1)) is None


def seed_demo(most: int | None = None) -> str:
    """Lay down the demo data in one transaction and seal them; a sentence on what is there now.

    `most` is for tests that need a demo, but not all of it: so many assets, from the whole time.
    """
    _require_demo()
    summary = lay_demo_data(system_actor("Demo data"), most)
    seal_and_anchor()
    return summary


def _require_demo() -> None:
    if not settings().demo:
        raise Refused("This is a live register (FMAR_MODE=live): demo data has no place in it.")


@operation("WS-6", permission="demo.seed", name="lay_demo_data")
def lay_demo_data(actor: Actor, most: int | None = None) -> str:
    """Everybody and everything of the demo, with its past. Refused outside demo mode, and once anybody has registered."""
    _require_demo()
    session = current_session()
    if session.scalar(select(col(Organisation.id)).limit(1)) is not None:
        raise Refused("The register isn't empty: reset the demo instead.")
    first = _last_entry() + 1
    past = Past()
    cast = assemble(past)
    whole = plan(past)
    planned = whole[:: -(-len(whole) // most)] if most else whole
    rows = dict(zip((asset.number for asset in planned), conforming(planned, cast, past), strict=True))
    timeline = Timeline(past)
    registrations = Registrations(cast, rows, frozenset(REGISTER_AREAS))
    timeline.add(past.moment(LOADED, 9, 30), load_edition(cast.administrator, past))
    everyday(timeline, registrations, planned)
    Stories(timeline, registrations).add(planned)
    hand_over(timeline, cast)
    market = MarketScene(timeline, registrations, planned)
    market.add()
    timeline.add(past.moment(CREDENTIALS_AGO, 10), lambda: give_credentials(cast))
    timeline.add(past.moment(SUSPENDED, 15, 40), lambda: suspend(cast))
    timeline.run()
    with past.at(past.moment(1, 18)):
        market.count()
    _nothing_owed()
    with past.at(past.moment(APPLIED, 11, 5)):
        late_arrivals(cast)
    with past.at(past.moment(1, 18, 2)):
        just_in(cast)
    session.flush()
    declare(MADE_UP_PAST, f"{first}-{_last_entry()}")
    return _summary()


def _last_entry() -> int:
    return current_session().scalar(select(func.max(col(LedgerEntry.seq)))) or 0


def _nothing_owed() -> None:
    """Mark the events of the past as handled: the worker has none of them to do."""
    owed = col(EventDelivery.status) == DeliveryStatus.WAITING
    current_session().execute(update(EventDelivery).where(owed).values(status=DeliveryStatus.DONE, done_at=now()))


def _summary() -> str:
    session = current_session()
    session.flush()
    assets = session.scalar(select(func.count(col(Asset.id)))) or 0
    organisations = session.scalar(select(func.count(col(Organisation.id)))) or 0
    return f"{organisations} organisations and {assets:,} assets with their history were laid down."


def reset(most: int | None = None) -> str:
    """Throw the whole register away, lay down first and demo data anew, and say what is there now.

    Tables are dropped inside the database, whatever it is, so that a portal that runs on it goes on: its next click
    meets the new data. The anchors of the old register go with it. Refused for a register that is live.
    """
    _require_demo()
    wire()
    require_not_live()
    register = _identifier()
    drop_everything()
    _forget_anchors(register)
    migrate()
    begin()
    return seed_demo(most)


def _identifier() -> str | None:
    """The identifier of the register that stands; None where there is none yet."""
    return read_register_id() if inspect(engine()).has_table("setting") else None


def _forget_anchors(register: str | None) -> None:
    """Take the seals of a register that is gone out of the anchor file."""
    path = None if register is None else anchor_file_of(register)
    if path is None or register is None or not path.exists():
        return
    lines = path.read_text("utf-8").splitlines(keepends=True)
    others = [line for line in lines if f'"{register}"' not in line]
    if others:
        path.write_text("".join(others), "utf-8")
    else:
        path.unlink()
