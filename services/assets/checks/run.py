"""Authenticity checks: an asset is held against every source that may know it, in the background (UC-02.01).

Events start them, the worker retries them while a source is away; asked twice they do nothing twice. docs/checks.md says
which source is asked when, what makes an asset Verified and what raises a Query.
"""

from collections.abc import Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import Select, and_, func, or_, select
from sqlalchemy.orm import aliased
from sqlmodel import col

from models.assets import (
    CHECK_SOURCE_LABELS,
    STATUS_LABELS,
    Asset,
    AssetAlias,
    AssetCheck,
    AssetStatus,
    CheckOutcome,
    CheckSource,
)
from models.core import Event
from models.events import EventType
from models.sources import SourceEdition, SourceKey, SourceRecord
from services.assets.checks.outcomes import Answer
from services.assets.checks.records import (
    CHECKED_STATUSES,
    has_changed_since,
    newest_checks,
    open_checks,
    record_answers,
    reopen_checks,
)
from services.assets.checks.sources import SMALL_SCALE_KW, ask_source
from services.core.errors import Refused
from services.core.http_client import OutsideError, OutsideUnavailable
from services.core.identity.actor import Actor
from services.core.identity.visibility import reach, see, visible
from services.core.jobs.outbox import emit_for_asset
from services.core.jobs.worker import Wait
from services.core.operation import operation, system_step
from services.core.reactions import Failures
from services.core.transaction import current_session

ASKED_AT_ONCE = 4
"""How many questions are under way at a time: sources are other people's machines."""
RETURNING = (AssetStatus.AWAITING_CONSENT_CHECK, AssetStatus.SUSPENDED_CONSENT_REVOKED)


def check_registered(events: Sequence[Event]) -> Failures:
    """New assets are checked."""
    return _check_events(events)


def check_changed(event: Event) -> None:
    """A material change is checked (UC-02.03), and any change while a query waits for one."""
    if event.payload.get("material") or is_queried(event.record_id):
        run_checks([event.record_id])


def check_consented(event: Event) -> None:
    """An asset whose consent has just been confirmed is checked."""
    if event.payload.get("to") == AssetStatus.PENDING_VALIDATION and event.payload.get("from") in RETURNING:
        run_checks([event.record_id])


def check_requested(events: Sequence[Event]) -> Failures:
    """Checks that somebody, or a new edition of a register, asked for."""
    return _check_events(events)


def _check_events(events: Sequence[Event]) -> Failures:
    away = ask_sources({event.record_id for event in events})
    return {event.id: away[event.record_id] for event in events if event.record_id in away}


def check_against_edition(event: Event) -> None:
    """A new edition of a register: whoever it may say something new of is held against it."""
    recheck_after_edition(event.record_id)


@system_step("UC-02.01", name="is_queried", writes=False)
def is_queried(asset_id: UUID) -> bool:
    """True while a query is open on an asset."""
    return current_session().get_one(Asset, asset_id).status is AssetStatus.QUERY


def run_checks(asset_ids: Collection[UUID]) -> None:
    """Ask every source that hasn't answered yet, keep what they say, and conclude. Raises `Wait` while one is away."""
    if away := ask_sources(asset_ids):
        raise next(iter(away.values()))


def ask_sources(asset_ids: Collection[UUID]) -> dict[UUID, Wait]:
    """The same for many assets at once; by asset, which sources are away. Raises NotFound.

    Nothing is locked while sources are asked. A process that is killed meanwhile has kept nothing, and asks again.
    """
    waiting = [
        (asset, check)
        for asset, checks in open_checks(asset_ids)
        for check in checks
        if check.outcome is CheckOutcome.WAITING
    ]
    if not waiting:
        return {}
    answers: dict[UUID, Answer] = {}
    outages: dict[UUID, str] = {}
    away: dict[UUID, list[str]] = {}
    with ThreadPoolExecutor(min(ASKED_AT_ONCE, len(waiting)), "fmar-asks") as askers:
        for (asset, check), answer in zip(waiting, askers.map(_ask_or_error, *zip(*waiting, strict=True)), strict=True):
            if isinstance(answer, Answer):
                answers[check.id] = answer
            else:
                outages[check.id] = _why_waiting(check.source, answer)
                away.setdefault(asset.id, []).append(str(answer))
    record_answers(sorted({asset.id for asset, _check in waiting}), answers, outages)
    return {asset_id: Wait("; ".join(reasons)) for asset_id, reasons in away.items()}


def _ask_or_error(asset: Asset, check: AssetCheck) -> Answer | OutsideError:
    try:
        return ask_source(check.source, asset)
    except OutsideError as error:
        return error


def _why_waiting(source: CheckSource, error: OutsideError) -> str:
    label = CHECK_SOURCE_LABELS[source]
    if isinstance(error, OutsideUnavailable):
        return f"Waiting: the {label} is out of reach. The check is tried again until it answers."
    return f"Waiting: the {label} refuses to answer. The operator of this portal has to look at its settings."


@operation("UC-02.01", permission="asset.check", name="request_checks")
def request_checks(actor: Actor, asset_id: UUID) -> list[AssetCheck]:
    """Run the checks of an asset anew; the asset keeps its status until the sources have answered.

    Raises Refused in a state in which nothing is checked: an open query is answered first.
    """
    asset = reach(Asset, actor, asset_id, "asset.check")
    if asset.status is AssetStatus.QUERY or asset.status not in CHECKED_STATUSES:
        onward = (
            "Answer the query, or correct the values; the checks follow." if asset.status is AssetStatus.QUERY else ""
        )
        raise Refused(f"The asset is {STATUS_LABELS[asset.status]}: its checks don't run now. {onward}".strip())
    return start_checks(asset)


def start_checks(
    asset: Asset, sources: tuple[CheckSource, ...] = tuple(CheckSource), edition_id: UUID | None = None
) -> list[AssetCheck]:
    """Open checks of the asset as it stands and tell the worker; inside an operation. `edition_id`: what gave rise to it."""
    opened = reopen_checks(asset, sources)
    payload = {"version": asset.version, "sources": [str(source) for source in sources]}
    if edition_id is not None:
        payload["edition"] = str(edition_id)
    emit_for_asset(EventType.ASSET_CHECKS_REQUESTED, asset, payload)
    return opened


@operation("UC-02.01", permission="asset.read", writes=False, name="checks_of")
def checks_of(actor: Actor, asset_id: UUID, *, all_versions: bool = False) -> list[AssetCheck]:
    """The newest check of an asset against each source; with `all_versions` every check there was, newest first.

    NotFound when the actor may not see the asset.
    """
    see(Asset, actor, asset_id)
    if not all_versions:
        return newest_checks([asset_id]).get(asset_id, [])
    query = select(AssetCheck).where(col(AssetCheck.asset_id) == asset_id, visible(AssetCheck, actor))
    newest_first = (col(AssetCheck.asset_version).desc(), col(AssetCheck.id))
    return list(current_session().scalars(query.order_by(*newest_first)))


@operation("UC-02.01", permission="asset.read", writes=False, name="checks_under_way")
def checks_under_way(actor: Actor, asset_id: UUID) -> bool:
    """True while sources are being asked about the asset, or will be: a check waits, or declared values are unchecked.

    NotFound when the actor may not see the asset.
    """
    asset = see(Asset, actor, asset_id)
    checks = newest_checks([asset_id]).get(asset_id, [])
    if any(check.outcome is CheckOutcome.WAITING for check in checks):
        return True
    waits = asset.status is AssetStatus.PENDING_VALIDATION
    return waits and (not checks or has_changed_since(asset, checks))


@system_step("UC-02.01", name="recheck_after_edition")
def recheck_after_edition(edition_id: UUID) -> int:
    """Hold assets against a new edition: those whose matched record it closed, and those that were not found before.

    Chosen by one query: by MPAN, by alias, or by licence area for what is large enough to be listed. How many they were.
    Handed the same edition twice, it finds none that was not asked since.
    """
    edition = current_session().get_one(SourceEdition, edition_id)
    if edition.recorded_at is None:
        return 0
    assets = list(current_session().scalars(_select_concerned(edition, edition.recorded_at)))
    for asset in assets:
        start_checks(asset, (CheckSource.CONNECTION_REGISTER,), edition_id)
    return len(assets)


def _select_concerned(edition: SourceEdition, loaded_at: datetime) -> Select[Asset]:
    later = aliased(AssetCheck)
    newest = (
        select(func.max(col(later.asset_version)))
        .where(col(later.asset_id) == col(Asset.id), col(later.source) == CheckSource.CONNECTION_REGISTER)
        .scalar_subquery()
    )
    closed = select(col(SourceRecord.id)).where(
        col(SourceRecord.kind) == edition.kind,
        col(SourceRecord.publisher) == edition.publisher,
        col(SourceRecord.valid_to).is_not(None),
    )
    fresh = select(col(SourceRecord.id)).where(col(SourceRecord.first_edition_id) == edition.id)
    keys = select(col(SourceKey.value)).where(col(SourceKey.source_record_id).in_(fresh))
    mpans, references = keys.where(col(SourceKey.scheme) == "MPAN"), keys.where(col(SourceKey.scheme) == "REF")
    named = select(col(AssetAlias.asset_id)).where(
        col(AssetAlias.active), col(AssetAlias.scheme) == str(edition.kind), col(AssetAlias.value).in_(references)
    )
    unknown = col(AssetCheck.outcome).in_([CheckOutcome.NOT_FOUND, CheckOutcome.NOT_APPLICABLE])
    likely = or_(
        col(Asset.import_mpan).in_(mpans),
        col(Asset.export_mpan).in_(mpans),
        col(Asset.id).in_(named),
        and_(
            col(Asset.dno_connection).in_(edition.counts.get("areas", [])),
            col(Asset.rated_capacity) >= Decimal(SMALL_SCALE_KW),
        ),
    )
    return (
        select(Asset)
        .join(AssetCheck, col(AssetCheck.asset_id) == col(Asset.id))
        .where(
            col(AssetCheck.source) == CheckSource.CONNECTION_REGISTER,
            col(AssetCheck.asset_version) == newest,
            col(AssetCheck.requested_at) < loaded_at,
            col(Asset.status).in_(CHECKED_STATUSES),
            or_(col(AssetCheck.source_record_id).in_(closed), and_(unknown, likely)),
        )
        .order_by(col(Asset.id))
    )
