"""The register in numbers: counted by the database; for those who see no single asset, small cells are withheld (UC-05.02)."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from functools import partial
from itertools import pairwise
from typing import Any, NamedTuple

from sqlalchemy import BigInteger, ColumnElement, and_, case, func, literal_column, select, type_coerce
from sqlmodel import col

from models.assets import ENDED_STATUSES, STATUS_LABELS, Asset, AssetDraft, AssetStatus
from models.participants import Organisation, OrganisationStatus
from services.assets.counters.editions import (
    FEWEST_ASSETS,
    FEWEST_ORGANISATIONS,
    EditionCell,
    FigureEdition,
    begin_edition,
    read_edition,
    round_count,
    round_kw,
    with_edition,
)
from services.assets.counters.maintain import month_of
from services.assets.counters.others import OTHERS, sum_withheld
from services.assets.counters.queries import (
    Areas,
    active_by_category,
    areas_of,
    by_month,
    by_status_and_group,
    parts_of_providers,
    providers_behind,
)
from services.assets.rules.reference import CATEGORY_LIST, catalogue
from services.core.clock import LONDON, today
from services.core.identity.actor import Actor
from services.core.identity.permissions import Scope, may, scopes_of
from services.core.identity.visibility import visible, within
from services.core.operation import operation, system_step
from services.core.transaction import current_session
from services.grid.distributors import LICENCE_AREAS

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
    """Work that waits, as far as the actor sees it: assets by state, own drafts, organisations to approve."""

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


def merge_withheld(cells: Sequence[Cell], total: Cell, label: str) -> list[Cell]:
    """The cells of a line whose sum is `total`, with one ("Other categories (3)") in place of those that are withheld."""
    rest = sum_withheld(cells, [cell.rated_kw for cell in cells], total.count, total.rated_kw)
    if rest is None:
        return list(cells)
    other = Cell(OTHERS, f"{label} ({rest.figures})", rest.number, rest.kw)
    return [*(cell for cell in cells if not cell.withheld), other]


class UndisclosedFigure(NamedTuple):
    """One figure before it is decided whether it may be shown."""

    code: str
    assets: int
    rated: int
    """Hundredths of a kW."""
    providers: int


class Figures(NamedTuple):
    """Counts before disclosure control: assets by status; active ones in all, by category and GSP group; by month."""

    by_status: list[UndisclosedFigure]
    total: UndisclosedFigure
    by_category: list[UndisclosedFigure]
    by_gsp_group: list[UndisclosedFigure]
    months: dict[int, int]
    providers_by_month: dict[int, int]


EDITION = "register"


def register_in_numbers(actor: Actor) -> RegisterNumbers:
    """Counts and rated kW by status, category and GSP group, growth over 18 months, and what waits for the actor.

    Who sees further here than asset by asset (regulator, viewer) gets the edition of the day, rounded: no cell of fewer than 5
    assets or 3 providers, nor what would let it be worked out from the totals, or from the edition before.
    """
    return with_edition(partial(_count_register, actor), publish_register)


@operation("UC-05.02", permission="asset.statistics", writes=False, name="register_in_numbers")
def _count_register(actor: Actor) -> RegisterNumbers:
    """Count the register within the actor's view; for who sees no single asset, read the edition of the day."""
    if not scopes_of(actor, "asset.statistics") <= scopes_of(actor, "asset.read"):
        return replace(read_edition(EDITION, RegisterNumbers), waiting=_waiting(actor, None))
    maintained, areas = areas_of(actor, "asset.statistics")
    if maintained:
        figures = from_tallies(areas, anonymised=False)
    else:
        figures = from_assets(within(Asset, actor, "asset.statistics"), anonymised=False)
    seen = figures.by_status if scopes_of(actor, "asset.read") == _statistics(actor) else None
    return _build_numbers(figures, _waiting(actor, seen), anonymised=False)


@system_step("UC-05.02", name="publish_register")
def publish_register() -> None:
    """Make today's edition of the register in numbers, unless it is there."""
    edition = begin_edition(EDITION)
    if edition is not None:
        figures = _settle(edition, from_tallies(None, anonymised=True))
        edition.save(_build_numbers(figures, Waiting(), anonymised=True))


def _settle(edition: FigureEdition, figures: Figures) -> Figures:
    """Bring up to date only those figures in which enough changed since the edition before."""
    parts = parts_of_providers()

    def settle(dimension: str, rows: Sequence[UndisclosedFigure]) -> list[UndisclosedFigure]:
        current = {row.code: EditionCell(row.assets, row.rated, parts.get((dimension, row.code), {})) for row in rows}
        settled = edition.settle(dimension, current)
        return [UndisclosedFigure(code, cell.count, cell.kw, len(cell.parts)) for code, cell in sorted(settled.items())]

    months = settle(
        "MONTH", [UndisclosedFigure(str(month), assets, 0, 0) for month, assets in sorted(figures.months.items())]
    )
    total = settle("ALL", [figures.total])
    return Figures(
        settle("STATUS", figures.by_status),
        total[0] if total else UndisclosedFigure("", 0, 0, 0),
        settle("CATEGORY", figures.by_category),
        settle("GSP_GROUP", figures.by_gsp_group),
        {int(row.code): row.assets for row in months},
        {int(row.code): row.providers for row in months},
    )


def _build_numbers(figures: Figures, waiting: Waiting, *, anonymised: bool) -> RegisterNumbers:
    labels = {code: entry.label for code, entry in catalogue().reference.code_lists.get(CATEGORY_LIST, {}).items()}
    hidden = anonymised and _is_small(figures.total)

    def cells(rows: Sequence[UndisclosedFigure], names: Mapping[str, str]) -> list[Cell]:
        return _cells(rows, names, anonymised, hidden)

    return RegisterNumbers(
        total=cells([figures.total], {"": "Active assets"})[0],
        by_status=[
            *cells([row for row in figures.by_status if row.code not in ENDED_STATUSES], STATUS_LABELS),
            *cells([row for row in figures.by_status if row.code in ENDED_STATUSES], STATUS_LABELS),
        ],
        by_category=cells(figures.by_category, labels),
        by_gsp_group=cells(figures.by_gsp_group, _GROUPS),
        growth=_growth(figures, anonymised),
        waiting=waiting,
        anonymised=anonymised,
    )


_GROUPS = {area.gsp_group: f"{area.gsp_group} {area.name}" for area in LICENCE_AREAS if area.gsp_group}


def _statistics(actor: Actor) -> frozenset[Scope]:
    return scopes_of(actor, "asset.statistics")


def from_tallies(areas: Areas, anonymised: bool) -> Figures:
    """From the counts kept beside the assets: as many rows to read however many assets there are."""
    providers_of = providers_behind() if anonymised else {}
    by_status: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    by_group: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    total = [0, 0]
    for status, group, assets, rated in by_status_and_group(areas):
        sums = [by_status[status]] if status in ENDED_STATUSES else [by_status[status], by_group[group], total]
        for totals in sums:
            totals[0] += assets
            totals[1] += rated
    months: dict[int, int] = defaultdict(int)
    for active, month, assets in by_month(areas):
        # With those that ended, the last total less the active ones would tell how many these are.
        if active or not anonymised:
            months[month] += assets

    def rows(dimension: str, sums: Mapping[str, Sequence[int]]) -> list[UndisclosedFigure]:
        return [
            UndisclosedFigure(code, totals[0], totals[1], providers_of.get((dimension, code), 0))
            for code, totals in sorted(sums.items())
        ]

    return Figures(
        rows("STATUS", by_status),
        rows("ALL", {"": total})[0],
        rows("CATEGORY", {row.code: (row.assets, row.rated) for row in active_by_category(areas)}),
        rows("GSP_GROUP", by_group),
        months,
        {int(code): providers for (dimension, code), providers in providers_of.items() if dimension == "MONTH"},
    )


def from_assets(reach: ColumnElement[bool], anonymised: bool) -> Figures:
    """Counted asset by asset, in one pass: for who sees single organisations' assets."""
    rated = func.sum(type_coerce(col(Asset.rated_capacity), BigInteger))
    keys = (Asset.status, Asset.asset_category, Asset.gsp_group, Asset.service_provider_id)
    query = select(*[col(key) for key in keys], func.count(), rated).where(reach).group_by(*[col(key) for key in keys])
    sums: dict[str, dict[str, list[Any]]] = {name: {} for name in ("status", "all", "category", "group")}
    sums["all"][""] = [0, 0, set()]
    for status, category, group, provider, assets, kilowatts in current_session().execute(query):
        cells = [("status", str(status))]
        if status not in ENDED_STATUSES:
            cells += [("all", ""), ("category", category), ("group", group or "")]
        for name, code in cells:
            totals = sums[name].setdefault(code, [0, 0, set()])
            totals[0] += assets
            totals[1] += int(kilowatts)
            totals[2].add(provider)

    def rows(name: str) -> list[UndisclosedFigure]:
        return [
            UndisclosedFigure(code, totals[0], totals[1], len(totals[2])) for code, totals in sorted(sums[name].items())
        ]

    growing = and_(reach, col(Asset.status).not_in(ENDED_STATUSES)) if anonymised else reach
    return Figures(rows("status"), rows("all")[0], rows("category"), rows("group"), *_registered(growing, anonymised))


def _registered(condition: ColumnElement[bool], anonymised: bool) -> tuple[dict[int, int], dict[int, int]]:
    """Registrations by month, all earlier ones under the month before the first; and the providers behind them."""
    starts = _month_starts()
    registered = col(Asset.registered_at)
    columns: list[Any] = [func.count(case((registered < starts[0], 1)))]
    for start, end in pairwise(starts):
        inside = and_(registered >= start, registered < end)
        columns.append(func.count(case((inside, 1))))
        if anonymised:
            columns.append(func.count(func.distinct(case((inside, col(Asset.service_provider_id))))))
    row = list(current_session().execute(select(*columns).where(condition)).one())
    numbers = [month_of(start) for start in starts[:-1]]
    counts = row[1::2] if anonymised else row[1:]
    providers = row[2::2] if anonymised else []
    return {numbers[0] - 1: row[0], **dict(zip(numbers, counts, strict=True))}, dict(
        zip(numbers, providers, strict=False)
    )


def _is_small(row: UndisclosedFigure) -> bool:
    return 0 < row.assets < FEWEST_ASSETS or 0 < row.providers < FEWEST_ORGANISATIONS


def _cells(rows: Sequence[UndisclosedFigure], labels: Mapping[str, str], anonymised: bool, hidden: bool) -> list[Cell]:
    """Rows as cells, in the order of the labels; those withheld when anonymised."""
    withheld = _select_withheld(rows) if anonymised else set()
    order = {code: position for position, code in enumerate(labels)}
    cells = [
        Cell(row.code, labels.get(row.code, row.code or "Not known"), row.assets, Decimal(row.rated).scaleb(-2))
        for row in sorted(rows, key=lambda row: order.get(row.code, len(order)))
    ]
    if not anonymised:
        return cells
    return [
        replace(cell, count=None, rated_kw=None, withheld=True)
        if hidden or cell.code in withheld
        else replace(cell, count=round_count(cell.count or 0), rated_kw=Decimal(round_kw(int(cell.rated_kw or 0))))
        for cell in cells
    ]


def _select_withheld(rows: Sequence[UndisclosedFigure]) -> set[str]:
    """Codes of cells that are too small, and of as many more, the smallest first, as hide them from subtraction.

    What is withheld together can be worked out as one sum, so it has to be large enough as well.
    """
    small = [row for row in rows if _is_small(row)]
    larger = sorted((row for row in rows if row not in small), key=lambda row: row.assets)
    while small and larger and (len(small) == 1 or all(_is_small(row) for row in small)):
        small.append(larger.pop(0))
    return {row.code for row in small}


def _month_starts() -> list[datetime]:
    """The starts of the last 18 months, this one last, and of the next: by the calendar in London."""
    day = today()
    last = day.year * 12 + day.month - 1
    return [datetime(n // 12, n % 12 + 1, 1, tzinfo=LONDON) for n in range(last - MONTHS + 1, last + 2)]


def _growth(figures: Figures, anonymised: bool) -> list[Month]:
    starts = _month_starts()[:-1]
    numbers = [month_of(start) for start in starts]
    before = sum(assets for month, assets in figures.months.items() if month < numbers[0])
    counts = [figures.months.get(number, 0) for number in numbers]
    providers = [figures.providers_by_month.get(number, 0) for number in numbers] if anonymised else None
    return _months([start.date() for start in starts], before, counts, providers)


def _months(days: Sequence[date], before: int, counts: Sequence[int], providers: Sequence[int] | None) -> list[Month]:
    """Running totals. When anonymised, one is shown only once enough was registered since the last one that was shown."""
    months: list[Month] = []
    total, since, most, public_before = before, 0, 0, providers is None or before >= FEWEST_ASSETS or before == 0
    for index, (day, count) in enumerate(zip(days, counts, strict=True)):
        total, since = total + count, since + count
        most = max(most, providers[index]) if providers else 0
        public = providers is None or since == 0 or (since >= FEWEST_ASSETS and most >= FEWEST_ORGANISATIONS)
        public = public and (providers is None or total == 0 or total >= FEWEST_ASSETS)
        month = Month(day, count if public and public_before else None, total if public else None)
        months.append(_rounded(month) if providers is not None else month)
        public_before = public
        if public:
            since, most = 0, 0
    return months


def _rounded(month: Month) -> Month:
    registered, total = (None if count is None else round_count(count) for count in (month.registered, month.total))
    return Month(month.month, registered, total)


def _waiting(actor: Actor, by_status: Sequence[UndisclosedFigure] | None) -> Waiting:
    """`by_status`, where the numbers count exactly the assets that the actor sees."""
    session = current_session()
    states: dict[str, int] = {}
    if by_status is not None:
        states = {row.code: row.assets for row in by_status}
    elif may(actor, "asset.read"):
        # As an expression, so that SQLite walks the actor's own few by their indexes, and not all by that of the status.
        state = func.coalesce(col(Asset.status), literal_column("''"))
        query = select(state, func.count()).where(visible(Asset, actor)).group_by(state)
        states = {str(row[0]): row[1] for row in session.execute(query)}
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
