"""What every act on a query begins with: the asset as the actor read it, and a text that says something."""

from uuid import UUID

from models.assets import Asset
from services.assets.checks.differences import differences_of, said_of
from services.assets.checks.outcomes import Verdict
from services.assets.checks.records import newest_checks
from services.assets.registration.record import conflict
from services.core.errors import Conflict
from services.core.identity.actor import Actor
from services.core.identity.visibility import reach
from services.core.ledger.history import entries

VERDICTS = {
    Verdict.DECLARED_STANDS: "the declared value stands",
    Verdict.THEIRS_RIGHT: "the source is right, and the FSP is asked to change it",
}


def reached(actor: Actor, asset_id: UUID, permission: str, version: int) -> Asset:
    """The asset, held for writing, at the version that the actor read.

    Raises Conflict when it has moved on, with what others changed and decided meanwhile.
    """
    asset = reach(Asset, actor, asset_id, permission)
    if asset.version != version:
        raise _stale(asset, version)
    return asset


def _stale(asset: Asset, version: int) -> Conflict:
    told = conflict(asset, version)
    moments = {entry.version: entry.recorded_at for entry in entries(Asset.record_type(), asset.id)}
    read = moments.get(version)
    news = []
    for one in differences_of(newest_checks([asset.id]).get(asset.id, [])):
        if read and one.decided_at and one.verdict and one.decided_at >= read.replace(microsecond=0):
            news.append(f"{one.by} decided on {said_of(one)}: {VERDICTS[one.verdict]} ({one.reason})")
        if read and one.answered_at and one.answered_at >= read.replace(microsecond=0):
            news.append(f"{one.answered_by} answered on {said_of(one)}: {one.answer}")
    if not news:
        return told
    return Conflict(f"{told.message} Meanwhile: {'; '.join(news)}.", told.current, told.changes)
