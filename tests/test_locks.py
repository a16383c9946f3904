"""The lock files hold what is required, each package to one version with its hashes."""

import re
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from services.core.settings import ROOT

LOCKED = re.compile(r"^([\w.-]+)==(\S+?)(?: ;.*?)? \\\n((?:    --hash=sha256:[0-9a-f]{64}(?: \\)?\n)+)", re.MULTILINE)


def required(file: str) -> list[Requirement]:
    """The requirements of a file, those it includes left out."""
    lines = (ROOT / file).read_text(encoding="utf-8").splitlines()
    return [Requirement(line) for line in lines if line and not line.startswith(("#", "-r"))]


def locked(file: str) -> dict[str, set[Version]]:
    """The versions of a lock file by package: several where Python versions or systems need different ones."""
    text = (ROOT / file).read_text(encoding="utf-8")
    versions: dict[str, set[Version]] = {}
    for name, version, _hashes in LOCKED.findall(text):
        versions.setdefault(canonicalize_name(name), set()).add(Version(version))
    assert sum(map(len, versions.values())) == len(re.findall(r"^\S+==", text, re.MULTILINE)), "each has its hashes"
    return versions


@pytest.mark.parametrize(
    ("lock", "files"),
    [
        ("requirements.lock", ["requirements.txt"]),
        ("requirements-dev.lock", ["requirements.txt", "requirements-dev.txt"]),
    ],
)
def test_every_requirement_is_locked_within_its_bounds(lock: str, files: list[str]) -> None:
    versions = locked(lock)
    for requirement in (requirement for file in files for requirement in required(file)):
        held = versions.get(canonicalize_name(requirement.name), set())
        assert held, f"{requirement} is not locked: make lock"
        assert all(requirement.specifier.contains(version) for version in held), f"{requirement}: make lock"


def test_tests_run_with_the_versions_that_users_install() -> None:
    portal, tests = locked("requirements.lock"), locked("requirements-dev.lock")
    assert {name: versions for name, versions in portal.items() if tests.get(name) != versions} == {}, "make lock"


def test_nothing_of_the_lock_files_is_fetched_from_elsewhere() -> None:
    for lock in ("requirements.lock", "requirements-dev.lock"):
        assert not re.search(r"https?://|^--|@ ", Path(ROOT / lock).read_text(encoding="utf-8"), re.MULTILINE)
