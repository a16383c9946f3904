"""The workbook that a portfolio is filled into: made from the schemas in force, so never out of date (UC-02.01, bulk)."""

import io
from typing import Any

from services.assets.files.isolated import CHOICES_SHEET
from services.assets.rules.template_columns import TemplateColumn, template_columns

LAST_ROW = 1_048_575
HEADS = ("Column", "Label", "Meaning", "Unit", "Mandatory", "Allowed values", "Example")
WIDTHS = (28, 28, 60, 8, 12, 60, 24)
YES_NO = ("Yes", "No")


def template_workbook(category: str | None = None) -> bytes:
    """A workbook for assets of a category, or of all: a sheet to fill in, with lists to choose from, and one that explains
    every column. Raises NotFound for a category that the register doesn't know.
    """
    columns = template_columns(category)
    buffer = io.BytesIO()
    import xlsxwriter

    with xlsxwriter.Workbook(buffer, {"in_memory": True, "strings_to_formulas": False}) as book:
        assets = book.add_worksheet("Assets")
        explained = book.add_worksheet("Columns")
        lists = book.add_worksheet(CHOICES_SHEET)
        lists.hide()
        for place, column in enumerate(columns):
            _column(book, assets, lists, place, column)
        assets.freeze_panes(1, 0)
        _explain(book, explained, columns)
    return buffer.getvalue()


def _column(book: Any, assets: Any, lists: Any, place: int, column: TemplateColumn) -> None:
    """One heading, its note, text cells below (so that zeros in front stay), and a list where there is a choice."""
    colour = "#1D4E89" if column.mandatory else "#5B6770"
    heading = book.add_format({"bold": True, "font_color": "#FFFFFF", "bg_color": colour})
    assets.set_column(place, place, max(14, len(column.term) + 2), book.add_format({"num_format": "@"}))
    assets.write_string(0, place, column.term, heading)
    assets.write_comment(0, place, _note(column), {"x_scale": 2, "y_scale": 1.5})
    choices = YES_NO if column.kind == "boolean" else tuple(option.code for option in column.options)
    if not choices:
        return
    for row, choice in enumerate(choices):
        lists.write_string(row, place, choice)
    from xlsxwriter.utility import xl_col_to_name

    name = xl_col_to_name(place, col_abs=True)
    several = column.kind == "codes"
    assets.data_validation(
        1,
        place,
        LAST_ROW,
        place,
        {
            "validate": "list",
            "source": f"={CHOICES_SHEET}!{name}$1:{name}${len(choices)}",
            # Several codes stand in one cell with semicolons: the list then proposes and doesn't refuse.
            "error_type": "information" if several else "stop",
            "error_title": column.label[:32],
            "error_message": "Choose one from the list."[:255],
        },
    )


def _note(column: TemplateColumn) -> str:
    needed = "Mandatory." if column.mandatory else "Optional, unless the category needs it."
    unit = f" In {column.unit}." if column.unit else ""
    return f"{column.label}. {column.meaning}{unit} {needed}"


def _explain(book: Any, sheet: Any, columns: list[TemplateColumn]) -> None:
    bold = book.add_format({"bold": True})
    wrapped = book.add_format({"text_wrap": True, "valign": "top"})
    for place, (head, width) in enumerate(zip(HEADS, WIDTHS, strict=True)):
        sheet.set_column(place, place, width, wrapped)
        sheet.write_string(0, place, head, bold)
    for row, column in enumerate(columns, 1):
        needed = "yes" if column.mandatory else "no"
        texts = (column.term, column.label, column.meaning, column.unit, needed, column.allowed, column.example)
        for place, text in enumerate(texts):
            sheet.write_string(row, place, text)
    sheet.freeze_panes(1, 1)
