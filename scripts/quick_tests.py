"""Name the test files that a change touches, for `make quick`: those of the layers and of the house, without a browser.

A change is what differs from the commit at which this branch left main, committed or not. A test file counts when it is
changed itself, imports a changed module, opens a changed page, or else stands in the folder of the change's area.
"""

import ast
import re
import subprocess
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
LAYERS = ("services", "api", "pages")
OF_THE_HOUSE = {
    "tests/test_databases.py::test_migrations_make_the_tables_of_the_models": ("models/", "migrations/"),
    "tests/test_docs.py": ("",),
    "tests/test_structure.py": ("models/", "services/", "pages/"),
}
"""What holds documents, migrations and structure to the code, and the folders whose change it may find fault with."""
BASES = ("origin/main", "main")
MOST = 12
"""Test files that run in under a minute; those nearest to the change come first."""


def changed_files() -> list[str]:
    """Paths that differ from the commit at which this branch left main; new files included."""
    base = next((commit for name in BASES if (commit := _git("merge-base", "HEAD", name))), "HEAD")
    return sorted({*_git("diff", "--name-only", base).split(), *_git("ls-files", "-o", "--exclude-standard").split()})


def tests_of(changes: Sequence[str]) -> list[str]:
    """Paths of test files, those nearest to the changes first."""
    files = [path for layer in LAYERS for path in sorted((ROOT / "tests" / layer).rglob("test_*.py"))]
    contents = {path.relative_to(ROOT).as_posix(): path.read_text("utf-8") for path in files}
    imports = {path: _imported(text) for path, text in contents.items()}
    nearness = {
        path: 1 for path, folders in OF_THE_HOUSE.items() if any(change.startswith(folders) for change in changes)
    }
    for change in changes:
        for path in contents:
            near = 0 if path == change else _distance(change, path, imports[path], contents[path])
            if near is not None:
                nearness[path] = min(near, nearness.get(path, near))
    return sorted(nearness, key=lambda path: (nearness[path], path))


def _distance(change: str, path: str, imported: set[str], text: str) -> int | None:
    """Tell how far a test is from a change: 1 uses it in its area, 2 uses it, 3 is in its folder; None has no part in it."""
    layer, _, rest = change.partition("/")
    area = rest.partition("/")[0]
    uses = re.sub(r"(/__init__)?\.py$", "", change).replace("/", ".") in imported
    opens = layer == "pages" and f'"{rest.removesuffix(".py")}"' in text
    if uses or opens:
        return 1 if f"/{area}/" in path else 2
    if layer == "tests":
        return 3 if change.endswith("conftest.py") and path.startswith(change.removesuffix("conftest.py")) else None
    folder = Path("tests", *Path(change).parent.parts)
    while len(folder.parts) > 2 and not (ROOT / folder).is_dir():
        folder = folder.parent
    return 3 if layer in LAYERS and path.startswith(f"{folder.as_posix()}/") else None


def _imported(text: str) -> set[str]:
    """Modules that a file imports, by their whole names."""
    names = set[str]()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return names


def _git(*words: str) -> str:
    return subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True, check=False).stdout.strip()


if __name__ == "__main__":
    print("\n".join(tests_of(changed_files())[:MOST]))
