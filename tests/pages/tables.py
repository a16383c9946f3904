"""The lists of a page as its reader sees and uses them: cells by heading, rows opened, sorted, ticked."""

import csv
import io
import json
from dataclasses import dataclass
from typing import Any

from streamlit.testing.v1 import AppTest

from tests.pages.portal import quiet

COMPONENT = "fmar_table"


@dataclass(frozen=True, slots=True)
class TableView:
    """One list of the page that was drawn last."""

    at: AppTest
    id: str
    data: dict[str, Any]

    @property
    def headings(self) -> list[str]:
        """The headings, from left to right."""
        return [column["t"] for column in self.data["columns"]]

    @property
    def rows(self) -> list[dict[str, str]]:
        """The rows by heading, as they are read."""
        cells = [[cell if isinstance(cell, str) else cell["t"] for cell in row["c"]] for row in self.data["rows"]]
        return [dict(zip(self.headings, row, strict=True)) for row in cells]

    def column(self, heading: str) -> list[str]:
        """One column, from top to bottom."""
        return [row[heading] for row in self.rows]

    def row(self, name: str) -> dict[str, str]:
        """The row whose first cell says this."""
        return next(row for row in self.rows if row[self.headings[0]] == name)

    def exact(self, name: str, heading: str) -> str:
        """The exact value that a cell shows on hover."""
        cell = self.data["rows"][self.column(self.headings[0]).index(name)]["c"][self.headings.index(heading)]
        return "" if isinstance(cell, str) else cell.get("x", "")

    def address(self, name: str) -> str:
        """The address that the name in a row links to."""
        return self.data["rows"][self.column(self.headings[0]).index(name)].get("a", "")

    def open(self, name: str) -> AppTest:
        """Click a row."""
        place = self.column(self.headings[0]).index(name)
        return self._trigger(self.data["opens"], self.data["rows"][place]["i"])

    def follow(self, name: str) -> AppTest:
        """Click the name in a row."""
        return self._trigger("visit", self.data["rows"][self.column(self.headings[0]).index(name)]["i"])

    def sort(self, heading: str) -> AppTest:
        """Click a heading: once more turns the order round."""
        column = next(column for column in self.data["columns"] if column["t"] == heading)
        assert column["u"] or column["d"], f"{heading} can't be sorted by"
        up, down = column["u"] or column["d"], column["d"] or column["u"]
        return self._trigger("order", down if self.data["order"] == column["u"] else up)

    def tick(self, *places: int) -> AppTest:
        """Tick the rows at these places, and no others."""
        ticked = [self.data["rows"][place]["i"] for place in places]
        return self._send("", json.dumps({"ticked": ticked}))

    def ask_views(self, **request: object) -> AppTest:
        """Use the menu of saved views."""
        return self._trigger("view", request)

    def download(self) -> list[list[str]]:
        """Press *Download CSV*: the rows of the file, headings first."""
        self._trigger("file", 1)
        file = next(table for table in tables(self.at) if table.data["name"] == self.data["name"]).data["file"]
        return list(csv.reader(io.StringIO(file["text"].removeprefix("\ufeff"))))

    def _trigger(self, event: str, value: object) -> AppTest:
        return self._send("events", json.dumps([{"event": event, "value": value}]))

    def _send(self, event: str, text: str) -> AppTest:
        states = self.at._tree.get_widget_states()
        state = states.widgets.add()
        if event:
            from streamlit.components.v2.bidi_component.main import _make_trigger_id

            state.id, state.json_trigger_value = _make_trigger_id(self.id, event), text
        else:
            state.id, state.json_value = self.id, text
        return quiet(self.at._run(states))


def tables(at: AppTest) -> list[TableView]:
    """All lists of the page, from top to bottom."""
    protos = [element.proto for element in at.get("bidi_component")]
    return [TableView(at, proto.id, json.loads(proto.json)) for proto in protos if proto.component_name == COMPONENT]


def table(at: AppTest, place: int = 0) -> TableView:
    """One list of the page."""
    views = tables(at)
    assert len(views) > place, f"the page has {len(views)} lists"
    return views[place]
