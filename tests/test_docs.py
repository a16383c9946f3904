"""The documents say what the code does."""

import re
from pathlib import Path

import pytest

from scripts.doc_tables import stale
from services.core.settings import ROOT

DOCUMENTS = [*sorted((ROOT / "docs").glob("*.md")), ROOT / "README.md"]


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
