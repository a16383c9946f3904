"""De-registering an organisation: what stands in the way, and the end (UC-01.04)."""

from uuid import UUID

from sqlalchemy import func, select
from sqlmodel import col

from models.assets import ENDED_STATUSES, STATUS_LABELS, Asset, AssetStatus
from models.events import EventType
from models.participants import Organisation, OrganisationStatus
from services.core.errors import Blocker, Refused
from services.core.identity.actor import Actor
from services.core.identity.visibility import reach
from services.core.jobs.outbox import emit
from services.core.operation import operation
from services.core.reactions import reactions
from services.core.transaction import current_session
from services.participants.administrators import require_administration_elsewhere
from services.participants.lifecycle import ORGANISATION_LIFE_CYCLE
from services.participants.organisations import require_version
from services.participants.reasons import require_reason


def block_holder_of_assets(organisation_id: UUID) -> list[Blocker]:
    """Assets that it manages or owns and that have not ended, counted by status; open queries among them are named."""
    managed = col(Asset.service_provider_id) == organisation_id
    owned = (col(Asset.organisation_id) == organisation_id) & ~managed
    blockers: list[Blocker] = []
    for verb, condition, onward in (
        ("managed", managed, "De-register them, or let another provider take them over."),
        ("owned", owned, "Let their provider name another owner, or de-register them."),
    ):
        counts = current_session().execute(
            select(col(Asset.status), func.count())
            .where(condition, col(Asset.status).not_in(ENDED_STATUSES))
            .group_by(col(Asset.status))
        )
        for status, count in sorted(counts, key=lambda row: list(AssetStatus).index(row[0])):
            label = f"{count} {'asset' if count == 1 else 'assets'} {verb}, {STATUS_LABELS[status]}"
            action = "Answer the query, then de-register." if status is AssetStatus.QUERY else onward
            blockers.append(Blocker("asset", f"{verb}:{status.value}", label, action))
    return blockers


def _blockers(organisation_id: UUID) -> list[Blocker]:
    """Blockers that each area names, in the order of `services.wiring`."""
    return [blocker for block in reactions().organisation_blockers for blocker in block(organisation_id)]


@operation("UC-01.04", permission="organisation.withdraw", writes=False, name="withdrawal_blockers")
def withdrawal_blockers(actor: Actor, organisation_id: UUID) -> list[Blocker]:
    """Everything that keeps the organisation from being de-registered; empty when nothing does.

    A blocker of kind ``asset`` stands for a count; its `id` is ``managed:<status>`` or ``owned:<status>``, for a link to the
    filtered list.
    """
    reach(Organisation, actor, organisation_id, "organisation.withdraw", lock=False)
    return _blockers(organisation_id)


@operation("UC-01.04", permission="organisation.withdraw", name="withdraw_organisation")
def withdraw_organisation(actor: Actor, organisation_id: UUID, reason: str, version: int) -> Organisation:
    """De-register an organisation, finally: its people and programs are out at once, its records are kept.

    Raises Refused with everything that stands in the way, Conflict when `version` is stale.
    """
    reason = require_reason(reason)
    reach(Organisation, actor, organisation_id, "organisation.withdraw", lock=False)
    require_administration_elsewhere(organisation_id)
    organisation = reach(Organisation, actor, organisation_id, "organisation.withdraw")
    require_version(organisation, version)
    target = OrganisationStatus.WITHDRAWN
    ORGANISATION_LIFE_CYCLE.require(organisation.organisation_status, target, "withdraw_organisation")
    blockers = _blockers(organisation_id)
    if blockers:
        raise Refused(
            f"{organisation.organisation_legal_name} can't be de-registered while it has open obligations. "
            "Clear what is listed, then try again.",
            blockers,
        )
    organisation.organisation_status = target
    organisation.status_reason = reason
    current_session().flush()
    emit(EventType.ORGANISATION_WITHDRAWN, organisation, organisation_id=organisation.id, payload={"reason": reason})
    return organisation
