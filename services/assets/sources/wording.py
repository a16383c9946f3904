"""Wording tables of the registers: kept as data in data/sources, matched on lower-cased alphanumerics."""

import csv
import re
from collections.abc import Iterable, Mapping, Sequence
from fnmatch import fnmatchcase
from functools import cache, lru_cache
from pathlib import Path
from typing import Literal, NamedTuple

import polars as pl

Kind = Literal["ECR", "REPD"]
KINDS: tuple[Kind, ...] = ("ECR", "REPD")

_FOLDER = Path(__file__).resolve().parents[3] / "data" / "sources"
_NOT_ALPHANUMERIC = re.compile(r"[^a-z0-9]")
_WORD = re.compile(r"[a-z]+|[0-9]+")
_UNIT = re.compile(r"(.+?)(kwh|mwh|kw|mw)")
_CUT_MARGIN = 40
"""A shorter heading was never cut: it must match whole. (Databases cut at 63 characters, which hold at least so many.)"""
_WRITTEN_OUT = {
    "cap": "capacity", "cogen": "cogeneration", "conv": "conversion", "coord": "coordinate", "max": "maximum",
    "reg": "registered", "tech": "technology",
}  # fmt: skip


def squash(text: str) -> str:
    """Lower-cased alphanumerics only: the form in which headings and terms are compared."""
    return _NOT_ALPHANUMERIC.sub("", text.lower())


def squash_column(text: pl.Expr) -> pl.Expr:
    """`squash` for a column."""
    return text.str.to_lowercase().str.replace_all(r"[^a-z0-9]", "")


@cache
def table(name: str) -> tuple[Mapping[str, str], ...]:
    """The lines of data/sources/<name>.csv."""
    with (_FOLDER / f"{name}.csv").open(encoding="utf-8", newline="") as lines:
        return tuple(csv.DictReader(lines))


def heading_key(heading: str) -> str:
    """The form in which headings are compared: `squash`, with abbreviated words written out."""
    return "".join(_WRITTEN_OUT.get(word[0], word[0]) for word in _WORD.finditer(heading.lower()))


@cache
def _lines_of(kind: Kind) -> tuple[Mapping[str, str], ...]:
    return tuple(line for line in table("headings") if line["kind"] == kind)


class _HeadingFit(NamedTuple):
    """The lines of the table of headings that a heading fits whole, those it is cut from, and the unit at its end."""

    whole: frozenset[int]
    cut: frozenset[int]
    unit: str


@lru_cache(maxsize=20_000)
def _fits(kind: Kind, key: str) -> _HeadingFit:
    """The lines of the table of headings that a heading fits."""
    if not key:
        return _HeadingFit(frozenset(), frozenset(), "")
    match = _UNIT.fullmatch(key)
    stem, unit = (match[1], match[2]) if match else (key, "")
    whole, cut = set(), set()
    for place, line in enumerate(_lines_of(kind)):
        pattern, name = line["pattern"], key
        if is_power(line["field"]):
            pattern, name = pattern.replace("mwh", "").removesuffix("mw"), stem
        if fnmatchcase(name, pattern):
            whole.add(place)
        elif not unit and len(key) >= _CUT_MARGIN and pattern.rstrip("*").startswith(key):
            cut.add(place)
    return _HeadingFit(frozenset(whole), frozenset(cut), unit)


def is_power(field: str) -> bool:
    """Tell whether a field holds power or energy, whose unit may stand in the heading."""
    return "_mw" in field


def read_headings(kind: Kind, headings: Iterable[str]) -> dict[str, int]:
    """Our field name -> position of its column. The first column that fits wins, whole matches before cut ones."""
    positions: dict[str, int] = {}
    keys = [heading_key(heading) for heading in headings]
    fits = [_fits(kind, key) for key in keys]
    taken: set[int] = set()
    for cut in (False, True):
        for place, line in enumerate(_lines_of(kind)):
            if line["field"] in positions:
                continue
            for position, heading_fits in enumerate(fits):
                if place in (heading_fits.cut if cut else heading_fits.whole) and position not in taken:
                    positions[line["field"]] = position
                    taken.add(position)
                    break
    return positions


def read_units(kind: Kind, headings: Sequence[str], positions: Mapping[str, int]) -> dict[str, str]:
    """Power field -> ``k`` or ``M``, as its heading says. Where none is said, as in a heading that was cut, the unit that
    all other headings of the file say; else ``M``, in which the registers are published.
    """
    stated = {
        field: _fits(kind, heading_key(headings[position])).unit[:1]
        for field, position in positions.items()
        if is_power(field)
    }
    common = set(filter(None, stated.values()))
    usual = common.pop().upper() if len(common) == 1 else "M"
    units = {field: (unit or usual).upper() for field, unit in stated.items()}
    return {field: "k" if unit == "K" else "M" for field, unit in units.items()}


def translate(values: pl.Series, lines: Iterable[Mapping[str, str]], key: str = "pattern") -> dict[str, Mapping]:
    """Each distinct term of a column -> the first line of a wording table it matches; unknown terms are absent."""
    wording = list(lines)
    line_of: dict[str, Mapping] = {}
    for term in values.drop_nulls().unique().to_list():
        line = next((line for line in wording if fnmatchcase(squash(term), line[key])), None)
        if line is not None:
            line_of[term] = line
    return line_of


def look_up_part(column: str | pl.Expr, line_of: Mapping[str, Mapping], part: str) -> pl.Expr:
    """A column of terms -> one part of the lines that `translate` found for them; null where unknown or empty."""
    text = pl.col(column) if isinstance(column, str) else column
    values = [line[part] or None for line in line_of.values()]
    return text.replace_strict(list(line_of), values, default=None, return_dtype=pl.String)


@cache
def empty_words() -> tuple[str, ...]:
    """Squashed texts by which a register says that it has nothing to say."""
    return tuple(line["pattern"] for line in table("nothing"))
