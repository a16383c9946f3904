"""What a search finds beside assets and organisations: units, products, applications, people and areas (UC-05.01)."""

from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, or_, select
from sqlmodel import col

from models.participants import Membership, MembershipStatus, Organisation, User
from models.qualifications import QUALIFICATION_LABELS, Qualification
from models.units import MarketUnit, UnitStatus
from services.assets.reading.search import EXACT, NAME, WITHIN
from services.core.clock import today
from services.core.identity.actor import Actor
from services.core.identity.permissions import may
from services.core.identity.visibility import visible
from services.core.transaction import current_session
from services.governance.search_hits import MOST, Found, Hit, make_hit
from services.grid.distributors import LICENCE_AREAS
from services.market.products.catalogue import list_versions_in_force


def find_others(actor: Actor, text: str) -> list[Hit]:
    """Find by name, code or ID what the actor may see of each kind, at most `MOST` each; inside an operation."""
    hits: list[Hit] = []
    if may(actor, "unit.read"):
        hits += _find_units(actor, text)
    if may(actor, "product.read"):
        hits += _find_products(text)
    if may(actor, "qualification.read"):
        hits += _find_applications(actor, text)
    if may(actor, "user.read"):
        hits += _find_people(actor, text)
    if may(actor, "asset.read") or may(actor, "market.statistics"):
        hits += _find_groups(text)
    return hits


def _rank(code: str, name: str, text: str) -> int:
    """How well it matches: the whole code, the beginning of code or name, or inside one of them."""
    part = text.lower()
    if part == code.lower():
        return EXACT
    return NAME if code.lower().startswith(part) or name.lower().startswith(part) else WITHIN


def _sorted(hits: list[Hit]) -> list[Hit]:
    return sorted(hits, key=lambda hit: (hit.rank, hit.title.lower()))[:MOST]


def _contains(text: str, *columns: Any) -> ColumnElement[bool]:
    return or_(*(col(column).icontains(text, autoescape=True) for column in columns))


def _identifier(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def _find_units(actor: Actor, text: str) -> list[Hit]:
    identifier = _identifier(text)
    condition = _contains(text, MarketUnit.name, MarketUnit.code)
    if identifier:
        condition = or_(condition, col(MarketUnit.id) == identifier)
    query = (
        select(
            col(MarketUnit.id), col(MarketUnit.code), col(MarketUnit.name), col(MarketUnit.status),
            col(Organisation.organisation_legal_name),
        )
        .join(Organisation, col(Organisation.id) == col(MarketUnit.service_provider_id))
        .where(visible(MarketUnit, actor), condition)
        .order_by(col(MarketUnit.status), col(MarketUnit.name))
        .limit(5 * MOST)
    )  # fmt: skip
    hits: list[Hit] = []
    for unit_id, code, name, status, provider in current_session().execute(query):
        ended = " · De-registered" if status is UnitStatus.DEREGISTERED else ""
        field, value = ("Code", code) if text.lower() in code.lower() else ("Name", name)
        rank = EXACT if identifier == unit_id else _rank(code, name, text)
        hits.append(make_hit(Found.UNIT, unit_id, name, f"{code} · {provider}{ended}", rank, field, value, text))
    return _sorted(hits)


def _find_products(text: str) -> list[Hit]:
    part, hits = text.lower(), []
    for version in list_versions_in_force(today()):
        field, value = ("Code", version.code) if part in version.code.lower() else ("Name", version.name)
        if part in value.lower():
            rank = _rank(version.code, version.name, text)
            title = f"{version.code}: {version.name}"
            hits.append(make_hit(Found.PRODUCT, version.code, title, "Product", rank, field, value, text))
    return _sorted(hits)


def _find_applications(actor: Actor, text: str) -> list[Hit]:
    identifier = _identifier(text)
    condition = _contains(text, MarketUnit.name, MarketUnit.code, Qualification.product_code)
    words = text.split()
    if len(words) > 1:
        # "DC Riverside": the product and the unit.
        unit = " ".join(words[1:])
        both = _contains(unit, MarketUnit.name, MarketUnit.code)
        condition = or_(condition, (col(Qualification.product_code) == words[0].upper()) & both)
    if identifier:
        condition = or_(condition, col(Qualification.id) == identifier)
    query = (
        select(
            col(Qualification.id), col(Qualification.product_code), col(Qualification.status), col(MarketUnit.name),
            col(MarketUnit.code), col(Organisation.organisation_legal_name),
        )
        .join(MarketUnit, col(MarketUnit.id) == col(Qualification.unit_id))
        .join(Organisation, col(Organisation.id) == col(Qualification.addressed_to))
        .where(visible(Qualification, actor), condition)
        .order_by(col(Qualification.id).desc())
        .limit(MOST)
    )  # fmt: skip
    hits: list[Hit] = []
    for qualification_id, product, status, name, code, operator in current_session().execute(query):
        title, about = f"{product} · {name}", f"{QUALIFICATION_LABELS[status]} · {operator}"
        field, value = ("Unit", name) if text.lower() in name.lower() else ("Unit code", code)
        if text.lower() in product.lower():
            field, value = "Product", product
        rank = EXACT if identifier == qualification_id else WITHIN
        hits.append(make_hit(Found.APPLICATION, qualification_id, title, about, rank, field, value, text))
    return hits


def _find_people(actor: Actor, text: str) -> list[Hit]:
    query = (
        select(
            col(User.full_name),
            col(User.email),
            col(Membership.organisation_id),
            col(Organisation.organisation_legal_name),
        )
        .join(Membership, col(Membership.user_id) == col(User.id))
        .join(Organisation, col(Organisation.id) == col(Membership.organisation_id))
        .where(
            visible(User, actor),
            visible(Membership, actor),
            col(Membership.status) != MembershipStatus.DEACTIVATED,
            _contains(text, User.full_name, User.email),
        )
        .order_by(col(User.full_name), col(Membership.id))
        .limit(MOST)
    )
    hits: list[Hit] = []
    for name, email, organisation_id, organisation in current_session().execute(query):
        field, value = ("Name", name) if text.lower() in name.lower() else ("Email", email)
        hits.append(make_hit(Found.PERSON, organisation_id, name, organisation, WITHIN, field, value, text))
    return hits


def _find_groups(text: str) -> list[Hit]:
    """GSP groups by their name or code, or by the code or company of their licence area."""
    part, hits = text.lower(), []
    for area in LICENCE_AREAS:
        fields = {
            "GSP group": area.gsp_group or "",
            "Name": area.name,
            "Licence area": area.code or "",
            "Network": area.operator,
        }
        match = next(((field, value) for field, value in fields.items() if part in value.lower()), None)
        if match:
            title, about = f"{area.name} ({area.gsp_group})", f"GSP group · {area.operator}"
            rank = NAME if match[1].lower().startswith(part) else WITHIN
            hits.append(make_hit(Found.GSP_GROUP, area.gsp_group or "", title, about, rank, *match, text))
    return _sorted(hits)
