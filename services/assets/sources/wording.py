"""Wording tables of the registers: kept as data in data/sources, matched on lower-cased alphanumerics."""

import csv
import re
from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from typing import Literal

import polars as pl

Kind = Literal["ECR", "REPD"]
KINDS: tuple[Kind, ...] = ("ECR", "REPD")

_FOLDER = Path(__file__).resolve().parents[3] / "data" / "sources"
_NOT_ALPHANUMERIC = re.compile(r"[^a-z0-9]")
_CUT = 63
"""Databases cut long headings to this many characters."""
_CUT_MARGIN = 40
"""A shorter heading was never cut: it must match whole. (63 characters hold at least this many alphanumerics.)"""


def squash(text: str) -> str:
    """Lower-cased alphanumerics only: the form in which headings and terms are compared."""
    return _NOT_ALPHANUMERIC.sub("", text.lower())


def squashed(text: pl.Expr) -> pl.Expr:
    """`squash` for a column."""
    return text.str.to_lowercase().str.replace_all(r"[^a-z0-9]", "")


@cache
def table(name: str) -> tuple[Mapping[str, str], ...]:
    """The lines of data/sources/<name>.csv."""
    with (_FOLDER / f"{name}.csv").open(encoding="utf-8", newline="") as lines:
        return tuple(csv.DictReader(lines))


def _matches(heading: str, pattern: str) -> bool:
    return fnmatchcase(heading, pattern) or (
        len(heading) >= _CUT_MARGIN and pattern.rstrip("*").startswith(heading) and pattern.rstrip("*") != heading
    )


def read_headings(kind: Kind, headings: Iterable[str]) -> dict[str, int]:
    """Our field name -> position of its column. The first column that fits wins, whole matches before cut ones."""
    positions: dict[str, int] = {}
    squeezed = [squash(heading) for heading in headings]
    for whole in (True, False):
        for line in table("headings"):
            if line["kind"] != kind or line["field"] in positions:
                continue
            for position, heading in enumerate(squeezed):
                fits = fnmatchcase(heading, line["pattern"]) if whole else _matches(heading, line["pattern"])
                if heading and fits and position not in positions.values():
                    positions[line["field"]] = position
                    break
    return positions


def translate(values: pl.Series, lines: Iterable[Mapping[str, str]], key: str = "pattern") -> dict[str, Mapping]:
    """Each distinct term of a column -> the first line of a wording table it matches; unknown terms are absent."""
    wording = list(lines)
    line_of: dict[str, Mapping] = {}
    for term in values.drop_nulls().unique().to_list():
        line = next((line for line in wording if fnmatchcase(squash(term), line[key])), None)
        if line is not None:
            line_of[term] = line
    return line_of


def looked_up(column: str | pl.Expr, line_of: Mapping[str, Mapping], part: str) -> pl.Expr:
    """A column of terms -> one part of the lines that `translate` found for them; null where unknown or empty."""
    text = pl.col(column) if isinstance(column, str) else column
    values = [line[part] or None for line in line_of.values()]
    return text.replace_strict(list(line_of), values, default=None, return_dtype=pl.String)


@cache
def ways_of_saying_nothing() -> tuple[str, ...]:
    """Squashed texts by which a register says that it has nothing to say."""
    return tuple(line["pattern"] for line in table("nothing"))
