"""Attributes of the FMAR data definitions: catalogue rows, options, code lists and form fields."""

import csv
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from pathlib import Path
from uuid import UUID

from services.core.settings import ROOT

DATA = ROOT / "data"


@dataclass(frozen=True, slots=True)
class Option:
    """One choice of a code: what is stored, and what is read."""

    code: str
    label: str


@dataclass(frozen=True, slots=True)
class Code:
    """One code of a code list; `applies_to` is the published word (Gen, Storage, Demand, Both, All)."""

    code: str
    label: str
    applies_to: str = "All"
    active: bool = True


CodeLists = Mapping[str, Mapping[str, Code]]


@dataclass(frozen=True, slots=True)
class FormField:
    """One attribute as a form draws it, a template heads it and a dictionary explains it.

    `kind` is text, long_text, code, codes, boolean, date, power, number, integer, uuid, mpan, postcode, degrees, metres,
    aliases, email, phone or url; the kinds code and codes choose from `options`, which come from `code_list` when it is named.
    """

    term: str
    label: str
    help: str
    kind: str
    group: str
    unit: str = ""
    mandatory: bool = False
    options: tuple[Option, ...] = ()
    default: str | None = None
    example: str = ""
    max_length: int | None = None
    minimum: float | None = None
    maximum: float | None = None
    code_list: str | None = None
    material: bool = False


def read_attributes(path: Path) -> tuple[FormField, ...]:
    """An attribute catalogue from its CSV file, in the order in which forms show it."""
    with path.open(encoding="utf-8", newline="") as lines:
        return tuple(_attribute(row) for row in csv.DictReader(lines))


def _attribute(row: Mapping[str, str]) -> FormField:
    kind, _, code_list = row["kind"].partition(":")
    return FormField(
        term=row["term"],
        label=row["label"],
        help=row["help"],
        kind=kind,
        group=row["group"],
        unit=row.get("unit", ""),
        mandatory=row["mandatory"] == "yes",
        example=row["example"],
        max_length=int(row["max_length"]) if row["max_length"] else None,
        code_list=code_list or None,
        material=row.get("material") == "yes",
    )


@cache
def shipped_code_lists() -> CodeLists:
    """The code lists that the register is born with (data/code_lists.csv)."""
    lists: dict[str, dict[str, Code]] = {}
    with (DATA / "code_lists.csv").open(encoding="utf-8", newline="") as lines:
        for row in csv.DictReader(lines):
            entry = Code(row["code"], row["label"], row["applies_to"], row["active"] == "true")
            lists.setdefault(row["list"], {})[entry.code] = entry
    return lists


def options_of(code_lists: CodeLists, name: str) -> tuple[Option, ...]:
    """The active codes of a list, to choose from."""
    return tuple(Option(entry.code, entry.label) for entry in code_lists.get(name, {}).values() if entry.active)


def text_of(given: object) -> str | None:
    """A value from JSON, Python or a spreadsheet as the text that would have been typed; "50.5" stays "50.5"."""
    if given is None:
        return None
    if isinstance(given, str):
        # Half a character of UTF-16 is valid in JSON, but no text.
        return given if given.isascii() else given.encode("utf-8", "replace").decode("utf-8")
    if isinstance(given, bool):
        return "true" if given else "false"
    if isinstance(given, float):
        return format(Decimal(repr(given)), "f").removesuffix(".0")
    if isinstance(given, Decimal):
        return format(given, "f")
    if isinstance(given, datetime):
        return given.date().isoformat() if given.time() == datetime.min.time() else given.isoformat()
    if isinstance(given, date):
        return given.isoformat()
    if isinstance(given, int | UUID):
        return str(given)
    return json.dumps(given, default=str)
