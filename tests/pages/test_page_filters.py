"""Filters stay on their page: the key of every field that is bound to an address is listed, so that none is carried on."""

import ast
from collections.abc import Iterator

from pages.frame.page_filters import KEYS
from services.core.settings import ROOT


def bound_fields(tree: ast.AST) -> Iterator[ast.Call]:
    """Calls that draw a field bound to the address."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and any(keyword.arg == "bind" for keyword in node.keywords):
            yield node


def key_of(field: ast.Call) -> ast.expr:
    return next(keyword.value for keyword in field.keywords if keyword.arg == "key")


def test_what_is_bound_to_an_address_is_forgotten_with_its_page() -> None:
    keys: dict[str, str] = {}
    for file in (ROOT / "pages").rglob("*.py"):
        tree = ast.parse(file.read_text("utf-8"))
        helpers = {
            (function.name, place)
            for function in ast.walk(tree)
            if isinstance(function, ast.FunctionDef)
            for field in bound_fields(function)
            for place, parameter in enumerate(function.args.args)
            if isinstance(key := key_of(field), ast.Name) and key.id == parameter.arg
        }
        passed = [
            call.args[place]
            for call in ast.walk(tree)
            if isinstance(call, ast.Call) and isinstance(call.func, ast.Name)
            for name, place in helpers
            if name == call.func.id and len(call.args) > place
        ]
        for key in (*map(key_of, bound_fields(tree)), *passed):
            if isinstance(key, ast.Constant):
                keys[str(key.value)] = str(file.relative_to(ROOT))
    assert len(keys) > 30
    missing = {key: file for key, file in keys.items() if key not in KEYS}
    assert not missing, "add these keys to KEYS in pages/frame/page_filters.py"
