"""Every package that the code imports is one that requirements.txt or requirements-dev.txt names."""

import ast
import re
import sys
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PRODUCT = ("models", "services", "pages", "api", "sandbox", "migrations", "app.py", "portal.py", "manage.py")
OWN = {"models", "services", "pages", "api", "sandbox", "migrations", "scripts", "tests", "app", "portal", "manage"}


def normal(name: str) -> str:
    """A distribution's name as package indexes compare it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def named_in(file: str) -> set[str]:
    """The distributions that a requirements file names."""
    lines = (ROOT / file).read_text(encoding="utf-8").splitlines()
    return {normal(match[0]) for line in lines if (match := re.match(r"[A-Za-z][A-Za-z0-9._-]*", line))}


def imported_by(*places: str) -> Iterator[tuple[Path, str]]:
    """Every file with each top-level package that it imports, those of the standard library and our own left out."""
    for place in places:
        path = ROOT / place
        for file in [path] if path.is_file() else sorted(path.rglob("*.py")):
            if "peers" in file.parts:
                # Other products to measure against, each with an environment of its own.
                continue
            for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
                match node:
                    case ast.Import(names=names):
                        modules = [alias.name for alias in names]
                    case ast.ImportFrom(module=str(module), level=0):
                        modules = [module]
                    case _:
                        continue
                for module in modules:
                    package = module.split(".")[0]
                    if package not in sys.stdlib_module_names and package not in OWN:
                        yield file.relative_to(ROOT), package


@pytest.mark.parametrize(
    ("files", "places"),
    [
        (("requirements.txt",), PRODUCT),
        (("requirements.txt", "requirements-dev.txt"), ("scripts", "tests")),
    ],
)
def test_every_imported_package_is_declared(files: tuple[str, ...], places: tuple[str, ...]) -> None:
    """Nothing is imported that only another package happens to bring."""
    declared = set().union(*(named_in(file) for file in files))
    distributions = packages_distributions()
    missing = {
        f"{package} ({file})"
        for file, package in imported_by(*places)
        if not {normal(name) for name in distributions.get(package, [package])} & declared
    }
    assert not missing, sorted(missing)
