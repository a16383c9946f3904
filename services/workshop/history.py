"""The demo's history: what happened to whom when, written in the order in which it happened, as its ledger tells it."""

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID

import polars as pl
from sqlalchemy import insert

from models.assets import Asset, AssetAlias, AssetCheck, AssetStatus, CheckOutcome, MessageKind
from models.base import new_id
from models.core import Event
from models.events import EventType
from services.assets.checks.records import NO_SOURCE, reasons_of
from services.assets.conversation.comments import post_asset_message
from services.assets.registration.record import IDENTITIES, STORED_TERMS, add_justifications, key_of
from services.assets.rules.check import check_assets, finding
from services.assets.rules.prepare import AssetRuleContext
from services.assets.rules.reference import catalogue
from services.core.clock import now
from services.core.identity.actor import Actor, system_actor
from services.core.ledger.bulk_insert import insert_recorded
from services.core.transaction import Stamp, current_session, unit_of_work
from services.workshop.cast import Cast
from services.workshop.evidence import answers, as_rows
from services.workshop.past import Past
from services.workshop.planned import Planned, Story

REGISTER = system_actor()
CHECKS_TAKE, CONSENT_TAKES = timedelta(minutes=2), timedelta(hours=3)
UNCONFIRMED = (Story.AWAITING, Story.NO_CONSENT)
ELSEWHERE = "The device stands behind this meter; the other provider's contract with the customer ended last month."
"""Why Lumen claims an MPAN that Bramble has registered."""
News = tuple[str, Asset, dict[str, Any]]
"""An event to be: its type, the asset, the payload."""


@dataclass
class Timeline:
    """Steps, each at its moment; run in the order of time, and of being planned where the moment is the same."""

    past: Past
    steps: list[tuple[datetime, int, Callable[[], None]]] = field(default_factory=list)

    def add(self, moment: datetime, step: Callable[[], None]) -> None:
        """Let something happen at a moment."""
        self.steps.append((moment, len(self.steps), step))

    def run(self) -> None:
        """Let it all happen."""
        for moment, _order, step in sorted(self.steps, key=lambda step_at: step_at[:2]):
            with self.past.at(moment):
                step()


def conforming(planned: list[Planned], cast: Cast, past: Past) -> list[dict[str, Any]]:
    """The planned values as the rules read them, one typed row each; a value that breaks a rule is a mistake in the plan."""
    current = catalogue()
    context = AssetRuleContext(today=past.today, reference=current.reference, is_new=False)
    frame = pl.DataFrame([_raw(asset, cast) for asset in planned], infer_schema_length=None)
    checked = check_assets(frame, context)
    if checked.findings.height:
        raise AssertionError(f"The demo's plan breaks rules: {checked.findings.head(5).to_dicts()}")
    return checked.values.to_dicts()


def _raw(asset: Planned, cast: Cast) -> dict[str, Any]:
    owner = cast.organisations[asset.owner].id if asset.owner else None
    return {
        **asset.values,
        "CategoryAttributes": json.dumps(asset.values["CategoryAttributes"]),
        "ConsumerOwned": "true" if asset.consumer_owned else None,
        "ServiceProviderId": str(cast.organisations[asset.provider].id),
        "OrganisationId": str(owner) if owner else None,
    }


@dataclass
class Registrations:
    """Writes registrations and their checks in bulk, batch by batch."""

    cast: Cast
    rows: dict[int, dict[str, Any]]
    covered: frozenset[str] = frozenset()
    assets: dict[int, Asset] = field(default_factory=dict)

    def register(self, batch: list[Planned]) -> None:
        """The assets of a batch are registered by their provider."""
        provider = self.cast.providers[batch[0].provider]
        assets = [self._asset(plan, provider) for plan in batch]
        with unit_of_work(Stamp("register_asset", "UC-02.01", provider), writes=True) as session:
            session.add_all(assets)
            session.flush()
            session.add_all(
                AssetAlias(asset_id=asset.id, scheme=alias["scheme"], value=alias["value"])
                for asset in assets
                for alias in asset.aliases
            )
            tell((EventType.ASSET_REGISTERED, asset, {"version": 1, "status": str(asset.status)}) for asset in assets)

    def _asset(self, plan: Planned, provider: Actor) -> Asset:
        values = dict(self.rows[plan.number])
        values["CategoryAttributes"] = json.loads(values["CategoryAttributes"])
        values["Aliases"] = list(values["Aliases"] or [])
        columns = {column: values[term] for term, column in STORED_TERMS.items()}
        columns |= {STORED_TERMS[term]: UUID(values[term]) for term in IDENTITIES if values[term]}
        moment, consent = now(), columns["consent_reference"]
        waits = f"Waits for the consent solution to confirm the consent {consent}. The checks start once it has."
        asset = Asset(
            **columns,
            id=new_id(),
            status=AssetStatus.AWAITING_CONSENT_CHECK if consent else AssetStatus.PENDING_VALIDATION,
            status_reason=waits if consent else None,
            status_since=moment,
            registered_at=moment,
            managed_from=moment,
            submitted_by_organisation=None,
            serial_key=key_of(columns["serial_number"]),
            manufacturer_key=key_of(columns["manufacturer"]),
            derived_terms=sorted(values["derived"]),
            justifications=self._justified(plan, provider),
        )
        self.assets[plan.number] = asset
        return asset

    def _justified(self, asset: Planned, provider: Actor) -> list[dict[str, Any]]:
        """The warning that a service gives, which the rules of the row can't know of."""
        if asset.story is not Story.CLAIMED_TWICE:
            return []
        return add_justifications(
            provider, [], [finding("MPAN-09", asset.values["ImportMPAN"], "ImportMPAN")], ELSEWHERE
        )

    def consent(self, batch: list[Planned]) -> None:
        """The consents behind a batch are confirmed."""
        with unit_of_work(Stamp("confirm_consent", "UC-05.05", system_actor("Consent solution")), writes=True):
            assets = [self.assets[plan.number] for plan in batch]
            confirmed = "The consent {} is confirmed."
            tell(
                shift(asset, AssetStatus.PENDING_VALIDATION, confirmed.format(asset.consent_reference))
                for asset in assets
            )

    def check(self, batch: list[Planned]) -> None:
        """Every source has answered on the assets of a batch."""
        codes = catalogue().reference.code_lists
        assets = [self.assets[plan.number] for plan in batch]
        with unit_of_work(Stamp("conclude_checks", "UC-02.01", REGISTER), writes=True) as session:
            rows = {asset.id: as_rows(asset, answers(asset, codes, self.covered)) for asset in assets}
            insert_recorded(session, AssetCheck, [row for checks in rows.values() for row in checks])
            tell(news for asset in assets if (news := self._conclude(asset, rows[asset.id])))

    def _conclude(self, asset: Asset, rows: list[dict[str, Any]]) -> News | None:
        agreed = [row["summary"] for row in rows if row["outcome"] is CheckOutcome.AGREES]
        doubtful = any(row["outcome"] is CheckOutcome.DIFFERS or row["evidence"]["expected"] for row in rows)
        reasons = "\n".join(reasons_of([AssetCheck(**row) for row in rows])) if doubtful else ""
        if reasons:
            post_asset_message(Actor(name=REGISTER.name, roles=frozenset()), asset, MessageKind.QUERY, reasons[:4000])
            return shift(asset, AssetStatus.QUERY, reasons[:1000])
        if agreed:
            return shift(asset, AssetStatus.VERIFIED, " ".join(agreed)[:1000])
        asset.status_reason = NO_SOURCE
        return None


def shift(asset: Asset, status: AssetStatus, reason: str) -> News:
    """Bring an asset into another state; the event to tell: what `lifecycle.move` does, without a flush for each."""
    before = asset.status
    asset.status, asset.status_reason, asset.status_since = status, reason, now()
    return EventType.ASSET_STATUS_CHANGED, asset, {"from": str(before), "to": str(status), "reason": reason}


def tell(news: Iterable[News]) -> None:
    """Events of the past: in the feed, and handed to nobody, since what follows from them is written as well."""
    rows = [
        {
            "id": new_id(),
            "type": kind,
            "record_type": Asset.record_type(),
            "record_id": asset.id,
            "organisation_id": asset.service_provider_id,
            "dno_code": asset.dno_connection,
            "payload": payload,
            "occurred_at": now(),
        }
        for kind, asset, payload in news
    ]
    if rows:
        current_session().execute(insert(Event), rows, execution_options={"autoflush": False})


def batches(planned: Iterable[Planned]) -> dict[tuple[datetime, int], list[Planned]]:
    """The planned assets by moment and batch."""
    by_batch: dict[tuple[datetime, int], list[Planned]] = {}
    for asset in planned:
        by_batch.setdefault((asset.moment, asset.batch), []).append(asset)
    return by_batch


def everyday(timeline: Timeline, registrations: Registrations, planned: list[Planned]) -> None:
    """Batches are registered, their consents confirmed within hours, their checks answered within minutes."""
    for batch in batches(planned).values():
        moment = batch[0].moment
        timeline.add(moment, partial(registrations.register, batch))
        confirmed = [asset for asset in batch if asset.consumer_owned and asset.story not in UNCONFIRMED]
        if confirmed:
            timeline.add(moment + CONSENT_TAKES, partial(registrations.consent, confirmed))
            timeline.add(moment + CONSENT_TAKES + CHECKS_TAKE, partial(registrations.check, confirmed))
        others = [asset for asset in batch if not asset.consumer_owned]
        if others:
            timeline.add(moment + CHECKS_TAKE, partial(registrations.check, others))
