"""Visibility: one table of who may see what, answered as the SQL condition that every read starts from."""

from collections.abc import Callable
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import ColumnElement, and_, false, literal_column, or_, select, true
from sqlmodel import col

from models.assets import Asset, AssetCheck, AssetDraft, AssetMessage, Attachment, CategorySchema
from models.base import Recorded
from models.bulk import BulkDraft, BulkJob
from models.core import Event
from models.events import EventType
from models.exports import ExportJob
from models.participants import ApiClient, Membership, Organisation, User
from models.personal import FormDraft, SavedView
from models.products import MarketTable, Product, ProductProposal, ProductVersion
from models.qualifications import DataPackage, Qualification, QualificationAttachment, QualificationMessage
from models.service_windows import ServiceWindow
from models.sources import SourceEdition, SourceRecord
from models.units import MarketUnit, UnitArea, UnitMember
from services.core.errors import Forbidden, NotFound
from services.core.identity.actor import Actor
from services.core.identity.permissions import Scope, permission_table, scopes_of
from services.core.transaction import current_session

Condition = ColumnElement[bool]
R = TypeVar("R", bound=Recorded)


def _own_assets(actor: Actor, writing: bool) -> Condition:
    """Managed assets; for reading also those it owns or submitted. Only the managing FSP writes."""
    managed = col(Asset.service_provider_id) == actor.organisation_id
    if writing:
        return managed
    return or_(
        managed,
        col(Asset.organisation_id) == actor.organisation_id,
        col(Asset.submitted_by_organisation) == actor.organisation_id,
    )


def _area(column: Any, actor: Actor) -> Condition:
    if actor.all_areas:
        return true()
    return column.in_(sorted(actor.areas, key=str)) if actor.areas else false()


def _asset(actor: Actor, scope: Scope, writing: bool) -> Condition:
    return _own_assets(actor, writing) if scope is Scope.OWN else _area(col(Asset.dno_connection), actor)


def _of_asset(column: Any) -> Callable[[Actor, Scope, bool], Condition]:
    def condition(actor: Actor, scope: Scope, writing: bool) -> Condition:
        # Asked row by row: as a list, SQLite would gather all assets that the actor sees.
        its_asset = select(literal_column("1")).select_from(Asset).where(col(Asset.id) == column)
        return its_asset.where(_asset(actor, scope, writing)).correlate(column.class_).exists()

    return condition


def _by_organisation(column: Any) -> Callable[[Actor, Scope, bool], Condition]:
    def condition(actor: Actor, scope: Scope, writing: bool) -> Condition:
        return column == actor.organisation_id if scope is Scope.OWN else false()

    return condition


def _event(actor: Actor, scope: Scope, writing: bool) -> Condition:
    """Of one's own; an SO's are those of assets in its areas, and of applications that are addressed to its organisation."""
    if scope is Scope.OWN:
        return col(Event.organisation_id) == actor.organisation_id
    here = and_(col(Event.record_type) == Asset.record_type(), _area(col(Event.dno_code), actor))
    ours = select(literal_column("1")).select_from(Qualification).where(col(Qualification.id) == col(Event.record_id))
    addressed = ours.where(col(Qualification.addressed_to) == actor.organisation_id).correlate(Event).exists()
    return or_(here, and_(col(Event.record_type) == Qualification.record_type(), addressed))


def _user(actor: Actor, scope: Scope, writing: bool) -> Condition:
    members = select(col(Membership.user_id)).where(col(Membership.organisation_id) == actor.organisation_id)
    return col(User.id).in_(members) if scope is Scope.OWN else false()


def _draft(actor: Actor, scope: Scope, writing: bool) -> Condition:
    """One's own, what one's organisation sends to a provider, and (not for writing) what is sent to one's organisation."""
    ours = and_(
        col(AssetDraft.organisation_id) == actor.organisation_id,
        or_(col(AssetDraft.user_id) == actor.user_id, col(AssetDraft.addressed_to).is_not(None)),
    )
    if writing or Scope.OWN not in scopes_of(actor, "asset.take_draft"):
        return ours
    sent = and_(col(AssetDraft.addressed_to) == actor.organisation_id, col(AssetDraft.submitted_at).is_not(None))
    return or_(ours, sent)


def _of_person(column: Any) -> Callable[[Actor, Scope, bool], Condition]:
    """Working material of one person: theirs alone, whatever their roles."""

    def condition(actor: Actor, scope: Scope, writing: bool) -> Condition:
        return column == actor.key

    return condition


def _made_for(actor: Actor, scope: Scope, writing: bool) -> Condition:
    """Files that one's organisation had made, however far one sees among assets (services.assets.bulk.export.jobs)."""
    return col(ExportJob.organisation_id) == actor.organisation_id


def _unit(actor: Actor, scope: Scope, writing: bool) -> Condition:
    """Units of one's own; an SO's are those with an asset in its licence areas."""
    if scope is Scope.OWN:
        return col(MarketUnit.service_provider_id) == actor.organisation_id
    if actor.all_areas:
        return true()
    here = select(literal_column("1")).select_from(UnitArea).where(col(UnitArea.unit_id) == col(MarketUnit.id))
    return here.where(_area(col(UnitArea.dno_code), actor)).correlate(MarketUnit).exists()


def _of_unit(column: Any) -> Callable[[Actor, Scope, bool], Condition]:
    def condition(actor: Actor, scope: Scope, writing: bool) -> Condition:
        its_unit = select(literal_column("1")).select_from(MarketUnit).where(col(MarketUnit.id) == column)
        return its_unit.where(_unit(actor, scope, writing)).correlate(column.class_).exists()

    return condition


def _qualification(actor: Actor, scope: Scope, writing: bool) -> Condition:
    """One's own applications; an SO's are those addressed to it, wherever the unit is."""
    party = Qualification.service_provider_id if scope is Scope.OWN else Qualification.addressed_to
    return col(party) == actor.organisation_id


def _of_qualification(column: Any, key: Any) -> Callable[[Actor, Scope, bool], Condition]:
    def condition(actor: Actor, scope: Scope, writing: bool) -> Condition:
        its = select(literal_column("1")).select_from(Qualification).where(key == column)
        return its.where(_qualification(actor, scope, writing)).correlate(column.class_).exists()

    return condition


def _public(actor: Actor, scope: Scope, writing: bool) -> Condition:
    """Published records: all of them or none."""
    return false()


_RULES: dict[type[Any], tuple[str, Callable[[Actor, Scope, bool], Condition]]] = {
    Asset: ("asset.read", _asset),
    AssetCheck: ("asset.read", _of_asset(col(AssetCheck.asset_id))),
    AssetMessage: ("asset.read", _of_asset(col(AssetMessage.asset_id))),
    Attachment: ("asset.read", _of_asset(col(Attachment.asset_id))),
    Organisation: ("organisation.read", _by_organisation(col(Organisation.id))),
    Membership: ("user.read", _by_organisation(col(Membership.organisation_id))),
    User: ("user.read", _user),
    ApiClient: ("client.manage", _by_organisation(col(ApiClient.organisation_id))),
    AssetDraft: ("asset.draft", _draft),
    SavedView: ("personal.keep", _of_person(col(SavedView.owner))),
    FormDraft: ("personal.keep", _of_person(col(FormDraft.owner))),
    Event: ("event.read", _event),
    BulkJob: ("asset.bulk", _by_organisation(col(BulkJob.organisation_id))),
    BulkDraft: ("asset.bulk", _by_organisation(col(BulkDraft.organisation_id))),
    ExportJob: ("asset.export", _made_for),
    MarketUnit: ("unit.read", _unit),
    UnitMember: ("unit.read", _of_unit(col(UnitMember.unit_id))),
    Product: ("product.read", _public),
    ProductVersion: ("product.read", _public),
    MarketTable: ("product.read", _public),
    ProductProposal: ("product.propose", _by_organisation(col(ProductProposal.organisation_id))),
    Qualification: ("qualification.read", _qualification),
    QualificationMessage: (
        "qualification.read",
        _of_qualification(col(QualificationMessage.qualification_id), col(Qualification.id)),
    ),
    QualificationAttachment: (
        "qualification.read",
        _of_qualification(col(QualificationAttachment.qualification_id), col(Qualification.id)),
    ),
    ServiceWindow: (
        "qualification.read",
        _of_qualification(col(ServiceWindow.qualification_id), col(Qualification.id)),
    ),
    DataPackage: ("qualification.read", _of_qualification(col(DataPackage.id), col(Qualification.package_id))),
    SourceEdition: ("source.read", _public),
    SourceRecord: ("source.read", _public),
}


EVENT_PERMISSIONS: dict[str, str] = {
    **{model.record_type(): permission for model, (permission, _) in _RULES.items() if issubclass(model, Recorded)},
    CategorySchema.record_type(): "category.read",
    BulkJob.record_type(): "asset.bulk",
    ExportJob.record_type(): "asset.export",
}
"""The permission that reading records of a type needs, by type: who lacks it gets no events of such records."""
EVENT_TYPE_PERMISSIONS: dict[str, tuple[str, ...]] = {
    str(EventType.ASSET_DRAFT_SUBMITTED): ("asset.take_draft",),
    str(EventType.ASSET_DRAFT_RETURNED): ("asset.draft",),
    str(EventType.ASSET_DRAFT_REGISTERED): ("asset.draft",),
}
"""Types of event that tell of something else than their record: one of these permissions is needed as well."""


def _of_readable_types(actor: Actor) -> Condition:
    """Events of records of types that the actor may read at all, and of types that it may be told of."""
    readable = [record_type for record_type, permission in EVENT_PERMISSIONS.items() if scopes_of(actor, permission)]
    untold = [
        event_type
        for event_type, permissions in EVENT_TYPE_PERMISSIONS.items()
        if not any(scopes_of(actor, permission) for permission in permissions)
    ]
    return and_(col(Event.record_type).in_(readable), col(Event.type).not_in(untold))


_PRIVATE: dict[type[Any], Any] = {
    AssetMessage: col(AssetMessage.only_for),
    Attachment: col(Attachment.only_for),
    QualificationMessage: col(QualificationMessage.only_for),
    QualificationAttachment: col(QualificationAttachment.only_for),
}
"""Where a record says which organisation alone may read it: then no scope reaches it from elsewhere, `all` included."""


def within(model: type[Any], actor: Actor, permission: str, *, writing: bool = False) -> Condition:
    """The SQL condition for the records of `model` to which the actor's `permission` reaches."""
    reached = _reached(model, actor, permission, writing)
    if model is Event:
        return and_(reached, _of_readable_types(actor))
    if model not in _PRIVATE:
        return reached
    for_one = _PRIVATE[model]
    return and_(reached, or_(for_one.is_(None), for_one == actor.organisation_id))


def _reached(model: type[Any], actor: Actor, permission: str, writing: bool) -> Condition:
    scopes = scopes_of(actor, permission)
    if Scope.ALL in scopes:
        return true()
    if not scopes or (actor.organisation_id is None and not actor.areas and not actor.all_areas):
        return false()
    rule = _RULES[model][1]
    return or_(false(), *(rule(actor, scope, writing) for scope in sorted(scopes)))


def visible(model: type[Any], actor: Actor) -> Condition:
    """The SQL condition for the records of `model` that the actor may see. Every read starts from it."""
    return within(model, actor, _RULES[model][0])


def has_rule(model: type[Any]) -> bool:
    """Tell whether a rule says who may see the records of a model one by one."""
    return model in _RULES


def see(model: type[R], actor: Actor, identifier: UUID) -> R:
    """The record, if the actor may see it; NotFound otherwise, exactly as if it did not exist."""
    record = current_session().scalar(select(model).where(col(model.id) == identifier, visible(model, actor)))
    if record is None:
        raise NotFound(model.record_type().replace("_", " "), identifier)
    return record


def reach(model: type[R], actor: Actor, identifier: UUID, permission: str, *, lock: bool = True) -> R:
    """The record, if the actor may see it and `permission` reaches it: NotFound when unseen, Forbidden when only seen.

    With `lock`, PostgreSQL holds the row until the transaction ends (SQLite has one writer anyway).
    """
    record = see(model, actor, identifier)
    reached = select(col(model.id)).where(col(model.id) == identifier, within(model, actor, permission, writing=True))
    if current_session().scalar(reached) is None:
        meaning = permission_table()[permission].meaning
        raise Forbidden(f"You may see this {model.record_type().replace('_', ' ')} but not: {meaning.lower()}.")
    if lock:
        current_session().refresh(record, with_for_update=True)
    return record
