"""Names that mix scripts are warned of: one may pass for another (UC-01.01, UC-01.02)."""

import pytest

from services.core.errors import Invalid
from services.core.text import mixed_scripts
from services.participants.organisations import register_organisation
from services.participants.users import invite_user
from tests.factories import administrator, make_actor, make_organisation, organisation_values


@pytest.mark.parametrize(
    ("name", "scripts"),
    [
        ("N\u043erthgate Flex Ltd", ("Cyrillic", "Latin")),
        ("\u0420\u0410\u0423 Ltd", ("Cyrillic", "Latin")),
        ("Br\u03b1mble", ("Greek", "Latin")),
        ("\u13a1amble", ("Cherokee", "Latin")),
        ("Northgate Flex Ltd", ()),
        ("Caf\u00e9 \u0141\u00f3d\u017a & S\u00f8n 2\u00ba", ()),
        ("\u0413\u0430\u0437\u043f\u0440\u043e\u043c 7", ()),
        ("\u65e5\u672c\u30a8\u30cd\u30eb\u30ae\u30fc\u306e", ()),
        ("", ()),
    ],
)
def test_scripts_are_told_apart(name: str, scripts: tuple[str, ...]) -> None:
    assert mixed_scripts(name) == scripts


@pytest.mark.use_case("UC-01.02")
def test_an_organisation_says_why_its_name_mixes_scripts(register: str) -> None:
    values = organisation_values("N\u043erthgate Flex Ltd")
    with pytest.raises(Invalid) as refused:
        register_organisation(administrator(), values)
    assert ([finding.code for finding in refused.value.findings], refused.value.only_warnings) == (["LEGAL-03"], True)
    kept = register_organisation(administrator(), values, justification="The sign over its door is written so.")
    assert kept.organisation_legal_name == "N\u043erthgate Flex Ltd"


@pytest.mark.use_case("UC-01.01")
def test_a_person_whose_name_mixes_scripts_is_marked(register: str) -> None:
    organisation = make_organisation()
    boss = make_actor(organisation, ["organisation_admin"])
    odd = invite_user(boss, organisation.id, "J\u043e Reed", "jo@example.org", ["viewer"])
    assert "Cyrillic" in str(odd.as_terms()["NameWarning"])
    plain = invite_user(boss, organisation.id, "Jo Reed", "reed@example.org", ["viewer"])
    assert plain.as_terms()["NameWarning"] is None
