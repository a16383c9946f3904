"""Two providers' assets on one meter: a warning to who registers, and a notice to both (UC-02.01)."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, and_, exists, or_, select
from sqlalchemy.orm import aliased
from sqlmodel import col

from models.assets import ENDED_STATUSES, Asset, WithheldNotice
from models.core import Event
from models.events import EventType
from services.assets.registration.lookup_hits import count_notice, room_for_notices
from services.core.clock import now
from services.core.jobs.outbox import emit_for_asset
from services.core.operation import system_step
from services.core.transaction import current_session

NEVER = 2**62
LOOKED_AT_FOR = timedelta(days=30)
"""How long two assets on one meter are something to look at: after that, both providers are taken to know and to mean it."""


def tell_shared(asset: Asset, others: Iterable[tuple[UUID, str]], *, own: bool = True) -> None:
    """Tell the provider of an asset, and those of the `others` on its meters (asset and MPAN); inside an operation.

    Without `own`, the asset's provider is told later, as far as its look-ups allow (`tell_withheld`).
    """
    shared = sorted(set(others), key=str)
    if not shared:
        return
    query = select(Asset).where(col(Asset.id).in_({other for other, _mpan in shared}))
    other_assets = {record.id: record for record in current_session().scalars(query)}
    mpans = sorted({mpan for _other, mpan in shared})
    if own:
        for mpan in mpans:
            emit_for_asset(EventType.ASSET_MPAN_SHARED, asset, {"mpan": mpan})
    else:
        withhold_notices([(asset.service_provider_id, asset.id, mpan) for mpan in mpans])
    for other, mpan in shared:
        emit_for_asset(EventType.ASSET_MPAN_SHARED, other_assets[other], {"mpan": mpan})


def withhold_notices(notices: Iterable[tuple[UUID, UUID, str]]) -> None:
    """Keep notices on shared meters for later: provider, asset and MPAN of each. Inside an operation that writes."""
    moment = now()
    current_session().add_all(
        WithheldNotice(organisation_id=provider, asset_id=asset_id, mpan=mpan, withheld_at=moment)
        for provider, asset_id, mpan in notices
    )


@system_step("UC-02.01", name="tell_withheld")
def tell_withheld() -> None:
    """Tell providers of shared meters what was withheld from them, the oldest first, as far as their look-ups allow.

    A notice whose meter is not shared any more is dropped.
    """
    session = current_session()
    providers = session.scalars(select(col(WithheldNotice.organisation_id)).distinct())
    for provider in sorted(providers):
        room = room_for_notices(provider)
        query = select(WithheldNotice).where(col(WithheldNotice.organisation_id) == provider)
        for notice in session.scalars(query.order_by(col(WithheldNotice.id)).limit(room)):
            asset = session.get_one(Asset, notice.asset_id)
            if asset.service_provider_id == provider and _is_shared(asset, notice.mpan):
                count_notice(provider, asset.id)
                emit_for_asset(EventType.ASSET_MPAN_SHARED, asset, {"mpan": notice.mpan})
            session.delete(notice)


def _is_shared(asset: Asset, mpan: str) -> bool:
    """True while the asset is active, on that meter, and another provider's active asset is too."""
    if mpan not in (asset.import_mpan, asset.export_mpan):
        return False
    same = (col(Asset.id) == asset.id, col(Asset.status).not_in(ENDED_STATUSES))
    shared = or_(_elsewhere("import_mpan"), _elsewhere("export_mpan"))
    return current_session().scalar(select(col(Asset.id)).where(*same, shared)) is not None


def newly_shared() -> ColumnElement[bool]:
    """The active assets whose providers were told of another's on the meter lately, and whose meter still is shared.

    Whoever changes the MPAN, or ends either asset, so has dealt with it. Driven by the few events of that kind, and not by
    the many assets of a provider: to be joined with whose assets are meant. Inside an operation.
    """
    notified = select(col(Event.record_id)).where(
        col(Event.type) == EventType.ASSET_MPAN_SHARED, col(Event.seq) >= _first_seq_since(now() - LOOKED_AT_FOR)
    )
    active = col(Asset.status).not_in(ENDED_STATUSES)
    return and_(col(Asset.id).in_(notified), active, or_(_elsewhere("import_mpan"), _elsewhere("export_mpan")))


def _first_seq_since(moment: datetime) -> int:
    """The number of the first event since then, or of none: by its identifier, which begins with the time (UUIDv7)."""
    lowest = UUID(int=int(moment.timestamp() * 1000) << 80)
    query = select(col(Event.seq)).where(col(Event.id) >= lowest).order_by(col(Event.id)).limit(1)
    seq = current_session().scalar(query)
    return NEVER if seq is None else seq


def _elsewhere(column: str) -> ColumnElement[bool]:
    """Condition: an active asset of another provider has one of the asset's meters as import or export MPAN."""
    other = aliased(Asset)
    meter = getattr(other, column).in_((col(Asset.import_mpan), col(Asset.export_mpan)))
    others = col(other.service_provider_id) != col(Asset.service_provider_id)
    return exists().where(meter, others, col(other.status).not_in(ENDED_STATUSES)).correlate(Asset)
