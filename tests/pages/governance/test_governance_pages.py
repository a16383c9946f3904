"""The pages that keep the register honest: ledger, permissions, settings, about, public registers."""

from pathlib import Path

import pytest

from services.core.register_settings import read_settings
from services.governance.sealing import seal_and_anchor
from tests import factories
from tests.databases import behind_its_back
from tests.pages.portal import be, be_administrator, open_page, press, quiet, text

DATA = Path(__file__).resolve().parents[2] / "data" / "sources"


@pytest.mark.use_case("UC-05.06")
def test_a_sound_ledger_is_told_to_be_sound(one_register: str) -> None:
    be_administrator()
    seal_and_anchor()
    at = press(open_page("administrator", "governance/ledger"), "Verify the whole ledger")
    assert "The ledger is sound." in text(at)
    assert "Seals 1" in text(at)


@pytest.mark.use_case("UC-05.06")
def test_a_change_behind_the_registers_back_is_found_and_named(one_register: str) -> None:
    be_administrator()
    factories.make_organisation("Bramble Flex Ltd")
    behind_its_back("UPDATE organisation SET registered_city = 'Nowhere' WHERE registered_city = 'Leeds'")
    at = press(open_page("administrator", "governance/ledger"), "Verify the whole ledger")
    words = text(at)
    assert "faults were found" in words
    assert "Record altered" in words
    assert "Nowhere" in words


@pytest.mark.use_case("UC-05.06")
def test_who_may_not_verify_is_not_offered_the_page(one_register: str) -> None:
    be("bramble", factories.make_organisation("Bramble Flex Ltd"), ["fsp_user"])
    with pytest.raises(ValueError, match="governance/ledger"):
        open_page("bramble", "governance/ledger")


@pytest.mark.use_case("UC-01.01")
def test_the_permission_matrix_shows_reach_and_operations_and_can_be_searched(one_register: str) -> None:
    be("bramble", factories.make_organisation("Bramble Flex Ltd"), ["fsp_user"])
    at = open_page("bramble", "governance/permissions")
    words = text(at)
    assert "Approve, refuse, suspend or reinstate an organisation" in words
    assert "approve_organisation" in words
    assert "UC-01.02" in words
    at.get_by_key("permission-text").set_value("verify_ledger")
    words = text(quiet(at.run()))
    assert "Verify the ledger" in words
    assert "Register an asset" not in words


@pytest.mark.use_case("UC-02.01")
def test_a_setting_is_changed_inside_its_bounds_and_remembers(one_register: str) -> None:
    administrator = be_administrator()
    at = open_page("administrator", "governance/settings")
    assert "A Query unanswered for so long becomes Suspended - Query Unanswered." in text(at)
    at = quiet(at.get_by_key("change-asset.query_answer_days").click().run())
    at.get_by_key("value-asset.query_answer_days").set_value("500")
    at = press(at, "Save")
    assert "“500” is not a whole number from 1 to 120 working days" in text(at)
    at.get_by_key("value-asset.query_answer_days").set_value("15")
    press(at, "Save")
    kept = {one.kind.key: one.value for one in read_settings(administrator)}
    assert kept["asset.query_answer_days"] == 15
    at = open_page("administrator", "governance/settings")
    assert "15 working days" in text(at)
    at = quiet(at.get_by_key("history-asset.query_answer_days").click().run())
    words = text(at)
    assert "Ada Field" in words
    assert "20" in words


@pytest.mark.use_case("UC-02.01")
def test_who_may_not_change_settings_reads_them(one_register: str) -> None:
    be("bramble", factories.make_organisation("Bramble Flex Ltd"), ["fsp_user"])
    at = open_page("bramble", "governance/settings")
    assert "20 working days" in text(at)
    assert "Change" not in [button.label for button in at.main.button]


@pytest.mark.use_case("UC-05.06")
def test_about_names_use_cases_with_their_operations_and_whose_data_it_stands_on(one_register: str) -> None:
    be("bramble", factories.make_organisation("Bramble Flex Ltd"), ["fsp_user"])
    words = text(open_page("bramble", "governance/about"))
    for expected in (
        "register_organisation",
        "UC-02.03",
        "Supported by National Energy SO Open Data",
        "Contains OS data © Crown copyright and database right",
        "CC BY 4.0",
    ):
        assert expected in words


@pytest.mark.use_case("UC-02.01")
def test_an_edition_is_loaded_every_row_accounted_for_and_the_same_file_refused(one_register: str) -> None:
    be_administrator()
    at = open_page("administrator", "assets/sources")
    assert "No public register is loaded yet" in text(at)
    file = ("repd-2024-07.csv", (DATA / "repd.csv").read_bytes(), "text/csv")
    at.get_by_key("source-file").set_value(file)
    at = press(quiet(at.run()), "Load it")
    words = text(at)
    assert "All of its rows are accounted for." in words
    for count in ("Rows 5", "Taken 2", "Skipped 3"):
        assert count in words
    at.get_by_key("source-file").set_value(file)
    at = press(quiet(at.run()), "Load it")
    assert "This very file is loaded already" in text(at)


@pytest.mark.use_case("UC-02.01")
def test_a_file_that_is_no_register_is_refused_with_what_is_expected(one_register: str) -> None:
    be_administrator()
    at = open_page("administrator", "assets/sources")
    at.get_by_key("source-file").set_value(("list-2024-07.csv", b"a,b\n1,2\n", "text/csv"))
    at = press(quiet(at.run()), "Load it")
    assert "has the headings of neither register" in text(at)


@pytest.mark.use_case("UC-02.01")
def test_a_site_is_found_by_its_reference_with_the_row_as_published(one_register: str) -> None:
    be_administrator()
    at = open_page("administrator", "assets/sources")
    at.get_by_key("source-file").set_value(("repd-2024-07.csv", (DATA / "repd.csv").read_bytes(), "text/csv"))
    at = press(quiet(at.run()), "Load it")
    at.get_by_key("source-key").set_value("no such thing")
    assert "No register that is loaded knows it" in text(quiet(at.run()))
