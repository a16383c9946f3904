"""A hit on somebody else's asset, whichever way it was asked for: counted, logged, and told to that asset's provider.

A look-up, a check of a form and a refused registration all tell that an MPAN, a device or an alias is registered elsewhere
(UC-02.01), so the same limit holds for all of them.
"""

import math
from collections.abc import Collection, Sequence
from datetime import timedelta
from uuid import UUID

from sqlalchemy import func, select
from sqlmodel import col

from models.assets import Asset
from models.core import Access
from models.events import EventType
from services.core.access_log import log_access
from services.core.clock import in_london, now
from services.core.errors import TooManyRequests
from services.core.identity.actor import Actor
from services.core.identity.visibility import visible
from services.core.jobs.outbox import emit
from services.core.register_settings import setting
from services.core.transaction import current_session

ACCESS_KIND, REFUSED_KIND = "asset.lookup", "asset.lookup_refused"
WINDOW = timedelta(hours=1)


def keep_to_the_limit(actor: Actor) -> None:
    """Raise TooManyRequests once the actor has asked as often within the hour as setting asset.lookups_per_hour allows."""
    limit = int(setting("asset.lookups_per_hour"))
    lookups = (col(Access.kind) == ACCESS_KIND, col(Access.actor_key) == actor.key, col(Access.at) > now() - WINDOW)
    session = current_session()
    if (session.scalar(select(func.count()).select_from(Access).where(*lookups)) or 0) < limit:
        return
    # The look-up that leaves the window so that one more fits in.
    leaving = session.scalar(select(col(Access.at)).where(*lookups).order_by(col(Access.at).desc()).offset(limit - 1))
    seconds = (leaving + WINDOW - now()).total_seconds() if leaving else WINDOW.total_seconds()
    wait = max(1, math.ceil(seconds))
    again = in_london(now() + timedelta(seconds=wait))
    raise TooManyRequests(
        f"You have looked up {limit} assets within an hour, which is the limit. Try again in {math.ceil(wait / 60)} min, "
        f"at {again:%H:%M}.",
        wait,
    )


def log_question(actor: Actor, by: Sequence[str], outcome: str, hit: UUID | None) -> None:
    """Keep that somebody asked, by what, and with which outcome."""
    log_access(actor, ACCESS_KIND, Asset.record_type() if hit else None, hit, {"by": list(by), "outcome": outcome})


def log_refusal(actor: Actor) -> None:
    """Keep that somebody asked over the limit; it doesn't count against the limit, so that waiting ends."""
    log_access(actor, REFUSED_KIND)


def tell_provider(asset: Asset, by: Sequence[str]) -> None:
    """Tell the provider of an asset that somebody asked for it; not who, and no more than by what."""
    payload = {"by": list(by), "asset_name": asset.asset_name}
    emit(EventType.ASSET_LOOKED_UP, asset, organisation_id=asset.service_provider_id, payload=payload)


def unseen_of(actor: Actor, hits: Collection[UUID]) -> list[UUID]:
    """Those of the assets that the actor may not see."""
    if not hits:
        return []
    visible_ids = set(
        current_session().scalars(select(col(Asset.id)).where(col(Asset.id).in_(hits), visible(Asset, actor)))
    )
    return sorted(set(hits) - visible_ids)


def note_hits(actor: Actor, hits: Sequence[UUID]) -> None:
    """Log each hit and tell its provider, once an hour for the same actor and asset: a form asks at every change."""
    session = current_session()
    recent = (col(Access.kind) == ACCESS_KIND, col(Access.actor_key) == actor.key, col(Access.at) > now() - WINDOW)
    logged = set(session.scalars(select(col(Access.record_id)).where(*recent, col(Access.record_id).in_(hits))))
    for asset in session.scalars(select(Asset).where(col(Asset.id).in_(set(hits) - logged))):
        log_question(actor, ["registration"], "OTHER_PROVIDER", asset.id)
        tell_provider(asset, ["registration"])
