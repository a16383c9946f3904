"""One search over the whole register, as far as the actor sees it: records, people, categories and areas (UC-05.01)."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import and_, case, or_, select
from sqlmodel import col

from models.assets import STATUS_LABELS, AssetDraft
from models.participants import Organisation, OrganisationStatus
from services.assets.reading.search import BEGINNING, EXACT, NAME, WITHIN, find_assets
from services.assets.registration.drafts import FROM
from services.assets.registration.submissions import name_of, organisation_names
from services.assets.rules.mpan import reduce_mpan
from services.assets.rules.reference import CATEGORY_LIST, catalogue
from services.core.identity.actor import Actor
from services.core.identity.permissions import may
from services.core.identity.visibility import visible, within
from services.core.operation import operation
from services.core.text import clean_line
from services.core.transaction import current_session
from services.governance.search_hits import LONGEST, MOST, Found, Hit, SearchResults, make_hit
from services.governance.search_others import find_others


@operation("UC-05.01", permission="register.search", writes=False, name="search")
def search(actor: Actor, text: str) -> SearchResults:
    """Everything the actor may see that has this ID, MPAN, serial number, code, postcode, name or part of a name."""
    query = clean_line(text[: 2 * LONGEST])[:LONGEST].strip()
    if not query:
        return SearchResults(query, [])
    hits, complete = _assets(actor, query) if may(actor, "asset.read") else ([], True)
    hits += _organisations(actor, query)
    hits += _drafts(actor, query) if may(actor, "asset.draft") else []
    hits += _categories(query)
    hits += find_others(actor, query)
    return SearchResults(query, sorted(hits, key=lambda hit: not hit.exact), complete)


def _assets(actor: Actor, text: str) -> tuple[list[Hit], bool]:
    matches, complete = find_assets(actor, text, MOST)
    labels = catalogue().reference.code_lists.get(CATEGORY_LIST, {})
    names = organisation_names(actor, [match.row.service_provider_id for match in matches])
    hits: list[Hit] = []
    for match in matches:
        row = match.row
        category = labels.get(row.asset_category)
        provider = names.get(row.service_provider_id, "–")
        words = (
            category.label if category else row.asset_category,
            f"{row.rated_capacity:,} kW",
            STATUS_LABELS[row.status],
        )
        about = " · ".join((*words, provider))
        hits.append(make_hit(Found.ASSET, row.id, row.asset_name, about, match.rank, match.field, match.value, text))
    return hits, complete


def _organisations(actor: Actor, text: str) -> list[Hit]:
    seen = visible(Organisation, actor)
    listed = and_(
        within(Organisation, actor, "organisation.directory"),
        col(Organisation.organisation_status) == OrganisationStatus.ACTIVE,
    )
    legal, trading = col(Organisation.organisation_legal_name), col(Organisation.organisation_trading_name)
    number = col(Organisation.organisation_registration_number)
    named = or_(legal.icontains(text, autoescape=True), trading.icontains(text, autoescape=True))
    numbered = number.startswith(text.upper(), autoescape=True)
    identifier = _uuid(text)
    conditions = [named, and_(seen, numbered)]
    if identifier:
        conditions.append(col(Organisation.id) == identifier)
    columns = (col(Organisation.id), legal, trading, number, col(Organisation.organisation_status))
    query = select(*columns, col(Organisation.organisation_roles), case((seen, 1), else_=0)).where(
        or_(seen, listed), or_(*conditions)
    )
    hits: list[Hit] = []
    for row in current_session().execute(query.order_by(legal).limit(MOST)):
        rank, field, value = _why(row[:4], text, identifier)
        about = " · ".join((*row[5], row[4].value) if row[6] else row[5])
        kind = Found.ORGANISATION if row[6] else Found.PARTICIPANT
        hits.append(make_hit(kind, row[0], row[1], about, rank, field, value, text))
    return sorted(hits, key=lambda hit: hit.rank)


def _why(row: Sequence[object], text: str, identifier: UUID | None) -> tuple[int, str, str]:
    if identifier == row[0]:
        return EXACT, "Organisation ID", str(row[0])
    part = text.lower()
    for field, value in (("Legal name", row[1]), ("Trading name", row[2])):
        if value and part in str(value).lower():
            return (NAME if str(value).lower().startswith(part) else WITHIN), field, str(value)
    return (EXACT if str(row[3]) == text.upper() else BEGINNING), "Registration number", str(row[3] or "")


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def _drafts(actor: Actor, words: str) -> list[Hit]:
    """The few drafts that concern the actor, by what was typed into them."""
    part, hits = words.lower(), []
    mpan = reduce_mpan(words)
    query = select(AssetDraft).where(visible(AssetDraft, actor)).order_by(col(AssetDraft.saved_at).desc())
    copied = set()
    for draft in current_session().scalars(query):
        copied.add(str(draft.values.get(FROM)))
        if str(draft.id) in copied:
            continue
        fields = {
            "Name": draft.values.get("AssetName"),
            "Serial number": draft.values.get("SerialNumber"),
            "Import MPAN": draft.values.get("ImportMPAN"),
            "Export MPAN": draft.values.get("ExportMPAN"),
            "Postcode": draft.values.get("Postcode"),
            "Note": draft.note,
        }
        for field, value in fields.items():
            text = str(value or "")
            if text and (part in text.lower() or (mpan and reduce_mpan(text) == mpan)):
                about = (
                    "Submitted by an installer" if draft.addressed_to == actor.organisation_id else "Not registered yet"
                )
                hits.append(make_hit(Found.DRAFT, draft.id, name_of(draft), about, WITHIN, field, text, words))
                break
    return hits[:MOST]


def _categories(text: str) -> list[Hit]:
    codes = catalogue().reference.code_lists.get(CATEGORY_LIST, {})
    part = text.lower()
    return [
        make_hit(Found.CATEGORY, code, entry.label, "Category of assets", NAME, "Category", entry.label, text)
        for code, entry in codes.items()
        if entry.active and part in f"{entry.label}\n{code}".lower()
    ][:MOST]
