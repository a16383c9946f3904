"""The wiring: no process without it, and no type of event that is handled or described but never written."""

import ast
from pathlib import Path

import pytest

from models.events import EventType
from services.core import reactions
from services.core.identity.actor import system_actor
from services.core.settings import ROOT
from services.core.transaction import Stamp, unit_of_work

STAMP = Stamp("look", "test", system_actor())
ABOUT_ALL_TYPES = ("services/wiring.py", "services/governance/recent.py")
EMITTING = ("emit", "emit_many", "emit_for_asset", "emit_for_unit", "emit_for_qualification", "tell", "_tell", "_told")


def trees() -> dict[str, ast.Module]:
    """Path -> syntax tree of each module of the services."""
    paths = list(Path(ROOT, "services").rglob("*.py"))
    return {str(path.relative_to(ROOT)): ast.parse(path.read_text(encoding="utf-8")) for path in paths}


@pytest.mark.parametrize("writes", [True, False])
def test_a_process_without_wiring_opens_no_unit_of_work(
    sqlite_register: str, monkeypatch: pytest.MonkeyPatch, writes: bool
) -> None:
    monkeypatch.setattr(reactions, "_in_force", None)
    with pytest.raises(reactions.NotWired, match=r"services\.wiring\.wire"), unit_of_work(STAMP, writes=writes):
        pass


def test_nothing_is_registered_by_being_imported_except_operations() -> None:
    listens = [
        (path, node.lineno)
        for path, tree in trees().items()
        for node in tree.body
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call) and path != "services/core/transaction.py"
    ]
    assert listens == [], "a call at the top level of a module changes what others do; list it in services/wiring.py"


def test_every_type_of_event_is_a_member_and_every_member_is_written_somewhere() -> None:
    named: set[str] = set()
    texts = []
    for path, tree in trees().items():
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "EventType":
                named |= {node.attr} if path not in ABOUT_ALL_TYPES else set()
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") in EMITTING:
                values = [argument.value for argument in node.args[:2] if isinstance(argument, ast.Constant)]
                texts += [(path, value) for value in values if isinstance(value, str) and "." in value]
    members = {event_type.name for event_type in EventType}
    assert texts == [], "write a member of EventType instead of its text"
    assert named - members == set(), "declare each in models/events.py, with a label and what it means"
    assert members - named == set(), "nothing in services/ writes these: take them out of models/events.py"


def test_every_handled_type_has_a_description_and_a_member() -> None:
    assert {handling.event_type for handling in reactions.reactions().handlers.values()} <= set(EventType)
    assert all(handling.single or handling.together for handling in reactions.reactions().handlers.values())
    assert all(event_type.label and event_type.meaning.endswith(".") for event_type in EventType)
