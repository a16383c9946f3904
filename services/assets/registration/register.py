"""Registering one asset (UC-02.01): conformance, duplicates, consent, then the record and the event that starts its checks."""

from collections.abc import Mapping
from uuid import UUID

from models.assets import Asset, AssetStatus
from models.events import EventType
from services.assets.registration.drafts import drop_draft
from services.assets.registration.record import add_justifications, alias_rows, fill_record, waits_for_consent
from services.assets.registration.shared_meters import tell_shared
from services.assets.registration.submissions import conclude_submission, submission_behind
from services.assets.registration.validation import Conformance, conform, disclose, disclose_after_reading
from services.core.clock import now
from services.core.errors import Finding
from services.core.identity.actor import Actor
from services.core.jobs.outbox import emit_for_asset
from services.core.operation import operation
from services.core.transaction import current_session


@operation("UC-02.01", permission="asset.register", name="register_asset")
def register_asset(
    actor: Actor,
    values: Mapping[str, object],
    *,
    justification: str | None = None,
    draft_id: UUID | None = None,
) -> Asset:
    """Register one asset from values by ontology term, as text or as JSON values.

    Raises Invalid with every finding at once (warnings alone go through with a `justification` of 10 characters or more),
    Duplicate when an active asset is the same, Refused when the actor's organisation may not register, TooManyRequests when
    its look-ups of this hour are used up and the values name an MPAN, a device or an alias. The draft it was typed in goes in
    the same transaction; where an installer had sent it, the asset is known as submitted by them. An asset that a consumer
    owns waits for its consent to be confirmed.
    """
    submission = submission_behind(actor, draft_id) if draft_id else None
    checked = conform(actor, values)
    disclose(actor, checked)
    checked.accept(justification)
    asset = record_new(actor, checked, justification, submitted_by=submission.organisation_id if submission else None)
    if submission is not None:
        conclude_submission(actor, submission, asset)
    drop_draft(actor, draft_id)
    return asset


@operation("UC-02.01", permission="asset.register", writes=False, name="check_registration")
def _conform_registration(actor: Actor, values: Mapping[str, object]) -> Conformance:
    """Hold a registration against every rule without making it."""
    return conform(actor, values)


def check_registration(actor: Actor, values: Mapping[str, object]) -> list[Finding]:
    """Check a registration without making it: errors, warnings, and duplicates as findings.

    LOOKUP-02 stands for what was not asked because the organisation's look-ups of this hour are used up.
    """
    checked = _conform_registration(actor, values)
    disclose_after_reading(actor, checked)
    return [*checked.errors, *(duplicates.as_finding() for duplicates in checked.same), *checked.warnings]


def record_new(
    actor: Actor, checked: Conformance, justification: str | None, submitted_by: UUID | None = None
) -> Asset:
    """Write the record of values that have been accepted, its look-up rows and its event; inside an operation.

    `submitted_by`: the organisation that handed the values to the provider; else who registers in a provider's place.
    """
    moment = now()
    asset = Asset(
        status=AssetStatus.PENDING_VALIDATION,
        status_since=moment,
        registered_at=moment,
        managed_from=moment,
        schema_version=checked.schema_version,
    )  # pyright: ignore[reportCallIssue]  # the declared values follow from `checked`
    fill_record(asset, checked.values, checked.derived)
    if asset.consumer_owned:
        asset.status = AssetStatus.AWAITING_CONSENT_CHECK
        asset.status_reason = waits_for_consent(asset.consent_reference)
    if submitted_by is not None:
        asset.submitted_by_organisation = submitted_by
    elif actor.organisation_id != asset.service_provider_id:
        asset.submitted_by_organisation = actor.organisation_id
    asset.justifications = add_justifications(actor, [], checked.warnings, justification)
    current_session().add_all([asset, *alias_rows(asset)])
    emit_for_asset(EventType.ASSET_REGISTERED, asset, {"version": 1, "status": str(asset.status)})
    tell_shared(asset, checked.shared)
    return asset
