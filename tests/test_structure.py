"""The structure that readers rely on: one class of a name, and nothing that lies about unreached."""

import ast
from collections import defaultdict
from pathlib import Path

import models
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


def test_every_module_of_tables_is_imported_with_the_package() -> None:
    """Migrations and moves know the tables by importing `models` alone."""
    modules = {path.stem for path in Path(ROOT, "models").glob("*.py")} - {"__init__", "base", "events"}
    assert modules - set(models.__all__) == set(), "import it in models/__init__.py"


def test_migrations_follow_one_another_by_number() -> None:
    """Two that were drafted side by side take the same number unseen."""
    numbers = [path.name[:4] for path in sorted(Path(ROOT, "migrations", "versions").glob("[0-9]*.py"))]
    assert numbers == [f"{number:04}" for number in range(1, len(numbers) + 1)], "number the later one anew"
