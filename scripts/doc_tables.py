"""The parts of docs/ that are made from the code: settings, permissions, operations by use case, life cycles, event types.

Each stands between two marker lines; `python -m scripts.doc_tables` writes them anew, and a test fails when one is stale.
"""

import re
from collections.abc import Callable
from enum import Enum
from typing import Any

from pydantic import SecretStr
from pydantic_core import PydanticUndefined

from models.events import EventType
from models.participants import ROLE_LABELS, Role
from services.assets.registration.lifecycle import ASSET_LIFE_CYCLE
from services.core.identity.permissions import Scope
from services.core.lifecycle import LifeCycle
from services.core.register_settings import CATALOGUE
from services.core.settings import ROOT, Settings, variable_name
from services.governance.traceability import operations_by_use_case, permission_rows
from services.market.products.proposal_lifecycle import PROPOSAL_LIFE_CYCLE
from services.market.qualification.lifecycle import QUALIFICATION_LIFE_CYCLE
from services.participants.lifecycle import ORGANISATION_LIFE_CYCLE

DOCS = ROOT / "docs"


def table(headings: list[str], rows: list[list[str]]) -> str:
    """A Markdown table."""
    lines = [headings, ["---"] * len(headings), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


def _default(field: Any) -> str:
    if field.default_factory is not None:
        return "none"
    value = field.default
    if isinstance(value, SecretStr):
        return f"`{value.get_secret_value()}` (the sandbox's)"
    if isinstance(value, Enum):
        value = value.value
    return "none" if value in (None, "", PydanticUndefined) else f"`{value}`"


def settings_table() -> str:
    """Every environment variable, its default and meaning."""
    rows = [
        [f"`{variable_name(name)}`", _default(field), field.description or ""]
        for name, field in Settings.model_fields.items()
    ]
    return table(["Variable", "Default", "Meaning"], rows)


def register_settings_table() -> str:
    """Every audited setting of the register."""
    rows = [
        [
            f"`{kind.key}`",
            f"{kind.default} {kind.unit}",
            f"{kind.minimum} to {kind.maximum}",
            kind.use_case,
            kind.meaning,
        ]
        for kind in CATALOGUE.values()
    ]
    return table(["Setting", "Default", "Bounds", "Use case", "Meaning"], rows)


def permissions_table() -> str:
    """The permission matrix."""
    signs = {Scope.NONE: "", Scope.OWN: "own", Scope.AREA: "area", Scope.ALL: "all"}
    rows = [[f"`{row.name}`", row.meaning, *(signs[row.scopes[role]] for role in Role)] for row in permission_rows()]
    return table(["Permission", "Meaning", *(ROLE_LABELS[role] for role in Role)], rows)


def operations_table() -> str:
    """Operations by use case."""
    rows = [
        [use_case, f"`{known.name}`", known.area, f"`{known.permission}`", known.summary]
        for use_case, operations in operations_by_use_case().items()
        for known in operations
    ]
    return table(["Use case", "Operation", "Area", "Permission", "What it does"], rows)


def event_types_table() -> str:
    """Every type of event that the feed has."""
    return table(["Type", "What happened"], [[f"`{kind.value}`", kind.meaning] for kind in EventType])


def life_cycles() -> str:
    """The state diagrams of everything that has states."""
    cycles: dict[str, LifeCycle[Any]] = {
        "Asset": ASSET_LIFE_CYCLE,
        "Organisation": ORGANISATION_LIFE_CYCLE,
        "Qualification": QUALIFICATION_LIFE_CYCLE,
        "Product proposal": PROPOSAL_LIFE_CYCLE,
    }
    return "\n\n".join(f"### {name}\n\n```mermaid\n{cycle.diagram()}\n```" for name, cycle in cycles.items())


SECTIONS: dict[tuple[str, str], Callable[[], str]] = {
    ("api.md", "event-types"): event_types_table,
    ("operate.md", "settings"): settings_table,
    ("operate.md", "register-settings"): register_settings_table,
    ("reference.md", "permissions"): permissions_table,
    ("reference.md", "operations"): operations_table,
    ("reference.md", "life-cycles"): life_cycles,
}


def renewed(text: str, marker: str, content: str) -> str:
    """The text with the part between a section's markers replaced."""
    begin, end = f"<!-- made from the code: {marker} -->", f"<!-- end of {marker} -->"
    pattern = re.compile(re.escape(begin) + r".*?" + re.escape(end), re.DOTALL)
    if not pattern.search(text):
        raise LookupError(f"No section {marker} in the document.")
    return pattern.sub(lambda _match: f"{begin}\n{content}\n{end}", text)


def stale() -> list[str]:
    """The documents whose made parts differ from the code."""
    found = []
    for (name, marker), make in SECTIONS.items():
        text = (DOCS / name).read_text(encoding="utf-8")
        if renewed(text, marker, make()) != text:
            found.append(f"{name}: {marker}")
    return found


def write() -> None:
    """Write every section anew."""
    for (name, marker), make in SECTIONS.items():
        path = DOCS / name
        path.write_text(renewed(path.read_text(encoding="utf-8"), marker, make()), encoding="utf-8")


if __name__ == "__main__":
    write()
