"""The one table of lists: a row opens with a click or Enter, its name is a link, headings sort in the register.

Drawn by a component of ours as an HTML table: readers' own software reads it, a link in it opens in a new tab, and nothing of
it is sorted in the browser, which holds one page of it only.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import streamlit as st

from pages.components.common.downloads import csv_bytes
from pages.components.table.cells import TableCell
from pages.components.table.views import change_views, pinned_query, query_text, read_views, show_refused_view
from pages.frame import session
from pages.frame.navigation import PLACES
from pages.frame.page_filters import PAGE
from services.core.identity.actor import Actor

HERE = Path(__file__).parent
HTML = '<div class="list"></div>'
ORDER = "order"
"""The address's name for the order of a list."""
HEIGHT = 620
_table = st.components.v2.component(
    "fmar_table",
    html=HTML,
    css=(HERE / "table.css").read_text(encoding="utf-8"),
    js=(HERE / "table.js").read_text(encoding="utf-8"),
)


@dataclass(frozen=True, slots=True)
class Column:
    """Heading of a column. `up` and `down` name the list's orders by it; without them the heading can't be clicked."""

    label: str
    help: str = ""
    up: str = ""
    down: str = ""
    number: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """One record of a list: its identifier and its cells, in the order of the columns."""

    id: str
    cells: Sequence[TableCell]
    page: "TablePage | None" = None
    """A page of its own, where the rows of a list open different ones, and the record there."""
    record: str = ""


@dataclass(frozen=True, slots=True)
class TablePage:
    """Page that a row opens, as `market/unit.py`, and its parameter that names the record."""

    file: str
    parameter: str = "id"

    def address(self, identifier: str) -> str:
        """The address of a record's page."""
        return f"/{_address_of(self.file)}?{urlencode({self.parameter: identifier})}"


@dataclass(frozen=True, slots=True)
class TableFile:
    """The whole list as a file: its name, and its rows as they are read when somebody asks for them."""

    name: str
    rows: Callable[[], Sequence[Row]]


def draw_table(
    key: str,
    name: str,
    columns: Sequence[Column],
    rows: Sequence[Row],
    *,
    page: TablePage | None = None,
    on_open: Callable[[str], None] | None = None,
    order: str = "",
    set_order: Callable[[str], None] | None = None,
    several: bool = False,
    file: TableFile | None = None,
    height: int = HEIGHT,
    marked: str = "",
    name_column: int = 0,
    views: bool = True,
) -> list[str]:
    """Draw a list; a row opens its page, or calls `on_open` with its identifier, and the name stays a link to the page.

    `name` is the list's accessible name, `several` lets rows be ticked, `marked` is the row shown beside the list,
    `name_column` the place of the name; `views` offers the page's saved views. Returns the identifiers of the ticked rows that
    are on this page.
    """
    actor, address = session.actor(), str(st.session_state.get(PAGE, ""))
    if views:
        show_refused_view()
    stored: Any = st.session_state.get(key) or {}
    wants_file = st.session_state.pop(f"{key}!file", False)
    result = _table(
        key=key,
        data={
            "name": name,
            "columns": [
                {"t": column.label, "h": column.help, "u": column.up, "d": column.down, "n": column.number}
                for column in columns
            ],
            "rows": [
                {
                    "i": row.id,
                    "c": [cell.as_json() for cell in row.cells],
                    **_link_of(row, page),
                }
                for row in rows
            ],
            "order": order,
            "opens": "open" if on_open is not None else "visit",
            "place": name_column,
            "several": several,
            "ticked": list(stored.get("ticked") or []),
            "height": height,
            "marked": marked,
            "csv": file is not None,
            "views": _list_views(actor, address) if views else None,
            "pinned": pinned_query(actor, address) if views else "",
            "file": _file_of(file, columns) if file is not None and wants_file else None,
        },
        default={"ticked": []},
        on_ticked_change=_do_nothing,
        on_visit_change=_do_nothing,
        on_open_change=lambda: _pass_on(key, "open", on_open),
        on_order_change=lambda: _pass_on(key, "order", set_order or put_order),
        on_view_change=lambda: change_views(actor, address, st.session_state[key].get("view") or {}),
        on_file_change=lambda: _request_file(key),
    )
    if result.visit:
        _visit(next((row for row in rows if row.id == result.visit), None), page)
    here = {row.id for row in rows}
    return [identifier for identifier in result.ticked or [] if identifier in here] if several else []


def _list_views(actor: Actor, page: str) -> list[dict[str, Any]]:
    return [
        {"id": view["id"], "name": view["name"], "pinned": view["pinned"], "query": query_text(view)}
        for view in read_views(actor)
        if view["page"] == page
    ]


def _link_of(row: Row, page: TablePage | None) -> dict[str, str]:
    target = row.page or page
    return {"a": target.address(row.record or row.id)} if target is not None else {}


def _visit(row: Row | None, page: TablePage | None) -> None:
    target = (row.page if row else None) or page
    if row is not None and target is not None:
        st.switch_page(f"pages/{target.file}", query_params={target.parameter: row.record or row.id})


def _do_nothing() -> None:
    """Have a run follow; what changed is read in it."""


def _pass_on(key: str, event: str, act: Callable[[str], None] | None) -> None:
    value = st.session_state[key].get(event)
    if act is not None and value:
        act(str(value))


def _request_file(key: str) -> None:
    st.session_state[f"{key}!file"] = True


@lru_cache(maxsize=64)
def _address_of(file: str) -> str:
    return next(place.address for places in PLACES.values() for place in places if place.file == file)


def forget_ticks(key: str) -> None:
    """Untick all rows of a list: what they were ticked for is done."""
    st.session_state.pop(key, None)


def put_order(order: str) -> None:
    """Remember an order in the address."""
    st.query_params[ORDER] = order


def sort_rows(
    columns: Sequence[Column], rows: Sequence[Row], *, whole: bool = True
) -> tuple[list[Column], list[Row], str]:
    """Sort a list by the order of the address; its columns with headings that sort, its rows, and the order.

    A list of which only a part was read (`whole` is False) stays as it is: sorting the part would sort nothing.
    """
    if not whole:
        return list(columns), list(rows), ""
    sortable = [
        Column(column.label, column.help, column.label, f"-{column.label}", column.number) for column in columns
    ]
    order = st.query_params.get(ORDER, "")
    place = next((place for place, column in enumerate(columns) if column.label == order.removeprefix("-")), None)
    if place is None:
        return sortable, list(rows), ""
    filled = [row for row in rows if _sort_value(row.cells[place]) is not None]
    empty = [row for row in rows if _sort_value(row.cells[place]) is None]
    filled.sort(key=lambda row: _sort_value(row.cells[place]), reverse=order.startswith("-"))  # pyright: ignore[reportArgumentType, reportCallIssue]
    return sortable, [*filled, *empty], order


def _sort_value(cell: TableCell) -> Any:
    value = cell.text if cell.raw is None and cell.text != "–" else cell.raw
    return value.casefold() if isinstance(value, str) and value else None if value == "" else value


def _file_of(file: TableFile, columns: Sequence[Column]) -> dict[str, str]:
    """The file as the browser saves it; each press is another one."""
    records = [_record(columns, row) for row in file.rows()]
    content = csv_bytes(records, [column.label for column in columns])
    return {"name": file.name, "text": content.decode("utf-8"), "press": str(time.time_ns())}


def _record(columns: Sequence[Column], row: Row) -> Mapping[str, Any]:
    return {
        column.label: cell.text if cell.raw is None and cell.text != "–" else cell.raw
        for column, cell in zip(columns, row.cells, strict=True)
    }
