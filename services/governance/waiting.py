"""Tasks that wait for the actor, over all areas: counted once, and the very records behind each count (UC-05.02)."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum
from uuid import UUID

from sqlalchemy import ColumnElement, and_, exists, func, select
from sqlmodel import col

from models.assets import Asset, AssetMessage, AssetStatus, MessageKind
from models.bulk import BulkJob
from models.participants import ApiClient, ApiClientStatus, Organisation, OrganisationStatus
from models.sources import SourceEdition, SourceKind
from services.assets.bulk.upload.notifications import ended_jobs
from services.assets.registration.draft_board import DraftBoard, draft_board
from services.assets.registration.shared_meters import newly_shared
from services.core.clock import add_working_days, in_london, now, today, working_days_ago, working_days_between
from services.core.identity.actor import Actor
from services.core.identity.permissions import Scope, may, scopes_of
from services.core.identity.visibility import visible, within
from services.core.operation import operation
from services.core.register_settings import setting
from services.core.transaction import current_session
from services.market.products.proposal_records import count_waiting_proposals
from services.market.qualification.inbox import WaitingApplications, find_waiting_applications

SOONEST = 3
"""Queries that are named one by one."""
EXPIRES_WITHIN = timedelta(days=30)
NEW_WITHIN = timedelta(days=7)
LONGEST_LIST = 500


class Errand(StrEnum):
    """Assets that wait for something, as far as the actor has to do with it."""

    ANSWERED = "answered"
    """The provider has answered the query: the operator decides."""
    PENDING = "pending"
    OVERDUE = "overdue"
    """The time to answer a query has run out."""
    QUERY = "query"
    CONSENT = "consent"
    NEW = "new"
    """Registered within the last seven days."""
    SHARED = "shared"
    """Another provider has an asset on the same meter, and both were told lately (MPAN-09)."""


@dataclass(frozen=True, slots=True)
class OpenQuery:
    """A query that the actor's organisation has to answer; `days_left` are working days, negative once it is late."""

    asset_id: UUID
    name: str
    due: date
    days_left: int


@dataclass(frozen=True, slots=True)
class Expiring:
    """An API credential of the actor's organisation that ends soon, or has just ended."""

    name: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Errands:
    """Counts of waiting tasks; what doesn't concern the actor is 0 or empty. `drafts` is None for those who keep none."""

    organisations: int = 0
    proposals: int = 0
    """Product proposals that the actor decides on, or has been asked about."""
    assets: dict[Errand, int] = field(default_factory=dict)
    queries: Sequence[OpenQuery] = ()
    expiring: Sequence[Expiring] = ()
    missing_sources: Sequence[str] = ()
    ended: Sequence[BulkJob] = ()
    """Files that the actor handed in whose jobs have ended since the actor looked."""
    drafts: DraftBoard | None = None
    applications: Sequence[WaitingApplications] = ()
    """Applications for products, the most urgent first."""
    decides: bool = False
    """Whether the actor decides on assets, rather than answering for them or looking on."""
    answers: bool = False


@operation("UC-05.02", permission="register.search", writes=False, name="what_waits")
def what_waits(actor: Actor) -> Errands:
    """All that waits for the actor: to approve, decide, answer, complete, renew or load."""
    decides, answers = may(actor, "asset.settle"), may(actor, "asset.answer") and not may(actor, "asset.settle")
    assets = {errand: _count(actor, errand) for errand in _concerning(actor)}
    return Errands(
        organisations=_organisations() if may(actor, "organisation.decide") else 0,
        proposals=_proposals(actor),
        assets={errand: count for errand, count in assets.items() if count},
        queries=_soonest(actor) if answers and assets.get(Errand.QUERY) else (),
        expiring=_expiring(actor) if may(actor, "client.manage") else (),
        missing_sources=_missing() if may(actor, "source.load") else (),
        ended=ended_jobs(actor) if may(actor, "asset.bulk") else (),
        drafts=draft_board(actor) if may(actor, "asset.draft") else None,
        applications=find_waiting_applications(actor),
        decides=decides,
        answers=answers,
    )


@operation("UC-05.02", permission="asset.read", writes=False, name="waiting_assets")
def waiting_assets(actor: Actor, errand: Errand, limit: int = 100) -> list[Asset]:
    """The assets behind a count, the longest waiting first (new ones and those on a shared meter: the newest first).

    At most `limit`, up to 500.
    """
    query = select(Asset).where(_wanted(actor, errand)).limit(max(1, min(limit, LONGEST_LIST)))
    order = col(Asset.id).desc() if errand in (Errand.NEW, Errand.SHARED) else col(Asset.status_since)
    return list(current_session().scalars(query.order_by(order, col(Asset.id))))


def _concerning(actor: Actor) -> Sequence[Errand]:
    """Errands that concern the actor at all."""
    if may(actor, "asset.settle"):
        return Errand.ANSWERED, Errand.OVERDUE, Errand.PENDING, Errand.QUERY, Errand.CONSENT
    if may(actor, "asset.answer"):
        return Errand.QUERY, Errand.SHARED, Errand.PENDING, Errand.CONSENT
    if Scope.AREA in scopes_of(actor, "asset.read"):
        return Errand.QUERY, Errand.PENDING, Errand.NEW
    return ()


def _wanted(actor: Actor, errand: Errand) -> ColumnElement[bool]:
    """The assets of an errand. Whoever answers has to do with what they manage only, not with all that they see."""
    mine = within(Asset, actor, "asset.answer", writing=True) if may(actor, "asset.answer") else visible(Asset, actor)
    status, since = col(Asset.status), col(Asset.status_since)
    match errand:
        case Errand.ANSWERED:
            answered = exists().where(
                col(AssetMessage.asset_id) == col(Asset.id),
                col(AssetMessage.kind) == MessageKind.ANSWER,
                col(AssetMessage.sent_at) >= since,
            )
            return and_(mine, status == AssetStatus.PENDING_VALIDATION, answered)
        case Errand.OVERDUE:
            late = since < working_days_ago(int(setting("asset.query_answer_days")))
            return and_(mine, status == AssetStatus.QUERY, late)
        case Errand.NEW:
            return and_(
                mine, col(Asset.id) >= _first_id_since(now() - NEW_WITHIN), col(Asset.registered_at).is_not(None)
            )
        case Errand.PENDING:
            return and_(mine, status == AssetStatus.PENDING_VALIDATION)
        case Errand.QUERY:
            return and_(mine, status == AssetStatus.QUERY)
        case Errand.CONSENT:
            return and_(mine, status == AssetStatus.AWAITING_CONSENT_CHECK)
        case Errand.SHARED:
            return and_(mine, newly_shared())


def _first_id_since(moment: datetime) -> UUID:
    """The lowest identifier of that moment: they begin with the time (UUIDv7), so that their index answers by time."""
    return UUID(int=int(moment.timestamp() * 1000) << 80)


def _count(actor: Actor, errand: Errand) -> int:
    return current_session().scalar(select(func.count(col(Asset.id))).where(_wanted(actor, errand))) or 0


def _organisations() -> int:
    waiting = col(Organisation.organisation_status) == OrganisationStatus.PENDING_APPROVAL
    return current_session().scalar(select(func.count(col(Organisation.id))).where(waiting)) or 0


def _proposals(actor: Actor) -> int:
    decides = may(actor, "product.decide")
    return count_waiting_proposals(actor, decides=decides) if decides or may(actor, "product.propose") else 0


def _soonest(actor: Actor) -> list[OpenQuery]:
    days = int(setting("asset.query_answer_days"))
    query = select(col(Asset.id), col(Asset.asset_name), col(Asset.status_since)).where(_wanted(actor, Errand.QUERY))
    rows = current_session().execute(query.order_by(col(Asset.status_since), col(Asset.id)).limit(SOONEST))
    return [_open_query(row[0], row[1], row[2], days) for row in rows]


def _open_query(asset_id: UUID, name: str, since: datetime | None, days: int) -> OpenQuery:
    due = add_working_days(in_london(since or now()).date(), days)
    left = working_days_between(today(), due) if due >= today() else -working_days_between(due, today())
    return OpenQuery(asset_id, name, due, left)


def _expiring(actor: Actor) -> list[Expiring]:
    soon = (
        visible(ApiClient, actor),
        col(ApiClient.organisation_id) == actor.organisation_id,
        col(ApiClient.status) == ApiClientStatus.ACTIVE,
        col(ApiClient.expires_at) < now() + EXPIRES_WITHIN,
    )
    query = select(col(ApiClient.name), col(ApiClient.expires_at)).where(*soon)
    return [Expiring(*row) for row in current_session().execute(query.order_by(col(ApiClient.expires_at)))]


def _missing() -> list[str]:
    """The kinds of public registers of which no edition is loaded: what they know of can't be verified."""
    loaded = set(current_session().scalars(select(col(SourceEdition.kind)).distinct()))
    return [str(kind) for kind in SourceKind if kind not in loaded]
