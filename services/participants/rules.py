"""The organisation rules: every attribute of the data definitions, all findings at once, in words from one catalogue.

Pure: no database. That a name or number is taken, and what the company registry says, is decided by the services, with
the words of `ORGANISATION_RULES`.
"""

import json
import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import date
from typing import Any, NamedTuple

from stdnum import lei

from services.core.attributes import DATA, FormField, Option, options_of, read_attributes, shipped_code_lists, text_of
from services.core.clock import today as today_now
from services.core.errors import Finding
from services.core.text import mixed_scripts, normal_text
from services.participants import rules_values as read
from services.participants.rules_catalogue import ORGANISATION_RULES

__all__ = [
    "MATERIAL_TERMS",
    "ORGANISATION_ATTRIBUTES",
    "ORGANISATION_RULES",
    "CheckedOrganisation",
    "check_organisation",
    "organisation_finding",
]

UK_COMPANIES = frozenset({"Private Limited Company", "Public Limited Company", "LLP"})
NON_UK = "Non-UK Company"
OTHER = "Other"
FIRST_YEAR = 1000
IDENTIFIER_LENGTH = 100
SOURCE_TERMS = {"CountryCode": "TechnicalItMobileNumberCountryCode"}
"""A published term that names no contact -> ours. The data definitions call the technical contact's one CountryCode."""
REGISTER_TERMS = frozenset(
    {
        "FmarOrganisationId",
        "OrganisationStatus",
        "StatusReason",
        "ApprovedAt",
        "LicenceAreas",
        "Version",
        "RecordedAt",
        "RecordedBy",
        "Justification",
    }
)
"""Written by the register: passed over when they come back."""
PHONES = {
    "PrimaryMobileNumber": "PrimaryMobileNumberCountryCode",
    "SecondaryContactMobileNumber": "SecondaryContactMobileNumberCountryCode",
    "TechnicalItMobileNumber": "TechnicalItMobileNumberCountryCode",
}
MANDATORY = {
    "OrganisationLegalName": "LEGAL-01",
    "OrganisationType": "TYPE-01",
    "RegisteredAddressLine1": "ADDR-01",
    "RegisteredCity": "ADDR-02",
    "RegisteredCountry": "ADDR-03",
    "PrimaryContactFirstName": "CONTACT-01",
    "PrimaryContactLastName": "CONTACT-02",
    "PrimaryContactEmail": "CONTACT-03",
    "PrimaryMobileNumber": "CONTACT-04",
}


def _with_options(attribute: FormField) -> FormField:
    if attribute.code_list:
        return replace(attribute, options=options_of(shipped_code_lists(), attribute.code_list))
    if attribute.kind == "country":
        return replace(attribute, options=tuple(Option(code, name) for code, name in read.country_options()))
    return attribute


ORGANISATION_ATTRIBUTES: tuple[FormField, ...] = tuple(
    map(_with_options, read_attributes(DATA / "organisation_attributes.csv"))
)
"""Every attribute of an organisation in the order of its form. `material`: a change of it needs approval again."""
ATTRIBUTES = {attribute.term: attribute for attribute in ORGANISATION_ATTRIBUTES}
MATERIAL_TERMS = tuple(attribute.term for attribute in ORGANISATION_ATTRIBUTES if attribute.material)
LISTS = ("OrganisationRoles", "Identifiers")


class CheckedOrganisation(NamedTuple):
    """Every attribute by its term, as it is kept (None where empty or unreadable; lists are never None), and the findings."""

    values: dict[str, Any]
    findings: list[Finding]


def organisation_finding(code: str, value: object = None, field: str | None = None) -> Finding:
    """The finding of a rule that a service decides, in the words of the catalogue. KeyError for an unknown code."""
    return ORGANISATION_RULES[code].finding(value, field)


def check_organisation(raw: Mapping[str, object], today: date | None = None) -> CheckedOrganisation:
    """Check the attributes of one organisation, given by ontology terms; `today` (Europe/London) is now unless given.

    Roles are a list or text separated by semicolons; countries names or ISO codes, kept as two letters; telephone
    numbers E.164, their country code is filled in when it is left empty.
    """
    return _Check({SOURCE_TERMS.get(term, term): value for term, value in raw.items()}, today or today_now()).run()


class _Check:
    """One check under way: the texts given, the values read so far, and what was found."""

    def __init__(self, raw: Mapping[str, object], today: date) -> None:
        self.raw = raw
        self.today = today
        self.text = {term: _tidy(raw.get(term)) for term in ATTRIBUTES if term not in LISTS}
        self.values: dict[str, Any] = dict.fromkeys(ATTRIBUTES)
        self.findings: list[Finding] = []

    def run(self) -> CheckedOrganisation:
        """All rules, in the order of the form."""
        self._texts()
        self._kind()
        self._roles()
        self._numbers()
        self._address()
        self._reach()
        self._identifiers()
        for term in self.raw:
            if term not in ATTRIBUTES and term not in REGISTER_TERMS:
                self._say("FIELD-01", term, term)
        order = list(ATTRIBUTES)
        self.findings.sort(
            key=lambda finding: order.index(finding.field) if finding.field in ATTRIBUTES else len(order)
        )
        return CheckedOrganisation(self.values, self.findings)

    def _say(self, code: str, value: object = None, field: str | None = None) -> None:
        self.findings.append(organisation_finding(code, value, field))

    def _texts(self) -> None:
        """Length and characters of every text, and that the mandatory ones are there."""
        for term, text in self.text.items():
            if text is None:
                if term in MANDATORY:
                    self._say(MANDATORY[term])
                continue
            longest = ATTRIBUTES[term].max_length
            if not text.isprintable():
                self._say("TEXT-02", text, term)
            elif longest and len(text) > longest:
                self._say("TEXT-01", text, term)
            elif term == "OrganisationLegalName" and mixed_scripts(text):
                self._say("LEGAL-03", text)
            self.values[term] = text

    def _read(self, term: str, reader: Callable[[str], Any], code: str) -> Any:
        """The value that `reader` makes of a text, kept; what it can't read is a finding of `code`."""
        text = self.text[term]
        if text is None:
            return None
        self.values[term] = reader(text)
        if self.values[term] is None:
            self._say(code, text, term)
        return self.values[term]

    def _kind(self) -> None:
        kind = self._read("OrganisationType", _chooser("OrganisationType"), "TYPE-02")
        if kind == OTHER and self.text["OrganisationTypeDescription"] is None:
            self._say("TYPE-03")
        if kind == NON_UK:
            for term, code in (("NonUkCompanyBusinessType", "NONUK-01"), ("NonUkCompanyName", "NONUK-02")):
                if self.text[term] is None:
                    self._say(code)

    def _roles(self) -> None:
        choose = _chooser("OrganisationRole")
        roles: list[str] = []
        for text in _parts(self.raw.get("OrganisationRoles")):
            role = choose(text)
            if role is None:
                self._say("ORGROLE-02", text)
            elif role not in roles:
                roles.append(role)
        self.values["OrganisationRoles"] = roles
        if not _parts(self.raw.get("OrganisationRoles")):
            self._say("ORGROLE-01")
        if OTHER in roles and self.text["OrganisationRolesDescription"] is None:
            self._say("ORGROLE-03")

    def _numbers(self) -> None:
        """Registration number, VAT number and year; the country of incorporation says by whose rules."""
        kind = self.values["OrganisationType"]
        home = self._read("CountryOfIncorporation", read.country_code, "COUNTRY-01")
        if kind in UK_COMPANIES and home in (None, read.UNITED_KINGDOM):
            if self.text["OrganisationRegistrationNumber"] is None:
                self._say("REG-01")
            self._read("OrganisationRegistrationNumber", read.company_number, "REG-02")
        elif kind != NON_UK and (number := self.text["OrganisationRegistrationNumber"]):
            self.values["OrganisationRegistrationNumber"] = read.company_number(number) or number
        foreign = kind == NON_UK or home not in (None, read.UNITED_KINGDOM)
        self._read("VatRegistrationNumber", lambda text: read.vat_number(text, foreign), "VAT-01")
        year = self._read("YearOfRegistration", _year, "YEAR-01")
        if year is not None and year > self.today.year:
            self._say("YEAR-02", year)

    def _address(self) -> None:
        country = self._read("RegisteredCountry", read.country_code, "COUNTRY-01")
        if country == read.UNITED_KINGDOM:
            self._read("RegisteredPostcodeOrZip", read.uk_postcode, "ADDR-04")

    def _reach(self) -> None:
        """Email addresses, the website, and telephone numbers with their country codes."""
        for attribute in ORGANISATION_ATTRIBUTES:
            if attribute.kind == "email":
                self._read(attribute.term, read.email_address, "EMAIL-01")
        self._read("OrganisationWebsite", read.web_address, "WEB-01")
        for term, code_term in PHONES.items():
            number = self._read(term, read.phone_number, "PHONE-01")
            code = self._read(code_term, read.calling_code, "PHONE-02")
            if number is None:
                continue
            if self.text[code_term] is None:
                self.values[code_term] = read.code_of_number(number)
            elif code is not None and code != read.code_of_number(number):
                self._say("PHONE-03", code, code_term)

    def _identifiers(self) -> None:
        identifiers: list[dict[str, str]] = []
        for part in _pairs(self.raw.get("Identifiers")):
            quoted = ":".join(part)
            scheme, value = _chooser("IdentifierScheme")(part[0]), part[-1].strip()
            if len(part) != 2:
                self._say("ID-01", quoted)
            elif scheme is None:
                self._say("ID-02", part[0])
            elif not 1 <= len(value) <= IDENTIFIER_LENGTH:
                self._say("ID-03", quoted)
            elif scheme == "LEI" and not lei.is_valid(value):
                self._say("ID-05", value)
            elif scheme == "COMPANIES_HOUSE" and read.company_number(value) is None:
                self._say("ID-06", value)
            elif (pair := {"scheme": scheme, "value": _kept_identifier(scheme, value)}) in identifiers:
                self._say("ID-04", quoted)
            else:
                identifiers.append(pair)
        self.values["Identifiers"] = identifiers


def _tidy(value: object) -> str | None:
    text = normal_text(text_of(value) or "").strip()
    return re.sub(r" {2,}", " ", text) or None


def _chooser(name: str) -> Callable[[str], str | None]:
    """Reads a code of a list, given by its code or its label, whatever its case."""
    codes = {
        text.casefold(): code.code for code in shipped_code_lists()[name].values() for text in (code.code, code.label)
    }
    return lambda text: codes.get(" ".join(text.split()).casefold())


def _year(text: str) -> int | None:
    return int(text) if re.fullmatch(r"[0-9]{4}", text) and int(text) >= FIRST_YEAR else None


def _kept_identifier(scheme: str, text: str) -> str:
    if scheme == "LEI":
        return lei.compact(text)
    return read.company_number(text) or text if scheme == "COMPANIES_HOUSE" else text


def _parts(value: object) -> list[str]:
    """The entries of a list, or of text separated by semicolons; empty ones dropped."""
    if isinstance(value, str):
        value = value.split(";")
    parts = value if isinstance(value, list | tuple | set | frozenset) else []
    return [text.strip() for text in (text_of(part) or "" for part in parts) if text.strip()]


def _pairs(value: object) -> list[tuple[str, ...]]:
    """(scheme, value) of each identifier; anything else stands as a tuple of one, to be refused with what was given."""
    if isinstance(value, str):
        if value.strip().startswith("["):
            with suppress(json.JSONDecodeError):
                return _pairs(json.loads(value))
        return [tuple(part.strip().split(":", 1)) for part in value.split(";") if part.strip()]
    if value is None:
        return []
    parts = value if isinstance(value, list | tuple) else [value]
    return [
        (str(item["scheme"]), str(item["value"]))
        if isinstance(item, Mapping) and set(item) == {"scheme", "value"}
        else (text_of(item) or "nothing",)
        for item in parts
    ]
