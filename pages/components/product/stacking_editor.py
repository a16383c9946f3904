"""The next edition of the stacking matrix: one code's row at a time, changes kept until they are published."""

from typing import Any

import streamlit as st

from models.products import MarketTable
from pages.components.product.table_editions import draw_publishing
from services.core.identity.actor import Actor
from services.market.products.market_table_editions import MODES as TERMS
from services.market.products.market_tables import STACKING_LABELS, Stacking

CHANGES, BASE = "stacking!changes", "stacking!base"
TITLES = {"CoDelivery": "Co-delivery", "Splitting": "Splitting", "Jumping": "Jumping"}
_WORDS = {str(value): f"{value}: {words}" for value, words in STACKING_LABELS.items()}


def draw_stacking_editor(actor: Actor, table: MarketTable, codes: list[str]) -> None:
    """Choose a code or name a new one, say what it may be held with, go on to the next; then publish all of it."""
    changes: dict[tuple[str, str], dict[str, str]] = st.session_state.setdefault(CHANGES, {})
    code = st.selectbox(
        "Code",
        codes,
        key="stacking!code",
        accept_new_options=True,
        help="Type a code that isn't in the matrix to add it.",
    )
    if code:
        code = str(code).strip()
        _edit_row(table, codes, code, changes)
    rows = _with(table, changes)
    if changes:
        touched = ", ".join(sorted({" and ".join(pair) for pair in changes}))
        st.caption(f"Changed so far: {touched}.")
        st.button("Forget these changes", icon=":material/undo:", on_click=_forget)
    draw_publishing(actor, table, rows, CHANGES)


def _forget() -> None:
    for key in (CHANGES, BASE):
        st.session_state.pop(key, None)


def _edit_row(table: MarketTable, codes: list[str], code: str, changes: dict[tuple[str, str], dict[str, str]]) -> None:
    cells = {frozenset((row["ProductA"], row["ProductB"])): row for row in table.rows}
    turn, rows = _base_rows(table, codes, code, changes)
    choice = {
        "options": list(map(str, Stacking)),
        "format_func": lambda value: _WORDS.get(value, value),
        "required": True,
    }
    edited = st.data_editor(
        rows,
        hide_index=True,
        width="stretch",
        disabled=["With"],
        column_config={term: st.column_config.SelectboxColumn(title, **choice) for term, title in TITLES.items()},
        key=f"stacking!row-{turn}",
    )
    for before, after in zip(rows, edited, strict=True):
        pair = _pair(cells, code, before["With"])
        values, stands = {term: str(after[term]) for term in TERMS}, cells.get(frozenset(pair))
        if stands and values == {term: stands[term] for term in TERMS}:
            changes.pop(pair, None)
        else:
            changes[pair] = values


def _base_rows(
    table: MarketTable, codes: list[str], code: str, changes: dict[tuple[str, str], dict[str, str]]
) -> tuple[int, list[dict[str, Any]]]:
    """Rows with which the table of a code began when it was chosen, earlier changes included: they stay while it is edited."""
    stored: tuple[int, tuple[int, str], list[dict[str, Any]]] | None = st.session_state.get(BASE)
    if stored is not None and stored[1] == (table.edition, code):
        return stored[0], stored[2]
    now = {frozenset((row["ProductA"], row["ProductB"])): row for row in _with(table, changes)}
    rows = []
    for other in codes:
        if other != code:
            row = now.get(frozenset((code, other)), {})
            rows.append({"With": other, **{term: row.get(term, str(Stacking.NO_DATA)) for term in TERMS}})
    turn = stored[0] + 1 if stored is not None else 0
    st.session_state[BASE] = (turn, (table.edition, code), rows)
    return turn, rows


def _pair(cells: dict[frozenset[str], Any], code: str, other: str) -> tuple[str, str]:
    """The pair in the order in which the matrix has it."""
    row = cells.get(frozenset((code, other)))
    return (row["ProductA"], row["ProductB"]) if row else (code, other)


def _with(table: MarketTable, changes: dict[tuple[str, str], dict[str, str]]) -> list[dict[str, Any]]:
    rows = [{**row, **changes.get((row["ProductA"], row["ProductB"]), {})} for row in table.rows]
    have = {(row["ProductA"], row["ProductB"]) for row in table.rows}
    new = [{"ProductA": pair[0], "ProductB": pair[1], **values} for pair, values in changes.items() if pair not in have]
    return rows + new
