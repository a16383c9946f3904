"""Applications as a table: a row opens one; several can be ticked where they are decided together (UC-04.02)."""

from collections.abc import Callable, Sequence

from models.qualifications import QUALIFICATION_LABELS
from pages.components.common.asset_labels import group_words
from pages.components.common.pagination import read_all
from pages.components.qualification.labels import CLOCK_SIGNS, STATUS_SIGNS
from pages.components.table.cells import TableCell, date_cell, power_cell, state_cell, text_cell
from pages.components.table.table import Column, Row, TableFile, TablePage, draw_table, sort_rows
from services.core.identity.actor import Actor
from services.market.qualification.filters import QualificationFilters
from services.market.qualification.listing import LONGEST_PAGE, QualificationLine, list_qualifications
from services.market.qualification.sla_clock import CLOCK_LABELS

COLUMNS = (
    Column("Unit"),
    Column("Product"),
    Column("Status"),
    Column("Clock", "Working days left to decide. It stands still while the FSP is asked."),
    Column("Due"),
    Column("FSP", "Flexibility service provider: offers the unit."),
    Column("SO", "System operator: assesses the application."),
    Column("GSP group", "Grid supply point group in which the unit's assets lie."),
    Column("Capacity", "What the application is for.", number=True),
    Column("Assigned to"),
    Column("Valid until"),
)


def draw_qualification_table(
    lines: Sequence[QualificationLine],
    without: Sequence[str] = (),
    *,
    several: bool = False,
    key: str = "applications",
    more: Callable[[], Sequence[QualificationLine]] | None = None,
) -> list[QualificationLine]:
    """The table; a row opens its application. With `several`, the ticked ones are returned.

    `more` reads the whole list, for its file, where `lines` are only a part of it.
    """
    places = [place for place, column in enumerate(COLUMNS) if column.label not in without]

    def rows_of(read: Sequence[QualificationLine]) -> list[Row]:
        return [Row(str(line.qualification.id), [_cells(line)[place] for place in places]) for line in read]

    columns, rows, order = sort_rows([COLUMNS[place] for place in places], rows_of(lines), whole=more is None)
    ticked = draw_table(
        key,
        "Applications",
        columns,
        rows,
        page=TablePage("market/application.py"),
        order=order,
        several=several,
        file=TableFile("applications.csv", lambda: rows_of(more() if more else lines)),
    )
    return [line for line in lines if str(line.qualification.id) in set(ticked)]


def read_applications(actor: Actor, filters: QualificationFilters) -> list[QualificationLine]:
    """All applications that pass the filters, the newest first."""
    return read_all(lambda after: list_qualifications(actor, filters, after=after, limit=LONGEST_PAGE))


def _cells(line: QualificationLine) -> Sequence[TableCell]:
    qualification = line.qualification
    clock = line.clock.words if line.clock.days_left is not None else CLOCK_LABELS[line.clock.state]
    return (
        text_cell(line.unit_name),
        text_cell(qualification.product_code),
        state_cell(QUALIFICATION_LABELS[qualification.status], STATUS_SIGNS[qualification.status]),
        state_cell(clock, CLOCK_SIGNS[line.clock.state]),
        date_cell(qualification.due_on),
        text_cell(line.provider),
        text_cell(line.operator),
        text_cell(group_words(qualification.gsp_group) if qualification.gsp_group else "Several"),
        power_cell(qualification.capacity),
        text_cell(qualification.assigned_name),
        date_cell(qualification.valid_until),
    )
