"""The demo's market: units, what they applied for and what became of it, over a year and a half (data/demo/market.json)."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, timedelta
from random import Random
from typing import Any
from uuid import UUID

from models.assets import AssetStatus
from models.participants import Role
from models.products import ProposalKind
from services.core.identity.actor import Actor
from services.core.transaction import current_session
from services.market.products.catalogue import find_newest_version
from services.market.products.document import document_from_version
from services.market.products.proposals import ProposalDraft, propose_product
from services.market.qualification.expiry import expire_qualifications, keep_validities
from services.market.unit_changes.asset_events import mark_units, recount_unit
from services.market.unit_changes.composition import create_unit
from services.market.units.units import UnitDetails
from services.workshop.applications import EXPIRED_AGO, Applying
from services.workshop.cast import FOLDER
from services.workshop.history import Registrations, Timeline
from services.workshop.past import SEED
from services.workshop.planned import Planned, Story

SETTLED_DAYS = 5
"""Days after its registration from which an asset is put into units."""
PROPOSED_AGO, STARTS_IN, CHANGED = 4, 120, "SAOUDA"
WHY_CHANGED = "Half an hour has proved too short in winter: peaks in London last an hour and more."
MORE = 2
"""Assets that join a unit later."""
LASTING = (Story.EVERYDAY, Story.SETTLED, Story.RENAMED)
"""Assets with other stories end or are suspended later: they are left out of units."""


@dataclass
class MarketScene:
    """Adds the market to a timeline; what a step made is what the later ones go on from."""

    timeline: Timeline
    registrations: Registrations
    planned: list[Planned]
    built: dict[str, UnitDetails] = field(default_factory=dict)
    members: dict[str, list[Planned]] = field(default_factory=dict)
    spares: dict[str, list[Planned]] = field(default_factory=dict)
    taken: dict[str, set[int]] = field(default_factory=dict)
    """Numbers of planned assets that are in a unit, or meant for one, by family."""
    random: Random = field(default_factory=lambda: Random(SEED + 2))  # noqa: S311 - nothing secret hangs on it

    def add(self) -> None:
        """Every unit of the file, and the end of what is to end by itself."""
        for spec in json.loads((FOLDER / "market.json").read_text("utf-8"))["units"]:
            self._unit(spec)
        self.at(EXPIRED_AGO, 1, expire_qualifications)
        self.at(1, 2, keep_validities)

        self.at(PROPOSED_AGO, 11, self._propose)

    def count(self) -> None:
        """Count the units as the worker would: their assets changed in the same transaction, most before they joined."""
        current_session().flush()
        mark_units(current_session())
        for whole in self.built.values():
            recount_unit(whole.unit.id)

    def at(self, days_ago: float, hour: int, step: Callable[[], object]) -> None:
        """Let something happen so many days before the day of seeding."""

        def happen() -> None:
            step()

        self.timeline.add(self.timeline.past.moment(days_ago, hour, self.random.randrange(60)), happen)

    @property
    def units(self) -> dict[str, UnitDetails]:
        """The units that were built, by code."""
        return self.built

    @property
    def today(self) -> date:
        """The day of seeding."""
        return self.timeline.past.today

    def _unit(self, spec: dict[str, Any]) -> None:
        assets = self._chosen(spec)
        self.members[spec["code"]] = assets
        spare = self.spares.get(spec["code"], [])
        self.taken.setdefault(spec["family"], set()).update(asset.number for asset in (*assets, *spare))
        self.at(spec["built"], 10, lambda: self._build(spec, assets))
        for products, days_ago, story, *ends in spec["applications"]:
            Applying(self, spec["code"], products, days_ago, story, ends[0] if ends else None).add()

    def _chosen(self, spec: dict[str, Any]) -> list[Planned]:
        """The oldest lasting assets that fit; none twice in a family, of which only the file decides."""
        if other := spec.get("same_as"):
            return self.members[other][: spec["most"]]
        past = self.timeline.past
        before = past.moment(spec["built"] + SETTLED_DAYS)
        taken = self.taken.setdefault(spec["family"], set())
        candidates = [
            asset
            for asset in self.planned
            if asset.provider == spec["provider"]
            and asset.category == spec["category"]
            and asset.story in LASTING
            and not (asset.odd or asset.asked)
            and asset.moment < before
            and asset.number not in taken
            and asset.values["ConnectionStatus"] == "CONNECTED"
            and (not spec["areas"] or asset.values["DNOConnection"] in spec["areas"])
        ]
        most = spec["most"]
        if any(story == "grown" for _, _, story, *_ in spec["applications"]):
            self.spares[spec["code"]] = candidates[most : most + MORE]
        return candidates[:most]

    def _build(self, spec: dict[str, Any], assets: list[Planned]) -> None:
        if ids := self._verified(assets):
            actor = self.registrations.cast.providers[spec["provider"]]
            self.built[spec["code"]] = create_unit(
                actor, name=spec["name"], code=spec["code"], family=spec["family"], asset_ids=ids
            )

    def provider(self, code: str) -> Actor:
        """The actor for the provider of a unit."""
        owner = self.built[code].unit.service_provider_id
        return next(person for person in self.registrations.cast.providers.values() if person.organisation_id == owner)

    def operator(self, organisation_id: UUID) -> Actor:
        """The actor who assesses for an SO."""
        people = self.registrations.cast.people.values()
        return next(
            person for person in people if person.organisation_id == organisation_id and person.has(Role.SO_USER)
        )

    def spare(self, code: str) -> list[UUID]:
        """Assets that can still join a unit."""
        return self._verified(self.spares.get(code, []))

    def _verified(self, planned: list[Planned]) -> list[UUID]:
        assets = [self.registrations.assets[plan.number] for plan in planned]
        return [asset.id for asset in assets if asset.status is AssetStatus.VERIFIED]

    def _propose(self) -> None:
        """UKPN would have a product deliver for longer; the administrator has yet to decide."""
        cast = self.registrations.cast
        version = find_newest_version(CHANGED)
        document = {**document_from_version(version), "MinDuration_min": 60}
        starts = self.today + timedelta(days=STARTS_IN)
        actor = self.operator(cast.organisations["ukpn"].id)
        propose_product(actor, ProposalDraft(ProposalKind.CHANGE, CHANGED, starts, WHY_CHANGED, document))
