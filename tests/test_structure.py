"""The structure that readers rely on: one class of a name, whatever the folder."""

import ast
from collections import defaultdict
from pathlib import Path

from services.core.settings import ROOT

LAYERS = ("models", "services", "pages")
ALIKE = {"Written"}
"""Names that still mean two things, in services/assets/bulk."""


def test_a_class_name_means_one_thing() -> None:
    """Across models, services and pages; schemas of the API may mirror a name with a suffix of their own."""
    places: dict[str, list[str]] = defaultdict(list)
    for layer in LAYERS:
        for path in sorted(Path(ROOT, layer).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.ClassDef):
                    places[node.name].append(f"{path.relative_to(ROOT)}:{node.lineno}")
    twice = {name: where for name, where in places.items() if len(where) > 1 and name not in ALIKE}
    assert twice == {}, "give each the term of its own subject"
