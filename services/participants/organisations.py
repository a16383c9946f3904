"""Registering an organisation and changing it (UC-01.02, UC-01.03)."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlmodel import col

from models.events import EventType
from models.participants import Membership, MembershipStatus, Organisation, OrganisationStatus, Role, User, UserStatus
from services.core.errors import Conflict, Duplicate, Finding, Forbidden, Invalid, Refused, Severity
from services.core.identity.actor import Actor
from services.core.identity.resolve import email_key
from services.core.identity.roles import founding_roles
from services.core.identity.visibility import reach, visible
from services.core.jobs.outbox import emit
from services.core.ledger.history import changes_since
from services.core.operation import operation
from services.core.transaction import current_session
from services.grid.distributors import LICENCE_AREAS
from services.participants.company_registry import name_key
from services.participants.identity import ADVICE, SignInProblem, find_bound
from services.participants.lifecycle import ORGANISATION_LIFE_CYCLE, WAYS
from services.participants.reading import as_terms, attribute_terms, column_of, terms_of_columns
from services.participants.rules import MATERIAL_TERMS, check_organisation

ENDED = (OrganisationStatus.REFUSED, OrganisationStatus.WITHDRAWN)
MATERIAL = tuple(column_of(term) for term in MATERIAL_TERMS)
"""Columns whose change needs approval again (UC-01.03)."""
IDENTIFYING = {
    "organisation_registration_number": "registration number",
    "vat_registration_number": "VAT registration number",
    "legal_name_key": "legal name",
}
"""Columns that no two organisations share, and what they are called."""
BACKGROUND = frozenset({"registry_check"})
"""Columns that the register fills in by itself: their change makes nobody's form stale."""
MOST_WAITING = 5
"""How many organisations one applicant may have waiting for approval at a time: the queue is read by people."""
WAITING_CHECK: dict[str, Any] = {"outcome": "waiting"}


@operation("UC-01.02", permission="organisation.register", name="register_organisation")
def register_organisation(
    actor: Actor, values: Mapping[str, object], *, justification: str | None = None
) -> Organisation:
    """Register an organisation from ontology terms; it waits as Pending Approval.

    An applicant becomes its administrator, with the roles that follow from its OrganisationRoles; those take effect with the
    approval. Raises Invalid with all findings at once, Duplicate for a registration number, VAT number or legal name that
    another organisation holds.
    """
    accepted = _accepted(values, justification)
    _refuse_duplicate(actor, accepted)
    organisation = Organisation(**accepted, registry_check=dict(WAITING_CHECK))
    founder = _founder(actor) if actor.has(Role.APPLICANT) else None
    session = current_session()
    session.add(organisation)
    session.flush()
    if founder is not None:
        session.add(
            Membership(
                user_id=founder.id,
                organisation_id=organisation.id,
                roles=[role.value for role in founding_roles(organisation.organisation_roles)],
                status=MembershipStatus.ACTIVE,
            )
        )
    emit(EventType.ORGANISATION_REGISTERED, organisation, organisation_id=organisation.id)
    return organisation


@operation("UC-01.03", permission="organisation.update", name="update_organisation")
def update_organisation(
    actor: Actor,
    organisation_id: UUID,
    values: Mapping[str, object],
    version: int,
    *,
    justification: str | None = None,
) -> Organisation:
    """Change an organisation's details; terms that `values` doesn't name stay as they are, empty ones are cleared.

    A change of legal name, registration number or roles makes it Pending Approval again. Until that is decided it keeps what
    it had: its people read, its assets stay registered, its approved roles hold; new registrations of assets wait, since they
    ask for an Active organisation. Raises Conflict when `version` is stale, Refused while it is suspended or has ended.
    """
    organisation = reach(Organisation, actor, organisation_id, "organisation.update")
    require_version(organisation, version, BACKGROUND)
    if not ORGANISATION_LIFE_CYCLE.can(organisation.organisation_status, "update_organisation"):
        raise Refused(f"The details can't be changed. {WAYS[organisation.organisation_status]}")
    accepted = _accepted({**attribute_terms(organisation), **values}, justification)
    changed = {name: value for name, value in accepted.items() if getattr(organisation, name) != value}
    if not changed:
        return organisation
    _refuse_duplicate(actor, accepted, organisation.id)
    for name, value in changed.items():
        setattr(organisation, name, value)
    if not changed.keys().isdisjoint(MATERIAL):
        _await_approval(organisation)
    current_session().flush()
    emit(
        EventType.ORGANISATION_UPDATED,
        organisation,
        organisation_id=organisation.id,
        payload={"terms": sorted(terms_of_columns(changed).values())},
    )
    return organisation


@operation("UC-01.02", permission="organisation.decide", name="set_licence_areas")
def set_licence_areas(actor: Actor, organisation_id: UUID, areas: list[str], version: int) -> Organisation:
    """Say in which licence areas (DNO codes) a DNO operates, and so whose assets its people see."""
    organisation = reach(Organisation, actor, organisation_id, "organisation.decide")
    require_version(organisation, version, BACKGROUND)
    codes = [area.code for area in LICENCE_AREAS]
    expected = f"codes of licence areas: {', '.join(code for code in codes if code)}"
    findings = [
        Finding("ORG-AREA-01", "LicenceAreas", area, expected, f"“{area}” is not a licence area.")
        for area in areas
        if area not in codes
    ]
    if areas and "DNO" not in organisation.organisation_roles:
        words = f"{organisation.organisation_legal_name} is not a DNO, so it has no licence areas."
        findings.append(Finding("ORG-AREA-02", "LicenceAreas", ", ".join(areas), "none", words))
    if findings:
        raise Invalid(findings)
    organisation.licence_areas = [code for code in codes if code in areas and code]
    return organisation


def require_version(organisation: Organisation, version: int, unless_only: frozenset[str] = frozenset()) -> None:
    """Raise Conflict unless `version` is the record's, or everything since then changed columns of `unless_only` alone."""
    if organisation.version == version:
        return
    changes = changes_since(organisation, version)
    changes.pop("legal_name_key", None)
    if version < organisation.version and changes.keys() <= unless_only:
        return
    raise Conflict(
        f"{organisation.organisation_legal_name} was changed since you read it. Look at the change, then try again.",
        current=as_terms(organisation),
        changes={terms_of_columns([name]).get(name, name): pair for name, pair in changes.items()},
    )


def _accepted(values: Mapping[str, object], justification: str | None) -> dict[str, Any]:
    """The checked values by column; raises Invalid."""
    checked = check_organisation(values)
    justified = len((justification or "").strip()) >= 10
    if any(finding.severity is Severity.ERROR for finding in checked.findings) or (checked.findings and not justified):
        raise Invalid(checked.findings)
    accepted = {column_of(term): value for term, value in checked.values.items()}
    accepted["legal_name_key"] = key_of_name(accepted["organisation_legal_name"])
    return accepted


def key_of_name(legal_name: str) -> str:
    """A legal name as duplicates are compared: case, punctuation and the spelling of the legal form don't count."""
    return (name_key(legal_name) or " ".join(legal_name.split()).casefold())[:255]


def _refuse_duplicate(actor: Actor, accepted: Mapping[str, Any], itself: UUID | None = None) -> None:
    """Raise Duplicate when another organisation that has not ended holds one of the identifying values.

    What an organisation was approved as stays its own while a change of it waits: a refused change returns to it.
    """
    session = current_session()
    others = select(Organisation).where(col(Organisation.organisation_status).not_in(ENDED))
    if itself is not None:
        others = others.where(col(Organisation.id) != itself)
    changing = list(
        session.scalars(
            others.where(
                col(Organisation.organisation_status) == OrganisationStatus.PENDING_APPROVAL,
                col(Organisation.approved_at).is_not(None),
            )
        )
    )
    for name, what in IDENTIFYING.items():
        value = accepted.get(name)
        if not value:
            continue
        existing = session.scalar(others.where(getattr(Organisation, name) == value).limit(1)) or next(
            (organisation for organisation in changing if organisation.approved_values.get(name) == value), None
        )
        if existing is not None:
            raise _duplicate(actor, existing.id, what)


def _duplicate(actor: Actor, existing: UUID, what: str) -> Duplicate:
    seen = current_session().scalar(
        select(col(Organisation.id)).where(col(Organisation.id) == existing, visible(Organisation, actor))
    )
    onward = (
        "Open it to update it."
        if seen
        else "If it is yours, ask its administrator to invite you, or the FMAR administrator for help."
    )
    return Duplicate(
        f"An organisation with this {what} is registered already. {onward}",
        "organisation",
        str(existing) if seen else None,
    )


def _await_approval(organisation: Organisation) -> None:
    """Send an organisation back to the approval queue, and its new values to the company registry."""
    target = OrganisationStatus.PENDING_APPROVAL
    ORGANISATION_LIFE_CYCLE.require(organisation.organisation_status, target, "update_organisation")
    organisation.organisation_status = target
    organisation.status_reason = None
    organisation.registry_check = dict(WAITING_CHECK)
    current_session().flush()
    emit(EventType.ORGANISATION_MATERIALLY_CHANGED, organisation, organisation_id=organisation.id)


def _founder(actor: Actor) -> User:
    """The account of an applicant, made and bound if need be; raises Forbidden or Refused."""
    if not (actor.issuer and actor.subject and actor.email):
        raise Forbidden("Sign in with a verified email address before you register an organisation.")
    session = current_session()
    user = find_bound(actor.issuer, actor.subject)
    if user is None:
        email = email_key(actor.email)
        user = session.scalar(select(User).where(col(User.email) == email))
        if user is None:
            user = User(email=email, full_name=actor.name[:200])
            session.add(user)
        elif user.subject is not None and (user.issuer, user.subject) != (actor.issuer, actor.subject):
            raise Forbidden(ADVICE[SignInProblem.IDENTITY_MISMATCH])
        user.issuer, user.subject = actor.issuer, actor.subject
        session.flush()
    if user.status is not UserStatus.ACTIVE:
        raise Forbidden(ADVICE[SignInProblem.DEACTIVATED])
    waiting = session.scalar(
        select(func.count())
        .select_from(Membership)
        .join(Organisation, col(Organisation.id) == col(Membership.organisation_id))
        .where(
            col(Membership.user_id) == user.id,
            col(Organisation.organisation_status) == OrganisationStatus.PENDING_APPROVAL,
            col(Organisation.approved_at).is_(None),
        )
    )
    if (waiting or 0) >= MOST_WAITING:
        raise Refused(
            f"{waiting} organisations that you registered wait for approval. Register another when one of them is decided."
        )
    return user
