"""Guards of every act on a query: the asset in the version that the actor read, and a text that isn't empty."""

from uuid import UUID

from models.assets import Asset
from services.assets.checks.differences import describe_difference, differences_of
from services.assets.checks.outcomes import DifferenceRuling
from services.assets.checks.records import newest_checks
from services.assets.registration.record import conflict
from services.core.errors import Conflict
from services.core.identity.actor import Actor
from services.core.identity.visibility import reach
from services.core.ledger.history import entries

VERDICTS = {
    DifferenceRuling.DECLARED_STANDS: "the declared value stands",
    DifferenceRuling.THEIRS_RIGHT: "the source is right, and the FSP is asked to change it",
}


def reach_at_version(actor: Actor, asset_id: UUID, permission: str, version: int) -> Asset:
    """Reach the asset, held for writing, at the version that the actor read.

    Raises Conflict when it has moved on, with what others changed and decided meanwhile.
    """
    asset = reach(Asset, actor, asset_id, permission)
    if asset.version != version:
        raise _stale(asset, version)
    return asset


def _stale(asset: Asset, version: int) -> Conflict:
    plain = conflict(asset, version)
    moments = {entry.version: entry.recorded_at for entry in entries(Asset.record_type(), asset.id)}
    read = moments.get(version)
    news = []
    for difference in differences_of(newest_checks([asset.id]).get(asset.id, [])):
        if (
            read
            and difference.decided_at
            and difference.verdict
            and difference.decided_at >= read.replace(microsecond=0)
        ):
            verdict = VERDICTS[difference.verdict]
            news.append(
                f"{difference.by} decided on {describe_difference(difference)}: {verdict} ({difference.reason})"
            )
        if read and difference.answered_at and difference.answered_at >= read.replace(microsecond=0):
            news.append(f"{difference.answered_by} answered on {describe_difference(difference)}: {difference.answer}")
    if not news:
        return plain
    return Conflict(f"{plain.message} Meanwhile: {'; '.join(news)}.", plain.current, plain.changes)
