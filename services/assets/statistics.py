"""The register in numbers: counted by the database; for those who see no single asset, small cells are withheld (UC-05.02)."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from itertools import pairwise
from typing import Any

from sqlalchemy import ColumnElement, and_, case, func, select
from sqlmodel import col

from models.assets import ENDED_STATUSES, STATUS_LABELS, Asset, AssetDraft, AssetStatus
from models.participants import Organisation, OrganisationStatus
from services.assets.catalogue import CATEGORY_LIST, catalogue
from services.core.actor import Actor
from services.core.clock import LONDON, today
from services.core.operation import operation
from services.core.permissions import may, scopes_of
from services.core.transaction import current_session
from services.core.visibility import visible, within
from services.grid.distributors import LICENCE_AREAS

FEWEST_ASSETS, FEWEST_ORGANISATIONS = 5, 3
MONTHS = 18


@dataclass(frozen=True, slots=True)
class Cell:
    """Assets of one kind: how many and how much rated kW. `withheld`: too few to be shown, both are None."""

    code: str
    label: str
    count: int | None
    rated_kw: Decimal | None
    withheld: bool = False


@dataclass(frozen=True, slots=True)
class Month:
    """One calendar month (its first day): registrations in it, and all up to its end. None: withheld."""

    month: date
    registered: int | None
    total: int | None


@dataclass(frozen=True, slots=True)
class Waiting:
    """What waits, among what the actor sees: assets by state, own drafts, and organisations for who approves them."""

    pending_validation: int = 0
    query: int = 0
    awaiting_consent: int = 0
    drafts: int = 0
    organisations_pending: int = 0


@dataclass(frozen=True, slots=True)
class RegisterNumbers:
    """The register in numbers, as far as the actor's view reaches. `total` are the active assets; `by_status` has all."""

    total: Cell
    by_status: list[Cell]
    by_category: list[Cell]
    by_gsp_group: list[Cell]
    growth: list[Month]
    waiting: Waiting
    anonymised: bool


Row = tuple[str | None, int, Decimal | None, int]


@operation("UC-05.02", permission="asset.statistics", writes=False)
def register_in_numbers(actor: Actor) -> RegisterNumbers:
    """Counts and rated kW by status, category and GSP group, growth over 18 months, and what waits for the actor.

    Who sees further here than asset by asset (regulator, viewer) gets no cell of fewer than 5 assets or 3 providers, nor
    what would let it be worked out from the totals.
    """
    mine = within(Asset, actor, "asset.statistics")
    anonymised = not scopes_of(actor, "asset.statistics") <= scopes_of(actor, "asset.read")
    active = and_(mine, col(Asset.status).not_in(ENDED_STATUSES))
    ended = and_(mine, col(Asset.status).in_(ENDED_STATUSES))
    labels = {code: entry.label for code, entry in catalogue().reference.code_lists.get(CATEGORY_LIST, {}).items()}
    groups = {area.gsp_group: f"{area.gsp_group} {area.name}" for area in LICENCE_AREAS if area.gsp_group}
    total = _total(active)
    hidden = anonymised and _too_few(total)

    def cells(rows: Sequence[Row], names: dict[str, str]) -> list[Cell]:
        return _cells(rows, names, anonymised, hidden)

    return RegisterNumbers(
        total=_cells([total], {"": "Active assets"}, anonymised, hidden)[0],
        by_status=[
            *cells(_counted(Asset.status, active), {str(status): label for status, label in STATUS_LABELS.items()}),
            *cells(_counted(Asset.status, ended), {str(status): STATUS_LABELS[status] for status in ENDED_STATUSES}),
        ],
        by_category=cells(_counted(Asset.asset_category, active), labels),
        by_gsp_group=cells(_counted(Asset.gsp_group, active), groups),
        # With those that ended, the last total less the active ones would tell how many these are.
        growth=_growth(active if anonymised else mine, anonymised),
        waiting=_waiting(actor),
        anonymised=anonymised,
    )


_MEASURES = (
    func.count(col(Asset.id)),
    func.sum(col(Asset.rated_capacity)),
    func.count(func.distinct(col(Asset.service_provider_id))),
)


def _counted(column: Any, condition: ColumnElement[bool]) -> list[Row]:
    rows = current_session().execute(select(col(column), *_MEASURES).where(condition).group_by(col(column)))
    return [(None if row[0] is None else str(row[0]), row[1], row[2], row[3]) for row in rows]


def _total(condition: ColumnElement[bool]) -> Row:
    row = current_session().execute(select(*_MEASURES).where(condition)).one()
    return "", row[0], row[1], row[2]


def _too_few(row: Row) -> bool:
    return 0 < row[1] < FEWEST_ASSETS or 0 < row[3] < FEWEST_ORGANISATIONS


def _cells(rows: Sequence[Row], labels: dict[str, str], anonymised: bool, hidden: bool) -> list[Cell]:
    """Rows as cells, in the order of the labels; those withheld when anonymised."""
    withheld = _withheld(rows) if anonymised else set()
    order = {code: place for place, code in enumerate(labels)}
    told = [
        Cell(row[0] or "", labels.get(row[0] or "", row[0] or "Not known"), row[1], row[2] or Decimal("0.00"))
        for row in sorted(rows, key=lambda row: order.get(row[0] or "", len(order)))
    ]
    return [
        replace(cell, count=None, rated_kw=None, withheld=True) if hidden or cell.code in withheld else cell
        for cell in told
    ]


def _withheld(rows: Sequence[Row]) -> set[str]:
    """Codes of cells that are too small, and of as many more, the smallest first, as hide them from subtraction.

    What is withheld together can be worked out as one sum, so it has to be large enough as well.
    """
    small = [row for row in rows if _too_few(row)]
    rest = sorted((row for row in rows if row not in small), key=lambda row: row[1])
    while small and rest and (len(small) == 1 or all(_too_few(row) for row in small)):
        small.append(rest.pop(0))
    return {row[0] or "" for row in small}


def _month_starts() -> list[datetime]:
    """The starts of the last 18 months, this one last, and of the next: by the calendar in London."""
    this = today()
    last = this.year * 12 + this.month - 1
    return [datetime(n // 12, n % 12 + 1, 1, tzinfo=LONDON) for n in range(last - MONTHS + 1, last + 2)]


def _growth(condition: ColumnElement[bool], anonymised: bool) -> list[Month]:
    starts = _month_starts()
    registered = col(Asset.registered_at)
    columns: list[Any] = [func.count(case((registered < starts[0], 1)))]
    for start, end in pairwise(starts):
        inside = and_(registered >= start, registered < end)
        columns.append(func.count(case((inside, 1))))
        if anonymised:
            columns.append(func.count(func.distinct(case((inside, col(Asset.service_provider_id))))))
    row = list(current_session().execute(select(*columns).where(condition)).one())
    before, rest = row[0], row[1:]
    counts = rest[::2] if anonymised else rest
    providers = rest[1::2] if anonymised else None
    return _months([start.date() for start in starts[:-1]], before, counts, providers)


def _months(days: Sequence[date], before: int, counts: Sequence[int], providers: Sequence[int] | None) -> list[Month]:
    """Running totals. When anonymised, one is shown only once enough was registered since the last one that was shown."""
    told: list[Month] = []
    total, since, most, shown_before = before, 0, 0, providers is None or before >= FEWEST_ASSETS or before == 0
    for place, (day, count) in enumerate(zip(days, counts, strict=True)):
        total, since = total + count, since + count
        most = max(most, providers[place]) if providers else 0
        shown = providers is None or since == 0 or (since >= FEWEST_ASSETS and most >= FEWEST_ORGANISATIONS)
        shown = shown and (providers is None or total == 0 or total >= FEWEST_ASSETS)
        told.append(Month(day, count if shown and shown_before else None, total if shown else None))
        shown_before = shown
        if shown:
            since, most = 0, 0
    return told


def _waiting(actor: Actor) -> Waiting:
    session = current_session()
    states: dict[AssetStatus, int] = {}
    if may(actor, "asset.read"):
        wanted = (AssetStatus.PENDING_VALIDATION, AssetStatus.QUERY, AssetStatus.AWAITING_CONSENT_CHECK)
        chosen = select(col(Asset.status), func.count(col(Asset.id))).where(
            visible(Asset, actor), col(Asset.status).in_(wanted)
        )
        states = {row[0]: row[1] for row in session.execute(chosen.group_by(col(Asset.status)))}
    drafts = organisations = 0
    if actor.user_id and may(actor, "asset.draft"):
        own = (col(AssetDraft.user_id) == actor.user_id, col(AssetDraft.organisation_id) == actor.organisation_id)
        drafts = session.scalar(select(func.count(col(AssetDraft.id))).where(*own)) or 0
    if may(actor, "organisation.decide"):
        pending = col(Organisation.organisation_status) == OrganisationStatus.PENDING_APPROVAL
        organisations = session.scalar(select(func.count(col(Organisation.id))).where(pending)) or 0
    return Waiting(
        pending_validation=states.get(AssetStatus.PENDING_VALIDATION, 0),
        query=states.get(AssetStatus.QUERY, 0),
        awaiting_consent=states.get(AssetStatus.AWAITING_CONSENT_CHECK, 0),
        drafts=drafts,
        organisations_pending=organisations,
    )
