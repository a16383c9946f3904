"""Stories of assets after they are registered and checked: consents, answers, decisions, changes, endings."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from random import Random
from typing import Any

from models.assets import ENDED_STATUSES, AssetStatus
from services.assets.checks.queries import QueryDecision, answer_query, settle_query
from services.assets.registration.deregister import deregister_asset
from services.assets.registration.lifecycle import move
from services.assets.registration.record import index_aliases
from services.assets.registration.update import update_asset
from services.core.identity.actor import Actor, system_actor
from services.core.transaction import Stamp, unit_of_work
from services.workshop.history import Registrations, Timeline, shift, tell
from services.workshop.past import SEED
from services.workshop.planned import Planned, Story

CONSENT = system_actor("Consent solution")
ANSWERS = (
    "The meter was exchanged last month; the new one is live. The certificate of the exchange is on file with us.",
    "We have checked the nameplate and the connection agreement: the declared value is right, the source is behind.",
    "The site was surveyed on our instruction. The survey agrees with what is declared here.",
)
DECISIONS = (
    "Accepted: the agreement that the provider showed is newer than the source.",
    "Accepted: confirmed with the distributor by telephone.",
)
SHOWN = "Accepted: photographs of the nameplate and the connection agreement were shown."
REASONS = (
    "Removed from site at the end of its life.",
    "The customer moved house and the device went with them.",
    "Replaced by a larger unit, which is registered under its own number.",
    "Sold; the new owner registers it with another provider.",
)
WITHOUT_CONSENT = "The consent solution doesn't confirm the consent {}: the consumer has not agreed."
REVOKED = "The consumer has revoked the consent {}. The asset can't be dispatched until there is a new one."


class Stories:
    """Adds to a timeline what happens to single assets."""

    def __init__(self, timeline: Timeline, registrations: Registrations) -> None:
        self.timeline = timeline
        self.registrations = registrations
        self.random = Random(SEED + 1)  # noqa: S311 - nothing secret hangs on it
        self.tellers: dict[Story, Callable[[Planned], None]] = {
            Story.NO_CONSENT: self._no_consent,
            Story.REVOKED: self._revoked,
            Story.ANSWERED: self._answered,
            Story.SETTLED: self._settled,
            Story.CORRECTED: self._corrected,
            Story.UNANSWERED: self._unanswered,
            Story.DECIDED: self._decided,
            Story.RENAMED: self._renamed,
            Story.GROWN: self._grown,
            Story.ENDED: self._ended,
        }

    def add(self, planned: list[Planned]) -> None:
        """The stories of all assets that have one."""
        for asset in planned:
            if teller := self.tellers.get(asset.story):
                teller(asset)

    def _later(self, asset: Planned, earliest: float = 1) -> timedelta:
        """Some time between `earliest` days after registration and yesterday."""
        latest = (self.timeline.past.moment(1, 9) - asset.moment) / timedelta(days=1)
        return timedelta(days=earliest + self.random.random() * max(0.0, latest - earliest), hours=0.3)

    def _at(self, asset: Planned, after: timedelta, step: Callable[[], None]) -> None:
        self.timeline.add(asset.moment + after, step)

    def _consent(self, plan: Planned, status: AssetStatus, step: str, words: str) -> None:
        asset = self.registrations.assets[plan.number]
        with unit_of_work(Stamp(step, "UC-05.05", CONSENT), writes=True):
            shifted = shift(asset, status, words.format(asset.consent_reference))
            if status in ENDED_STATUSES:
                index_aliases(asset, active=False)
            tell([shifted])

    def _no_consent(self, asset: Planned) -> None:
        refused = (AssetStatus.REFUSED_NO_CONSENT, "refuse_consent", WITHOUT_CONSENT)
        self._at(asset, timedelta(hours=26), lambda: self._consent(asset, *refused))

    def _revoked(self, asset: Planned) -> None:
        revoked = (AssetStatus.SUSPENDED_CONSENT_REVOKED, "revoke_consent", REVOKED)
        self._at(asset, self._later(asset, 20), lambda: self._consent(asset, *revoked))

    def _answer(self, plan: Planned, text: str) -> None:
        asset = self.registrations.assets[plan.number]
        answer_query(self._provider(plan), asset.id, text, asset.version)

    def _answered(self, asset: Planned) -> None:
        text = self.random.choice(ANSWERS)
        self._at(asset, self._later(asset), lambda: self._answer(asset, text))

    def _settled(self, asset: Planned) -> None:
        text, reason = self.random.choice(ANSWERS), self.random.choice(DECISIONS)
        after = timedelta(days=1 + self.random.random() * 12, hours=1)
        self._at(asset, after, lambda: self._answer(asset, text))
        self._at(asset, after + timedelta(days=2), lambda: self._settle(asset, reason))

    def _decided(self, asset: Planned) -> None:
        self._at(asset, timedelta(days=3, hours=2), lambda: self._settle(asset, SHOWN))

    def _settle(self, plan: Planned, reason: str) -> None:
        asset = self.registrations.assets[plan.number]
        settle_query(self.registrations.cast.administrator, asset.id, QueryDecision.VERIFY, reason, asset.version)

    def _corrected(self, asset: Planned) -> None:
        """The register was right: the provider corrects the capacities, and the checks run again."""
        self._scaled(asset, timedelta(days=1 + self.random.random() * 12, hours=1), Decimal("0.70"))

    def _grown(self, asset: Planned) -> None:
        self._scaled(asset, self._later(asset, 20), Decimal("1.25"))

    def _scaled(self, asset: Planned, after: timedelta, factor: Decimal) -> None:
        terms = ("RatedCapacity", "GenCapacity", "DemandCapacity", "InstalledCapacity")
        changes = {term: f"{Decimal(asset.values[term]) * factor:.2f}" for term in terms}
        self._at(asset, after, lambda: self._update(asset, changes))
        self._at(asset, after + timedelta(minutes=2), lambda: self.registrations.check([asset]))

    def _renamed(self, asset: Planned) -> None:
        name = (
            f"{asset.values['AssetName']} ({self.random.choice(('new meter room', 'east', 'west', 'phase 2', 'rear'))})"
        )
        self._at(asset, self._later(asset, 5), lambda: self._update(asset, {"AssetName": name}))

    def _update(self, plan: Planned, changes: dict[str, Any]) -> None:
        asset = self.registrations.assets[plan.number]
        update_asset(self._provider(plan), asset.id, changes, asset.version)

    def _ended(self, asset: Planned) -> None:
        reason = self.random.choice(REASONS)
        self._at(asset, self._later(asset, 20), lambda: self._end(asset, reason))

    def _end(self, plan: Planned, reason: str) -> None:
        asset = self.registrations.assets[plan.number]
        deregister_asset(self._provider(plan), asset.id, reason, asset.version)

    def _unanswered(self, asset: Planned) -> None:
        self._at(asset, timedelta(days=31), lambda: self._suspend(asset))

    def _suspend(self, plan: Planned) -> None:
        asset = self.registrations.assets[plan.number]
        asked = f"The query was not answered within 20 working days. It asked: {asset.status_reason}"
        with unit_of_work(Stamp("suspend_unanswered", "UC-02.01", system_actor()), writes=True):
            move(asset, AssetStatus.SUSPENDED_QUERY_UNANSWERED, "suspend_unanswered", asked[:1000])

    def _provider(self, asset: Planned) -> Actor:
        return self.registrations.cast.providers[asset.provider]
