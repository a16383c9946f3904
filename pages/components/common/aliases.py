"""Other identifiers of an asset as a small table: scheme and value, as many rows as there are."""

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from pages.components.common.form_field import Findings, show_beside
from pages.components.common.form_state import ALIAS_COUNT, FormState
from services.core.attributes import FormField, Option


def draw_aliases(field: FormField, schemes: Sequence[Option], state: FormState, findings: Findings) -> None:
    """The rows, a button for one more, and what the rules say of them."""
    labels = {option.code: option.label for option in schemes}
    count = int(state.get(ALIAS_COUNT))
    for row in range(count):
        cells = st.grid(2, min_column_width=220)
        seen = "visible" if row == 0 else "collapsed"
        number = f" {row + 1}" if row else ""
        cells.selectbox(
            f"Scheme{number}",
            list(labels),
            index=None,
            format_func=labels.__getitem__,
            placeholder="Choose",
            key=state.key(f"Aliases:{row}:scheme"),
            label_visibility=seen,
            persist_state="session",
            help=field.help if row == 0 else None,
        )
        cells.text_input(
            f"Identifier{number}",
            key=state.key(f"Aliases:{row}:value"),
            label_visibility=seen,
            persist_state="session",
        )
    show_beside(findings.get(field.term, ()))
    st.button(
        "Another identifier",
        key=f"{state.slot}!alias",
        icon=":material/add:",
        type="tertiary",
        on_click=state.put,
        args=(ALIAS_COUNT, count + 1),
    )


def alias_values(state: FormState) -> list[dict[str, str]] | None:
    """The identifiers as handed to the register; rows without anything are left out, half-filled ones are for the rules."""
    rows = [
        {
            "scheme": str(state.get(f"Aliases:{row}:scheme") or ""),
            "value": str(state.get(f"Aliases:{row}:value") or "").strip(),
        }
        for row in range(int(state.get(ALIAS_COUNT)))
    ]
    return [row for row in rows if row["scheme"] or row["value"]] or None


def typed_aliases(aliases: Sequence[Mapping[str, str]]) -> dict[str, Any]:
    """Identifiers as they are typed into the rows."""
    entries: dict[str, Any] = {ALIAS_COUNT: max(1, len(aliases))}
    for row, alias in enumerate(aliases):
        entries[f"Aliases:{row}:scheme"] = alias["scheme"]
        entries[f"Aliases:{row}:value"] = alias["value"]
    return entries
