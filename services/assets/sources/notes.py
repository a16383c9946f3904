"""Odd cells: what was given, and what was made of it."""

import polars as pl

from services.assets.files.formats import ROW

SCHEMA = {
    "row": pl.Int64,
    "column": pl.String,
    "given": pl.String,
    "code": pl.String,
    "message": pl.String,
    "field": pl.String,
}
SKIPPED_SCHEMA = {"row": pl.Int64, "code": pl.String, "reason": pl.String}


class Notes:
    """Collects notes column by column; `frame` is their table, in the order of the file.

    Cells are named by the heading over them, as the publisher spells it.
    """

    def __init__(self, headings: dict[str, str]) -> None:
        """`headings` maps our field names to the publisher's headings, and may name other columns by themselves."""
        self._headings = headings
        self._parts: list[pl.DataFrame] = []

    def add(
        self,
        frame: pl.DataFrame,
        condition: pl.Expr,
        field: str,
        code: str,
        message: str | pl.Expr,
        original: pl.Expr | None = None,
    ) -> None:
        """Note every row of `frame` in which `condition` holds; `given` is the cell, by default the field as it stood."""
        cell = pl.col(f"given_{field}") if original is None else original
        self._parts.append(
            frame.filter(condition).select(
                pl.col(ROW),
                pl.lit(self._headings.get(field, field)).alias("column"),
                cell.cast(pl.String).alias("given"),
                pl.lit(code).alias("code"),
                (pl.lit(message) if isinstance(message, str) else message).alias("message"),
                pl.lit(field if field in self._headings else None, dtype=pl.String).alias("field"),
            )
        )

    def add_for_file(self, field: str, code: str, message: str, given: str | None = None) -> None:
        """Note something that holds for a whole column; the row is null."""
        line = {"row": None, "column": self._headings.get(field, field), "given": given, "code": code}
        self._parts.append(pl.DataFrame([{**line, "message": message, "field": None}], schema=SCHEMA))

    def extend(self, others: "Notes") -> None:
        """Take over the notes on another sheet of the same file."""
        self._parts += others._parts

    def frame(self, rows: pl.Series) -> pl.DataFrame:
        """All notes on `rows`, and those on whole columns."""
        notes = pl.concat([pl.DataFrame(schema=SCHEMA), *self._parts])
        relevant = pl.col(ROW).is_null() | pl.col(ROW).is_in(rows.to_list())
        return notes.filter(relevant).sort(ROW, maintain_order=True)
