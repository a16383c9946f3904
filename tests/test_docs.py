"""The documents say what the code does."""

import ast
import io
import re
import tokenize
from pathlib import Path

import pytest

from scripts.doc_tables import stale
from services.core.settings import ROOT

DOCUMENTS = [*sorted((ROOT / "docs").glob("*.md")), *sorted(ROOT.glob("*.md"))]


def test_tables_of_settings_permissions_operations_and_states_are_fresh() -> None:
    assert stale() == [], "run `make docs`"


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_links_between_documents_lead_somewhere(document: Path) -> None:
    text = document.read_text(encoding="utf-8")
    targets = [target for target in re.findall(r"\]\(([^)#]+)[^)]*\)", text) if "://" not in target]
    missing = [target for target in targets if not (document.parent / target).exists()]
    assert missing == []


def test_every_command_of_the_makefile_and_manage_that_is_documented_exists() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    manage = (ROOT / "manage.py").read_text(encoding="utf-8")
    words = " ".join(document.read_text(encoding="utf-8") for document in DOCUMENTS)
    for target in set(re.findall(r"`make ([a-z-]+)", words)):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), f"make {target}"
    for command in set(re.findall(r"manage\.py ([a-z][a-z-]+)", words)):
        assert f'"{command}"' in manage or f"def {command}(" in manage, f"manage.py {command}"


OUTSIDE = {".venv", "var", ".git", "__pycache__"}
TRACKED = [path.relative_to(ROOT) for path in ROOT.rglob("*.*") if not OUTSIDE & set(path.relative_to(ROOT).parts)]
SOURCES = [path for path in TRACKED if path.suffix == ".py"]
LAYERS = "services|pages|api|models|sandbox|scripts|migrations|tests"
PATH_NAMED = re.compile(rf"(?<![\w./-])((?:{LAYERS}|data|docs|static)/[\w./*-]*\w/?)")
MODULE_NAMED = re.compile(rf"(?<![\w./])((?:{LAYERS})(?:\.[a-z_]\w*)+)(?![\w(/])")
FILE_NAMED = re.compile(r"(?<![\w./*<{-])([A-Za-z_][\w-]*\.(?:py|md))(?!\w)")


def texts_of(source: Path) -> str:
    """Docstrings and comments of a Python file: what is written for readers."""
    text = (ROOT / source).read_text(encoding="utf-8")
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    docstrings = [ast.get_docstring(node) or "" for node in ast.walk(ast.parse(text)) if isinstance(node, documented)]
    tokens = tokenize.generate_tokens(io.StringIO(text).readline)
    comments = [token.string for token in tokens if token.type == tokenize.COMMENT]
    return "\n".join([*docstrings, *comments])


def exists(dotted: str) -> bool:
    """Whether a dotted name leads to a module or package, or to a name that stands in one."""
    parts = dotted.split(".")
    for length in range(len(parts), 0, -1):
        path = ROOT.joinpath(*parts[:length])
        file = path.with_suffix(".py") if path.with_suffix(".py").exists() else path / "__init__.py"
        if file.exists() or path.is_dir():
            rest = parts[length:]
            return not rest or (
                file.exists() and re.search(rf"\b{rest[0]}\b", file.read_text(encoding="utf-8")) is not None
            )
    return False


def dangling(text: str) -> list[str]:
    """Paths, modules and files that a text names and that aren't there."""
    names = {path.name for path in TRACKED} | {"__init__.py"}
    paths = [path for path in PATH_NAMED.findall(text) if not any(ROOT.glob(path.rstrip("/.")))]
    modules = [module for module in MODULE_NAMED.findall(text) if not exists(module) and Path(module).suffix != ".md"]
    return [*paths, *modules, *(file for file in FILE_NAMED.findall(text) if file not in names)]


def test_what_documents_and_docstrings_name_exists() -> None:
    texts = {document.name: document.read_text(encoding="utf-8") for document in DOCUMENTS}
    texts |= {str(source): texts_of(source) for source in SOURCES}
    assert {name: missing for name, text in texts.items() if (missing := dangling(text))} == {}


def test_the_checklist_for_a_use_case_names_places_and_tests_that_exist() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    rows = [
        line.split("|")[1:4] for line in text.partition("checklist: begin")[2].splitlines() if line.startswith("| `")
    ]
    assert len(rows) > 20
    for place, _what, held_by in rows:
        assert any(ROOT.glob(place.strip(" `/"))), place
        assert all((ROOT / test).exists() for test in re.findall(r"`(tests/[^`]+)`", held_by)), held_by
