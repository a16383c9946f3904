"""Writes docs/data-dictionary.md from the attribute catalogues, code lists, category schemas and rules.

`python -m scripts.make_docs` writes it; a test fails when it is out of date.
"""

import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from services.assets.rules.attributes import expectation
from services.assets.rules.check import ASSET_RULES
from services.assets.rules.prepare import FOLLOWS_RATED
from services.assets.rules.schemas import CORE, CORE_ATTRIBUTES, shipped_schemas, snake
from services.core.attributes import FormField, shipped_code_lists
from services.core.rules import Rule
from services.participants.rules import ORGANISATION_ATTRIBUTES, ORGANISATION_RULES
from services.participants.rules_catalogue import BY_SERVICES

ROOT = Path(__file__).resolve().parents[1]
TARGET = ROOT / "docs" / "data-dictionary.md"
KINDS = {"code": "one code", "codes": "one or more codes", "power": "decimal, 2 places", "long_text": "text"}
INTRODUCTION = """# Data dictionary

Made by `python -m scripts.make_docs` from the catalogues that forms, the API and bulk files use; don't edit it by hand.
Attributes, codes and category schemas are those that the register is born with: an administrator's versions may differ.

The terms are the FMAR data definitions' (Elexon, CC-BY-4.0); the descriptions are this project's. A rule of severity
*error* refuses; one of severity *warning* asks for a justification of 10 characters or more. Rules marked *register* look
at other records.
"""


def table(headings: Sequence[str], rows: Iterable[Sequence[object]]) -> list[str]:
    """A Markdown table; pipes inside cells are escaped."""

    def line(cells: Sequence[object]) -> str:
        return "| " + " | ".join(str(cell).replace("|", "\\|").replace("\n", " ") for cell in cells) + " |"

    return [line(headings), line(["---"] * len(headings)), *map(line, rows), ""]


def attributes(fields: Iterable[FormField], rules: Mapping[str, Rule]) -> list[str]:
    """The attributes, each with the codes of its rules."""
    codes: dict[str | None, list[str]] = {}
    for rule in rules.values():
        codes.setdefault(rule.field, []).append(rule.code)
    return table(
        ["Term", "Label", "Group", "Kind", "Unit", "Mandatory", "Example", "What it is", "Rules"],
        [
            (
                f"`{one.term}`",
                one.label,
                one.group,
                KINDS.get(one.kind, one.kind) + (f" of {one.code_list}" if one.code_list else ""),
                one.unit,
                "yes" if one.mandatory else "",
                f"`{one.example}`" if one.example else "",
                one.help,
                ", ".join(codes.get(one.term, [])),
            )
            for one in fields
        ],
    )


def rules(catalogue: Mapping[str, Rule], by_register: Iterable[str]) -> list[str]:
    """The rules, in the order in which findings come."""
    register = set(by_register)
    return table(
        ["Code", "Field", "Severity", "Expected", "Message", "Decided by"],
        [
            (
                rule.code,
                f"`{rule.field}`" if rule.field else "",
                rule.severity.value,
                rule.expected,
                rule.message,
                "register" if rule.code in register else "row",
            )
            for rule in catalogue.values()
        ],
    )


def categories() -> list[str]:
    """Each category with what it needs of the core, and its own attributes."""
    lines: list[str] = []
    for code, schema in shipped_schemas().items():
        lines += [f"### {code}: {schema['title']}", "", schema["description"], ""]
        needs = [f"`{term}`" for term in schema.get("x-mandatory", ())]
        needs += [" or ".join(f"`{term}`" for term in group) for group in schema.get("x-mandatory-any", ())]
        needs += [f"`{term}` when `{other}` > 0" for term, other in schema.get("x-mandatory-when", {}).items()]
        filled = [f"`{term}` = {text}" for term, text in schema.get("x-defaults", {}).items()]
        filled += [f"`{term}` = `RatedCapacity`" for term, kinds in FOLLOWS_RATED.items() if schema["x-kind"] in kinds]
        lines += [
            f"Needs: {', '.join(needs) or 'nothing more'}. Filled in when empty: {', '.join(filled) or 'nothing'}.",
            "",
        ]
        required = set(schema.get("required", ()))
        lines += table(
            ["Term", "Label", "Accepts", "Mandatory", "What it is"],
            [
                (f"`{name}`", spec["title"], expectation(spec), "yes" if name in required else "", spec["description"])
                for name, spec in schema["properties"].items()
            ],
        )
    return lines


def code_lists() -> list[str]:
    """Every code list."""
    rows = [
        (name, f"`{one.code}`", one.label, one.applies_to, "yes" if one.active else "no")
        for name, codes in shipped_code_lists().items()
        for one in codes.values()
    ]
    return table(["List", "Code", "Label", "Applies to", "Active"], rows)


def data_dictionary() -> str:
    """The whole document."""
    beyond = ("SCHEMA", "ALIAS", "FIELD")
    by_register = [
        code for code, rule in ASSET_RULES.items() if rule.decided_by_service and not code.startswith(beyond)
    ]
    names = ", ".join(f"`{term}` (`{snake(term)}`)" for term in CORE if "_" in term or term.isupper() or "MPAN" in term)
    lines = [
        INTRODUCTION,
        "## Asset: core attributes",
        "",
        f"In Python a term is written in snake case: {names}.",
        "",
        *attributes(CORE_ATTRIBUTES, ASSET_RULES),
        "Derived by the register and never typed in: `AssetId`, `AssetStatus`, `GspGroup` (from the licence area) and",
        "`PositionSource` (declared, eastings or postcode).",
        "",
        "## Asset: categories",
        "",
        *categories(),
        "## Asset: rules",
        "",
        *rules(ASSET_RULES, [*by_register, "ALIAS-05"]),
        "## Organisation: attributes",
        "",
        *attributes(ORGANISATION_ATTRIBUTES, ORGANISATION_RULES),
        "A change of these needs approval again: "
        + ", ".join(f"`{one.term}`" for one in ORGANISATION_ATTRIBUTES if one.material)
        + ".",
        "",
        "## Organisation: rules",
        "",
        *rules(ORGANISATION_RULES, BY_SERVICES),
        "## Code lists",
        "",
        *code_lists(),
    ]
    return "\n".join(lines).rstrip() + "\n"


def main() -> None:
    """Write the document."""
    TARGET.parent.mkdir(exist_ok=True)
    TARGET.write_text(data_dictionary(), encoding="utf-8")
    sys.stdout.write(f"{TARGET.relative_to(ROOT)} written.\n")


if __name__ == "__main__":
    main()
