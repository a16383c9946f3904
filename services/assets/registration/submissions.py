"""Drafts that an installer sends to a provider, who completes and registers them, or sends them back (UC-02.01).

The installer's draft stays as it was sent: whoever completes it works on a copy of their own. Until it is registered it is
the installer's, so that a provider who doesn't want it gives it back with the reason rather than destroying it.
"""

from collections.abc import Mapping, Sequence
from uuid import UUID

from sqlalchemy import func, select
from sqlmodel import col

from models.assets import Asset, AssetDraft
from models.events import EventType
from models.participants import Organisation, OrganisationStatus
from services.assets.registration.drafts import FROM, NOTES, RETURNED, TAKEN, find_draft, notes_of, storable
from services.assets.registration.parties import PROVIDER_ROLES
from services.assets.rules.check import check_asset
from services.assets.rules.reference import catalogue, rule_context
from services.core.clock import now
from services.core.errors import Finding, Invalid, NotFound, Refused
from services.core.identity.actor import Actor
from services.core.identity.visibility import visible, within
from services.core.jobs.outbox import emit
from services.core.operation import operation
from services.core.text import clean_text, require_text
from services.core.transaction import current_session

MOST_SUBMITTED = 200
"""Drafts of one installer that wait with providers at the same time."""
LONGEST_NOTE, SHORTEST_REASON = 1000, 3
UNKNOWN_TERM = "FIELD-01"


@operation("UC-02.01", permission="asset.submit_draft", writes=False, name="check_draft")
def check_draft(actor: Actor, values: Mapping[str, object]) -> list[Finding]:
    """Check technical data by the rules of the row alone, without any other record of the register."""
    return list(check_asset(storable(values), rule_context()).findings)


@operation("UC-02.01", permission="asset.submit_draft", name="submit_draft")
def submit_draft(
    actor: Actor,
    values: Mapping[str, object],
    provider_id: UUID | None,
    note: str | None = None,
    *,
    draft_id: UUID | None = None,
) -> AssetDraft:
    """Send technical data, by ontology term, to a provider; as far as they are known, right or wrong.

    `draft_id`: the actor's own draft, or one that was returned, or one that the provider hasn't begun to complete. Raises
    Invalid without an active provider or a known category, Refused for too much at once, NotFound for no draft of theirs.
    """
    stored, note_text = storable(values), clean_text(note or "")
    provider = current_session().get(Organisation, provider_id) if provider_id else None
    _require_sound(actor, stored, provider, note_text)
    assert provider is not None
    assert actor.organisation_id is not None
    draft = _own_draft(actor, draft_id)
    draft.values, draft.note, draft.author_name = stored, note_text or None, actor.name[:200]
    draft.addressed_to = provider.id
    draft.submitted_at = draft.saved_at = now()
    current_session().flush()
    payload = {"draft_id": str(draft.id), "name": name_of(draft), "from": actor.organisation_name}
    emit(EventType.ASSET_DRAFT_SUBMITTED, provider, organisation_id=provider.id, payload=payload)
    return draft


def name_of(draft: AssetDraft) -> str:
    """The name of a draft: its asset's name, else its serial number, else that it has none."""
    name = draft.values.get("AssetName") or draft.values.get("SerialNumber")
    return str(name)[:255] if name else "No name yet"


def _require_sound(actor: Actor, values: Mapping[str, object], provider: Organisation | None, note: str) -> None:
    findings = [finding for finding in check_asset(values, rule_context()).findings if finding.code == UNKNOWN_TERM]
    if (
        provider is None
        or provider.organisation_status is not OrganisationStatus.ACTIVE
        or not PROVIDER_ROLES & set(provider.organisation_roles)
    ):
        value = str(provider.id) if provider else None
        expected = "An active FSP or Aggregator of the directory"
        findings.append(Finding("DRAFT-01", "AddressedTo", value, expected, "Choose the provider who completes it."))
    category = values.get("AssetCategory")
    if category not in catalogue().schema_versions:
        message = "Choose the category: it says which details the provider needs."
        value = None if category is None else str(category)[:200]
        findings.append(Finding("DRAFT-02", "AssetCategory", value, "A category in use", message))
    if len(note) > LONGEST_NOTE:
        message = f"Shorten the note to {LONGEST_NOTE:,} characters."
        findings.append(Finding("DRAFT-03", "Note", note[:200], f"At most {LONGEST_NOTE:,} characters", message))
    if findings:
        raise Invalid(findings)
    waiting = (col(AssetDraft.organisation_id) == actor.organisation_id, col(AssetDraft.submitted_at).is_not(None))
    if (current_session().scalar(select(func.count(col(AssetDraft.id))).where(*waiting)) or 0) >= MOST_SUBMITTED:
        raise Refused(
            f"{MOST_SUBMITTED} drafts of yours wait with providers already. Submit more once some are registered, or take "
            "some back."
        )


def _own_draft(actor: Actor, draft_id: UUID | None) -> AssetDraft:
    """The draft to be sent, or a new one; a program's is kept under its organisation, since no person keeps it."""
    assert actor.organisation_id is not None
    if draft_id is None:
        draft = AssetDraft(
            user_id=actor.user_id or actor.organisation_id, organisation_id=actor.organisation_id, saved_at=now()
        )
        current_session().add(draft)
        return draft
    draft = find_draft(actor, draft_id)
    if draft is None or draft.organisation_id != actor.organisation_id or draft.asset_id is not None:
        raise NotFound("draft", draft_id)
    if draft.submitted_at is not None and TAKEN in draft.values:
        raise Refused("The provider is completing this draft already. Ask them to return it.")
    return draft


@operation("UC-02.01", permission="asset.take_draft", name="take_draft")
def take_draft(actor: Actor, draft_id: UUID) -> AssetDraft:
    """Begin to complete what an installer submitted: a copy of one's own to go on with, the same one when asked again."""
    submission = _sent_to(actor, draft_id)
    if actor.user_id is None or actor.organisation_id is None:
        raise Refused("A program registers a submitted draft directly; only people complete one step by step.")
    own_drafts = (col(AssetDraft.user_id) == actor.user_id, col(AssetDraft.organisation_id) == actor.organisation_id)
    for copy in current_session().scalars(select(AssetDraft).where(*own_drafts)):
        if copy.values.get(FROM) == str(submission.id):
            return copy
    draft_values = {name: value for name, value in submission.values.items() if name not in NOTES}
    copy = AssetDraft(
        user_id=actor.user_id,
        organisation_id=actor.organisation_id,
        values=draft_values | {FROM: str(submission.id)},
        saved_at=now(),
        author_name=submission.author_name,
        note=submission.note,
    )
    current_session().add(copy)
    submission.values = submission.values | {TAKEN: {"by": actor.name, "at": now().isoformat(timespec="seconds")}}
    return copy


@operation("UC-02.01", permission="asset.take_draft", name="return_draft")
def return_draft(actor: Actor, draft_id: UUID, reason: str, *, declined: bool = False) -> AssetDraft:
    """Give a submitted draft back to its installer, who reads the reason; what was completed of it here is dropped.

    `draft_id` is the submitted one or one's copy of it. `declined`: the provider doesn't want it, rather than wanting it
    mended. Raises Invalid without a reason of 3 to 1,000 characters.
    """
    message = f"Say in {SHORTEST_REASON} to {LONGEST_NOTE:,} characters what the installer should know."
    reason_text = require_text(
        reason, "Reason", code="DRAFT-04", message=message, shortest=SHORTEST_REASON, longest=LONGEST_NOTE
    )
    submission = _sent_to(actor, draft_id)
    note = {
        "reason": reason_text,
        "by": actor.organisation_name,
        "at": now().isoformat(timespec="seconds"),
        "declined": declined,
    }
    submission.values = {name: value for name, value in submission.values.items() if name not in NOTES} | {
        RETURNED: note
    }
    submission.submitted_at = None
    _drop_copies(actor, submission)
    installer = current_session().get_one(Organisation, submission.organisation_id)
    payload = {
        "draft_id": str(submission.id),
        "name": name_of(submission),
        "from": actor.organisation_name,
        "reason": reason_text,
    }
    emit(
        EventType.ASSET_DRAFT_RETURNED,
        installer,
        organisation_id=installer.id,
        payload=payload | {"declined": declined},
    )
    return submission


def submission_behind(actor: Actor, draft_id: UUID | None) -> AssetDraft | None:
    """The submitted draft that `draft_id` is, or is a copy of; None for a draft of one's own."""
    draft = find_draft(actor, draft_id)
    if draft is None:
        return None
    if draft.organisation_id == actor.organisation_id:
        origin = notes_of(draft).get(FROM)
        draft = find_draft(actor, UUID(str(origin))) if origin else None
    submitted = draft is not None and draft.addressed_to == actor.organisation_id and draft.submitted_at is not None
    return draft if submitted else None


def conclude_submission(actor: Actor, submission: AssetDraft, asset: Asset) -> None:
    """The asset is registered: the draft and the copies of it have done their work, and the installer is told."""
    payload = {"draft_id": str(submission.id), "name": asset.asset_name, "from": actor.organisation_name}
    emit(EventType.ASSET_DRAFT_REGISTERED, asset, organisation_id=submission.organisation_id, payload=payload)
    _drop_copies(actor, submission)
    current_session().delete(submission)


def _sent_to(actor: Actor, draft_id: UUID) -> AssetDraft:
    submission = submission_behind(actor, draft_id)
    if submission is None:
        raise NotFound("draft", draft_id)
    return submission


def _drop_copies(actor: Actor, submission: AssetDraft) -> None:
    session = current_session()
    own_copies = (col(AssetDraft.organisation_id) == actor.organisation_id, col(AssetDraft.addressed_to).is_(None))
    for copy in session.scalars(select(AssetDraft).where(*own_copies)):
        if copy.values.get(FROM) == str(submission.id):
            session.delete(copy)


def organisation_names(actor: Actor, identifiers: Sequence[UUID | None]) -> dict[UUID, str]:
    """Names of organisations that take part, as the directory tells them to everybody; of one's own records besides."""
    organisation_ids = {identifier for identifier in identifiers if identifier}
    is_listed = within(Organisation, actor, "organisation.directory") | visible(Organisation, actor)
    names = func.coalesce(col(Organisation.organisation_trading_name), col(Organisation.organisation_legal_name))
    rows = current_session().execute(
        select(col(Organisation.id), names).where(col(Organisation.id).in_(organisation_ids), is_listed)
    )
    return {row[0]: row[1] for row in rows}
