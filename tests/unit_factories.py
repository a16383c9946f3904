"""What tests of market units start from: assets that are Verified, and units of them."""

from typing import Any

from models.assets import Asset, AssetStatus
from services.assets.registration.lifecycle import move
from services.assets.registration.register import register_asset
from services.core.identity.actor import Actor
from services.core.transaction import current_session, unit_of_work
from services.market.unit_changes.composition import create_unit
from services.market.units.units import UnitDetails
from tests.asset_factories import STAMP, battery


def verified(actor: Actor, **changes: Any) -> Asset:
    """A battery in Cambridge whose checks have agreed; `changes` are ontology terms."""
    return verify(register_asset(actor, battery(**changes)))


def verify(asset: Asset) -> Asset:
    """The asset once its checks have agreed."""
    with unit_of_work(STAMP, writes=True):
        found = current_session().get_one(Asset, asset.id)
        move(found, AssetStatus.VERIFIED, "conclude_checks")
    return found


def suspend(asset: Asset) -> Asset:
    """The asset once its owner's consent has been revoked."""
    with unit_of_work(STAMP, writes=True):
        found = current_session().get_one(Asset, asset.id)
        move(found, AssetStatus.SUSPENDED_CONSENT_REVOKED, "revoke_consent", "The consent was revoked.")
    return found


def make_unit(
    actor: Actor, *assets: Asset, code: str = "RIV-1", family: str = "DSO", name: str = "Riverside"
) -> UnitDetails:
    """A unit of these assets, or of one new battery."""
    ids = [one.id for one in assets or (verified(actor),)]
    return create_unit(actor, name=name, code=code, family=family, asset_ids=ids)
