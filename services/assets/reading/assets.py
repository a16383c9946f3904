"""Reading assets: one, how many, one as it stood, its history, and its values by ontology term (UC-05.01)."""

from datetime import datetime
from uuid import UUID

from models.assets import Asset
from services.assets.counters.queries import count_from_tallies
from services.assets.filters import AssetFilters
from services.assets.reading.listing import count_up_to
from services.assets.registration.record import REGISTER_COLUMNS, changed_terms
from services.core.identity.actor import Actor
from services.core.identity.visibility import see
from services.core.ledger.history import RecordChange
from services.core.ledger.own_period import read_as_of, read_history
from services.core.operation import operation

COUNTED_TO = 10_000
"""Beyond so many an exact count says little, and would take as long as the register is large."""


@operation("UC-05.01", permission="asset.read", writes=False, name="get_asset")
def get_asset(actor: Actor, asset_id: UUID) -> Asset:
    """One asset. Raises NotFound when there is none that the actor may see."""
    return see(Asset, actor, asset_id)


class AssetCount(int):
    """Number of assets: exact, or (`more`) at least so many, the counting having ended there."""

    more: bool

    def __new__(cls, number: int, *, more: bool = False) -> "AssetCount":
        """A number, and whether there are more."""
        count = super().__new__(cls, number)
        count.more = more
        return count


@operation("UC-05.01", permission="asset.read", writes=False, name="count_assets")
def count_assets(actor: Actor, filters: AssetFilters | None = None, *, most: int = COUNTED_TO) -> AssetCount:
    """Count the visible assets that pass the filters: exact from maintained counts, else no further than `most`.

    A list page so never walks through a million rows; its `more` says when it stopped.
    """
    maintained = count_from_tallies(actor, filters or AssetFilters())
    if maintained is not None:
        return AssetCount(maintained)
    count = count_up_to(actor, filters or AssetFilters(), most)
    return AssetCount(min(count, most), more=count > most)


@operation("UC-05.06", permission="history.read", writes=False, name="asset_history")
def asset_history(actor: Actor, asset_id: UUID) -> list[RecordChange]:
    """Changes of an asset, newest first, by ontology term; for a former provider those of its own period.

    Raises NotFound when unseen.
    """
    return [_by_term(change) for change in read_history(Asset, actor, asset_id)]


def _by_term(change: RecordChange) -> RecordChange:
    return RecordChange(
        version=change.version,
        at=change.at,
        operation=change.operation,
        use_case=change.use_case,
        actor=change.actor,
        organisation=change.organisation,
        changes=changed_terms(change.changes),
        hash=change.hash,
    )


@operation("UC-05.06", permission="history.read", writes=False, name="asset_as_of")
def asset_as_of(actor: Actor, asset_id: UUID, moment: datetime) -> Asset:
    """An asset as it stood at a moment (aware), also for who managed it then and doesn't see it any more.

    Raises NotFound when unseen, or when it wasn't registered yet.
    """
    return read_as_of(Asset, actor, asset_id, moment)


_WORKED_OUT = {
    "GspGroup": "The GSP group of the distribution network, or of the MPAN where no network is given.",
    "GenCapacity": "The rated capacity stands for it: no generation capacity was given.",
    "DemandCapacity": "The rated capacity stands for it: no demand capacity was given.",
    "InstalledCapacity": "The rated capacity stands for it: no installed capacity was given.",
    "ServiceProviderId": "The organisation that registered it.",
    "OrganisationId": "The provider: no other owner was given.",
    "ConsumerOwned": "Taken as no: nothing was said.",
}
_POSITIONS = {
    "postcode": "The middle of the outward code of the postcode: roughly where it is, not exactly.",
    "eastings": "Converted from the eastings and northings that were given.",
}


def explain_term(asset: Asset, term: str) -> str:
    """Explain the value of a term by the record itself: declared, or derived and how."""
    if term in REGISTER_COLUMNS:
        return "Kept by the register."
    if term in ("Latitude", "Longitude") and asset.position_source in _POSITIONS:
        return _POSITIONS[asset.position_source]
    if term in asset.derived_terms:
        return _WORKED_OUT.get(term, "The usual value of the category: nothing else was given.")
    return "Declared by the provider."
