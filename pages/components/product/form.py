"""The requirements of a product as fields: for a proposal, and for a corrected one in an answer."""

from collections.abc import Mapping
from datetime import date
from typing import Any

import streamlit as st

from pages.components.common.date_field import draw_date
from pages.components.product.labels import DIRECTION_LABELS, PHASE_LABELS, SPREAD_LABELS
from services.market.products.document import ATTRIBUTES, Attribute, FieldKind
from services.market.products.reference_data import procurers

OPTION_WORDS: dict[str, Mapping[Any, str]] = {
    "Direction": {str(value): words for value, words in DIRECTION_LABELS.items()},
    "Aggregation": {str(value): words for value, words in SPREAD_LABELS.items()},
    "Phase": {str(value): words for value, words in PHASE_LABELS.items()},
    "Procurers": {code: procurer.name for code, procurer in procurers().items()},
}


def draw_product_fields(prefix: str, values: Mapping[str, Any]) -> dict[str, Any]:
    """Draw the fields, filled with a document; what they hold now, as a document.

    `prefix` keeps the fields of one proposal apart from those of another in the same browser.
    """
    document: dict[str, Any] = {}
    grid = st.grid(2, min_column_width=280)
    for attribute in ATTRIBUTES:
        with grid.container():
            document[attribute.term] = _field(attribute, f"{prefix}/{attribute.term}", values.get(attribute.term))
    return document


def _field(attribute: Attribute, key: str, value: Any) -> Any:
    label = f"{attribute.label}{f' ({attribute.unit})' if attribute.unit else ''}{' *' if attribute.needed else ''}"
    words = OPTION_WORDS.get(attribute.term, {})
    widget: dict[str, Any] = {"key": key, "help": attribute.help or None}
    match attribute.kind:
        case FieldKind.CHOICE:
            options = list(attribute.options)
            return st.selectbox(
                label,
                options,
                index=options.index(value) if value in options else None,
                format_func=lambda code: words.get(code, code),
                placeholder="Choose" if attribute.needed else "Not known",
                **widget,
            )
        case FieldKind.CHOICES:
            return st.multiselect(
                label,
                list(attribute.options),
                default=value or [],
                format_func=lambda code: words.get(code, code),
                **widget,
            )
        case FieldKind.YES_NO:
            return st.checkbox(label, value=bool(value), **widget)
        case FieldKind.DATE:
            typed = draw_date(label, value=date.fromisoformat(value) if value else None, **widget)
            return typed.day.isoformat() if typed.day else typed.finding and typed.finding.given
        case FieldKind.LONG_TEXT:
            return st.text_area(label, value=value or "", height=100, **widget)
        case FieldKind.TEXT | FieldKind.POWER | FieldKind.WHOLE:
            placeholder = "" if attribute.needed else "Not known"
            entry = st.text_input(label, value="" if value is None else str(value), placeholder=placeholder, **widget)
            return _number(entry) if attribute.kind is FieldKind.WHOLE else entry


def _number(entry: str | None) -> int | str | None:
    """A whole number as one; anything else as it was typed, for the rules to say what is wrong."""
    text = (entry or "").strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else entry
