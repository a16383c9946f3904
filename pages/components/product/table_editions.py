"""Editions of a market table: which is shown, and the form in which its keeper publishes the next one."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import streamlit as st

from models.products import MarketTable, MarketTableKind
from pages.components.common.actions import attempt
from pages.components.common.date_field import draw_date, typed_date
from pages.frame.markdown import escape_markdown
from services.core.clock import show_date, show_moment
from services.core.identity.actor import Actor
from services.market.products.market_table_editions import (
    count_table_changes,
    market_table,
    publish_table,
    table_editions,
)

SOURCE_DATE = "Date of the source *"


def choose_edition(actor: Actor, kind: MarketTableKind) -> MarketTable:
    """The edition in force, or an earlier one that was chosen; with where it comes from."""
    editions = {edition.edition: edition for edition in table_editions(actor, kind)}
    newest = max(editions)
    if len(editions) > 1:
        words = {
            number: f"Edition {number}{' (in force)' if number == newest else ''}, {show_moment(edition.published_at)}"
            for number, edition in editions.items()
        }
        selected = st.selectbox("Edition", list(words), format_func=words.__getitem__, key=f"edition-{kind}")
    else:
        selected = newest
    table = market_table(actor, kind, selected)
    st.caption(f"Source: {escape_markdown(table.source)}, {show_date(table.source_date)}. Edition {table.edition}.")
    if table.reason:
        st.caption(f"Why it was published: {escape_markdown(table.reason)}")
    if table.edition != newest:
        st.warning("This edition is not in force any more.", icon=":material/history:")
    return table


def draw_publishing(actor: Actor, table: MarketTable, rows: Sequence[Mapping[str, Any]], changes_key: str) -> None:
    """Source, date and reason, and the button. `changes_key` holds what was edited: it goes once it is published."""
    count = count_table_changes(table.kind, table.rows, rows)
    st.markdown(f"**{count:,} {'row differs' if count == 1 else 'rows differ'}** from edition {table.edition}.")
    key = f"publish/{table.kind}"
    grid = st.grid(2, min_column_width=240)
    with grid.container():
        st.text_input("Source *", key=f"{key}/source", help="Where this is published: document and, if any, link.")
    with grid.container():
        draw_date(SOURCE_DATE, key=f"{key}/date")
    st.text_area("Why? *", key=f"{key}/reason", height=80, help="10 to 1,000 characters; everybody reads it.")
    st.button(
        f"Publish edition {table.edition + 1}",
        type="primary",
        icon=":material/publish:",
        disabled=not count,
        help=None if count else "Nothing differs from what is in force.",
        on_click=_publish,
        args=(actor, table, rows, key, changes_key),
    )


def _publish(actor: Actor, table: MarketTable, rows: Sequence[Mapping[str, Any]], key: str, changes_key: str) -> None:
    typed = typed_date(f"{key}/date", SOURCE_DATE)
    attempt(
        lambda: publish_table(
            actor,
            table.kind,
            rows,
            source=str(st.session_state.get(f"{key}/source") or ""),
            # No day is found wrong like one that lies ahead.
            source_date=typed.require() or date.max,
            reason=str(st.session_state.get(f"{key}/reason") or ""),
            edition=table.edition,
        ),
        f"Edition {table.edition + 1} is in force.",
        changes_key,
        f"{key}/source",
        f"{key}/date",
        f"{key}/reason",
    )
