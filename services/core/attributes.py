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


def text_of(value: object) -> str | None:
    """A value from JSON, Python or a spreadsheet as the text that would have been typed; "50.5" stays "50.5"."""
    if value is None:
        return None
    if isinstance(value, str):
        # Half a character of UTF-16 is valid in JSON, but no text.
        return value if value.isascii() else value.encode("utf-8", "replace").decode("utf-8")
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return format(Decimal(repr(value)), "f").removesuffix(".0")
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == datetime.min.time() else value.isoformat()
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, int | UUID):
        return str(value)
    return json.dumps(value, default=str)
