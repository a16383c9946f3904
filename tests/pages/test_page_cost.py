"""What one page run asks of the database and of Streamlit: counts, not seconds, so that a slow page is found by any machine."""

from collections.abc import Iterator
from typing import Any

import pytest
import streamlit as st
from sqlalchemy import Engine, event

from services.core.db import engine as database
from tests.conftest import build_demo, use_database
from tests.databases import fresh_database
from tests.pages.portal import open_page

FRAME, PAGE_OBJECTS = 6, 45
"""Statements of a page that asks nothing itself, and page objects of the menu."""


@pytest.fixture(scope="module", autouse=True)
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """The demo register: thousands of records, so that a statement for each line of a list is seen."""
    with fresh_database(tmp_path_factory.mktemp("cost"), "demo", build_demo, "sqlite") as url:
        use_database(url)
        yield
        database.close()


@pytest.mark.parametrize(
    ("persona", "page", "most"),
    [
        ("administrator", "governance/about", FRAME),
        ("administrator", "governance/settings", FRAME + 2),
        ("bramble", "market/products", FRAME + 4),
        ("bramble", "market/units", FRAME + 5),
        ("bramble", "market/applications", 25),
        ("bramble", "market/opportunities", 20),
        ("administrator", "participants/organisations", FRAME + 5),
        ("bramble", "assets/assets", 20),
        ("ukpn", "assets/review", 42),
        ("ukpn", "market/queue", 42),
        ("ukpn", "market/dashboard", 34),
        ("bramble", None, 42),
    ],
)
def test_a_page_run_stays_within_its_statements_and_page_objects(
    persona: str, page: str | None, most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    at = open_page(persona, page)
    statements: list[str] = []
    page_objects: list[object] = []
    make_page = st.Page

    def note(_connection: object, _cursor: object, statement: str, *_others: object) -> None:
        statements.append(" ".join(statement.split())[:120])

    def make_and_note(*args: Any, **kwargs: Any) -> object:
        page_objects.append(args[0])
        return make_page(*args, **kwargs)

    monkeypatch.setattr(st, "Page", make_and_note)
    event.listen(Engine, "before_cursor_execute", note)
    try:
        at.run()
    finally:
        event.remove(Engine, "before_cursor_execute", note)
    assert len(statements) <= most, statements
    assert len(page_objects) <= PAGE_OBJECTS
