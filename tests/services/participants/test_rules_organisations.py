"""Every rule of the organisation definitions: what breaks it is found, what keeps it is not."""

from collections.abc import Mapping
from datetime import date

import pytest

from services.participants.rules import (
    MATERIAL_TERMS,
    ORGANISATION_ATTRIBUTES,
    ORGANISATION_RULES,
    CheckedOrganisation,
    check_organisation,
)
from services.participants.rules_catalogue import BY_SERVICES

pytestmark = pytest.mark.use_case("UC-01.02")
TODAY = date(2026, 11, 24)
COMPANY: dict[str, object] = {
    "OrganisationLegalName": "Northgate Energy Storage plc",
    "OrganisationType": "Public Limited Company",
    "OrganisationRoles": ["FSP", "Asset Owner"],
    "OrganisationRegistrationNumber": "01234567",
    "RegisteredAddressLine1": "1 Example Street",
    "RegisteredCity": "Leeds",
    "RegisteredCountry": "GB",
    "PrimaryContactFirstName": "Alex",
    "PrimaryContactLastName": "Morgan",
    "PrimaryContactEmail": "alex.morgan@example.com",
    "PrimaryMobileNumber": "+442079460123",
}
ABROAD = COMPANY | {
    "OrganisationLegalName": "Heliograph Power GmbH",
    "OrganisationType": "Non-UK Company",
    "OrganisationRegistrationNumber": "HRB 12345",
    "NonUkCompanyBusinessType": "GmbH",
    "NonUkCompanyName": "Heliograph Power GmbH",
    "CountryOfIncorporation": "Germany",
    "RegisteredCountry": "DE",
    "RegisteredPostcodeOrZip": "10115",
}
LEI = "213800KUD8LAJWSQ9D15"
WEBSITE: Mapping[str, object] = {"OrganisationWebsite": "https://www.example.com/flex?a=b"}
NO_WEBSITES = (
    "www.example.com",
    "javascript:alert(1)",
    "https://localhost",
    "https://me:pw@example.com",
    "https://a b.com",
)
OTHER_TYPE: Mapping[str, object] = {"OrganisationType": "Other"}
OTHER_ROLE: Mapping[str, object] = {"OrganisationRoles": ["FSP", "Other"]}

# code, the field it stands beside, an organisation, what breaks the rule, and what keeps it
CASES: list[tuple[str, str, Mapping[str, object], Mapping[str, object], Mapping[str, object]]] = [
    ("TEXT-01", "RegisteredCity", COMPANY, {"RegisteredCity": "c" * 101}, {"RegisteredCity": "c" * 100}),
    (
        "TEXT-02",
        "OrganisationLegalName",
        COMPANY,
        {"OrganisationLegalName": "A\nB"},
        {"OrganisationLegalName": "A\u00a0B"},
    ),
    (
        "LEGAL-01",
        "OrganisationLegalName",
        COMPANY,
        {"OrganisationLegalName": "  "},
        {"OrganisationLegalName": "Tŷ & Sons"},
    ),
    (
        "LEGAL-03",
        "OrganisationLegalName",
        COMPANY,
        {"OrganisationLegalName": "N\u043erthgate Ltd"},
        {"OrganisationLegalName": "Caf\u00e9 T\u0177 Ltd"},
    ),
    ("TYPE-01", "OrganisationType", COMPANY, {"OrganisationType": None}, {"OrganisationType": "llp"}),
    ("TYPE-02", "OrganisationType", COMPANY, {"OrganisationType": "Guild"}, {"OrganisationType": "Charity"}),
    (
        "TYPE-03",
        "OrganisationTypeDescription",
        COMPANY,
        OTHER_TYPE,
        {**OTHER_TYPE, "OrganisationTypeDescription": "Guild"},
    ),
    ("ORGROLE-01", "OrganisationRoles", COMPANY, {"OrganisationRoles": []}, {"OrganisationRoles": "FSP; Aggregator"}),
    (
        "ORGROLE-02",
        "OrganisationRoles",
        COMPANY,
        {"OrganisationRoles": ["King"]},
        {"OrganisationRoles": ["System Operator (NESO)"]},
    ),
    (
        "ORGROLE-03",
        "OrganisationRolesDescription",
        COMPANY,
        OTHER_ROLE,
        {**OTHER_ROLE, "OrganisationRolesDescription": "Research"},
    ),
    (
        "REG-01",
        "OrganisationRegistrationNumber",
        COMPANY,
        {"OrganisationRegistrationNumber": ""},
        {"OrganisationType": "Sole Trader", "OrganisationRegistrationNumber": ""},
    ),
    (
        "REG-02",
        "OrganisationRegistrationNumber",
        COMPANY,
        {"OrganisationRegistrationNumber": "123456789"},
        {"OrganisationRegistrationNumber": "sc 123456"},
    ),
    (
        "REG-02",
        "OrganisationRegistrationNumber",
        COMPANY,
        {"OrganisationRegistrationNumber": "ABC12345"},
        {"OrganisationRegistrationNumber": "OC300001"},
    ),
    (
        "VAT-01",
        "VatRegistrationNumber",
        COMPANY,
        {"VatRegistrationNumber": "999001058"},
        {"VatRegistrationNumber": "GB 999 0010 57"},
    ),
    ("YEAR-01", "YearOfRegistration", COMPANY, {"YearOfRegistration": "'99"}, {"YearOfRegistration": 1999}),
    ("YEAR-02", "YearOfRegistration", COMPANY, {"YearOfRegistration": "2027"}, {"YearOfRegistration": "2026"}),
    ("NONUK-01", "NonUkCompanyBusinessType", ABROAD, {"NonUkCompanyBusinessType": None}, {}),
    ("NONUK-02", "NonUkCompanyName", ABROAD, {"NonUkCompanyName": None}, {}),
    ("ADDR-01", "RegisteredAddressLine1", COMPANY, {"RegisteredAddressLine1": None}, {}),
    ("ADDR-02", "RegisteredCity", COMPANY, {"RegisteredCity": None}, {}),
    ("ADDR-03", "RegisteredCountry", COMPANY, {"RegisteredCountry": None}, {"RegisteredCountry": "Scotland"}),
    (
        "ADDR-04",
        "RegisteredPostcodeOrZip",
        COMPANY,
        {"RegisteredPostcodeOrZip": "10115"},
        {"RegisteredPostcodeOrZip": "ls14ap"},
    ),
    (
        "COUNTRY-01",
        "RegisteredCountry",
        COMPANY,
        {"RegisteredCountry": "Atlantis"},
        {"RegisteredCountry": "united kingdom"},
    ),
    (
        "COUNTRY-01",
        "CountryOfIncorporation",
        ABROAD,
        {"CountryOfIncorporation": "XX"},
        {"CountryOfIncorporation": "DEU"},
    ),
    (
        "EMAIL-01",
        "OrganisationEmail",
        COMPANY,
        {"OrganisationEmail": "office@nowhere"},
        {"OrganisationEmail": "office@example.org"},
    ),
    *(("WEB-01", "OrganisationWebsite", COMPANY, {"OrganisationWebsite": url}, WEBSITE) for url in NO_WEBSITES),
    ("CONTACT-01", "PrimaryContactFirstName", COMPANY, {"PrimaryContactFirstName": None}, {}),
    ("CONTACT-02", "PrimaryContactLastName", COMPANY, {"PrimaryContactLastName": None}, {}),
    ("CONTACT-03", "PrimaryContactEmail", COMPANY, {"PrimaryContactEmail": None}, {}),
    ("CONTACT-04", "PrimaryMobileNumber", COMPANY, {"PrimaryMobileNumber": None}, {}),
    (
        "PHONE-01",
        "PrimaryMobileNumber",
        COMPANY,
        {"PrimaryMobileNumber": "020 7946 0123"},
        {"PrimaryMobileNumber": "+44 (20) 7946-0123"},
    ),
    (
        "PHONE-01",
        "SecondaryContactMobileNumber",
        COMPANY,
        {"SecondaryContactMobileNumber": "+44 1"},
        {"SecondaryContactMobileNumber": "+4930901820"},
    ),
    (
        "PHONE-02",
        "PrimaryMobileNumberCountryCode",
        COMPANY,
        {"PrimaryMobileNumberCountryCode": "+999"},
        {"PrimaryMobileNumberCountryCode": "gb"},
    ),
    (
        "PHONE-03",
        "PrimaryMobileNumberCountryCode",
        COMPANY,
        {"PrimaryMobileNumberCountryCode": "+49"},
        {"PrimaryMobileNumberCountryCode": "0044"},
    ),
    (
        "PHONE-03",
        "TechnicalItMobileNumberCountryCode",
        COMPANY,
        {"TechnicalItMobileNumber": "+442079460125", "CountryCode": "+49"},
        {"TechnicalItMobileNumber": "+442079460125", "CountryCode": "+44"},
    ),
    ("ID-01", "Identifiers", COMPANY, {"Identifiers": "12345"}, {"Identifiers": "BSC_PARTY:NORTHGATE; VEN:ven-1"}),
    (
        "ID-01",
        "Identifiers",
        COMPANY,
        {"Identifiers": [{"scheme": "LEI"}]},
        {"Identifiers": [{"scheme": "LEI", "value": LEI}]},
    ),
    ("ID-02", "Identifiers", COMPANY, {"Identifiers": "DUNS:1"}, {"Identifiers": "vtn:1"}),
    ("ID-03", "Identifiers", COMPANY, {"Identifiers": "VEN:" + "1" * 101}, {"Identifiers": "VEN:" + "1" * 100}),
    ("ID-04", "Identifiers", COMPANY, {"Identifiers": "VEN:1;ven:1"}, {"Identifiers": "VEN:1;VTN:1"}),
    ("ID-05", "Identifiers", COMPANY, {"Identifiers": f"LEI:{LEI[:-1]}6"}, {"Identifiers": f"LEI:{LEI.lower()}"}),
    ("ID-06", "Identifiers", COMPANY, {"Identifiers": "COMPANIES_HOUSE:X"}, {"Identifiers": "COMPANIES_HOUSE:1234567"}),
    ("FIELD-01", "LegalName", COMPANY, {"LegalName": "x"}, {"OrganisationStatus": "Active", "FmarOrganisationId": "1"}),
]


def check(organisation: Mapping[str, object]) -> CheckedOrganisation:
    return check_organisation(organisation, TODAY)


@pytest.mark.parametrize("organisation", [COMPANY, ABROAD], ids=["company", "abroad"])
def test_a_sound_organisation_has_no_findings(organisation: dict[str, object]) -> None:
    assert check(organisation).findings == []


@pytest.mark.parametrize(("code", "field", "organisation", "broken", "kept"), CASES)
def test_a_rule_finds_what_breaks_it_and_nothing_else(
    code: str, field: str, organisation: Mapping[str, object], broken: Mapping[str, object], kept: Mapping[str, object]
) -> None:
    (found,) = check({**organisation, **broken}).findings
    assert (found.code, found.field) == (code, field)
    assert "{given}" not in found.message
    assert check({**organisation, **kept}).findings == []


def test_every_rule_of_the_catalogue_is_exercised() -> None:
    assert {case[0] for case in CASES} | BY_SERVICES == set(ORGANISATION_RULES)


def test_an_empty_organisation_is_told_everything_it_needs_at_once() -> None:
    mandatory = [attribute.term for attribute in ORGANISATION_ATTRIBUTES if attribute.mandatory]
    assert [found.field for found in check({}).findings] == mandatory


def test_values_are_kept_in_their_normal_form() -> None:
    given = {
        "OrganisationRegistrationNumber": "1234567",
        "VatRegistrationNumber": "GB 999 0010 57",
        "OrganisationRoles": "asset owner; fsp; FSP",
        "RegisteredPostcodeOrZip": "ls14ap",
        "RegisteredCountry": "United Kingdom",
        "PrimaryMobileNumber": "+44 20 7946 0123",
        "YearOfRegistration": "2015",
        "Identifiers": "COMPANIES_HOUSE:1234567",
    }
    values = check(COMPANY | given).values
    assert {term: values[term] for term in given} == {
        "OrganisationRegistrationNumber": "01234567",
        "VatRegistrationNumber": "999001057",
        "OrganisationRoles": ["Asset Owner", "FSP"],
        "RegisteredPostcodeOrZip": "LS1 4AP",
        "RegisteredCountry": "GB",
        "PrimaryMobileNumber": "+442079460123",
        "YearOfRegistration": 2015,
        "Identifiers": [{"scheme": "COMPANIES_HOUSE", "value": "01234567"}],
    }
    assert values["PrimaryMobileNumberCountryCode"] == "+44"


def test_checking_what_was_kept_changes_nothing() -> None:
    once = check(COMPANY | {"Identifiers": f"LEI:{LEI}", "OrganisationWebsite": "https://example.com"})
    assert check(once.values) == once


def test_a_company_abroad_may_have_a_vat_number_of_its_country() -> None:
    assert check(ABROAD | {"VatRegistrationNumber": "DE 136695976"}).values["VatRegistrationNumber"] == "DE136695976"


@pytest.mark.parametrize("number", ["999001057", "999002054", "999003051", "999004048"])
def test_made_up_vat_numbers_are_accepted(number: str) -> None:
    assert check(COMPANY | {"VatRegistrationNumber": number}).findings == []


@pytest.mark.use_case("UC-01.03")
def test_name_number_and_roles_need_approval_again() -> None:
    assert set(MATERIAL_TERMS) == {
        "OrganisationLegalName",
        "OrganisationRegistrationNumber",
        "OrganisationRoles",
    }


@pytest.mark.parametrize("hostile", [{}, [], 5, True, {"scheme": "LEI"}, [[]], [None], "[", "[{}]"])
def test_any_json_is_answered_with_findings(hostile: object) -> None:
    for attribute in ORGANISATION_ATTRIBUTES:
        check(COMPANY | {attribute.term: hostile})


def test_text_that_looks_the_same_is_kept_the_same() -> None:
    typed = "Caf\u0065\u0301\u200b Power\u00a0Ltd\u202e"
    assert check({"OrganisationLegalName": typed}).values["OrganisationLegalName"] == "Café Power Ltd"
