"""The company registry (UC-01.02): what is on file under a registration number, set beside what was declared.

The client speaks the public Companies House API: ``GET /company/{company_number}``, HTTP Basic with the API key as user
name.
"""

import re
import unicodedata
from collections.abc import Mapping
from datetime import date
from typing import Any, Protocol

from pydantic import BaseModel, ConfigDict, Field, SecretStr

from services.core.comparison import Comparison, ComparisonOutcome, compare, stated
from services.core.http_client import OutsideClient, Patience

SOURCE = "The company registry"
NUMBER = re.compile(r"([A-Z]{2}|[A-Z]\d|\d{2})\d{5}[\dA-Z]", re.ASCII)
GOOD_STANDING = frozenset({"active", "open"})

# What the registry's types may be called in OrganisationType. A company limited by guarantee is often a charity; types
# that are not listed (royal charter, unlimited, ...) fit no OrganisationType well enough to contradict anybody.
TYPES: dict[str, tuple[str, ...]] = {
    "ltd": ("Private Limited Company",),
    "private-limited-shares-section-30-exemption": ("Private Limited Company",),
    "private-limited-guarant-nsc": ("Private Limited Company", "Charity"),
    "private-limited-guarant-nsc-limited-exemption": ("Private Limited Company", "Charity"),
    "plc": ("Public Limited Company",),
    "old-public-company": ("Public Limited Company",),
    "llp": ("LLP",),
    "limited-partnership": ("Partnership",),
    "scottish-partnership": ("Partnership",),
    "charitable-incorporated-organisation": ("Charity",),
    "scottish-charitable-incorporated-organisation": ("Charity",),
    "oversea-company": ("Non-UK Company",),
    "registered-overseas-entity": ("Non-UK Company",),
    "uk-establishment": ("Non-UK Company",),
}

# Longest first: "public limited company" must not be read as "public" and "limited company".
LEGAL_FORMS = (
    (r"public limited company", "plc"),
    (r"limited liability partnership", "llp"),
    (r"community interest company", "cic"),
    (r"cwmni cyfyngedig cyhoeddus", "plc"),
    (r"cyfyngedig|cyf", "ltd"),
    (r"limited", "ltd"),
    (r"company", "co"),
    (r"and", ""),
)
STREETS = {"street": "st", "road": "rd", "avenue": "ave", "lane": "ln", "square": "sq", "court": "ct", "house": "hse"}


class RegisteredOffice(BaseModel):
    """The registered office, as the registry writes it."""

    model_config = ConfigDict(frozen=True)

    address_line_1: str | None = None
    address_line_2: str | None = None
    locality: str | None = None
    region: str | None = None
    postal_code: str | None = None
    country: str | None = None


class FormerName(BaseModel):
    """A name that the company used to have."""

    model_config = ConfigDict(frozen=True)

    name: str
    ceased_on: date | None = None


class CompanyRecord(BaseModel):
    """The registry's answer about one company; fields are named as in the Companies House API."""

    model_config = ConfigDict(frozen=True)

    company_name: str
    company_number: str
    company_status: str | None = None
    type: str
    date_of_creation: date | None = None
    registered_office_address: RegisteredOffice = Field(default_factory=RegisteredOffice)
    previous_company_names: tuple[FormerName, ...] = ()
    has_insolvency_history: bool | None = None


class CompanyRegistry(Protocol):
    """Whatever can say which company stands under a registration number."""

    def find(self, number: str) -> CompanyRecord | None:
        """The company, or None if the registry says there is none; raises OutsideUnavailable or OutsideRefused."""
        ...


class CompaniesHouse:
    """The registry of Companies House, or its sandbox, over HTTP."""

    def __init__(self, base_url: str, key: SecretStr, *, patience: Patience | None = None) -> None:
        self._client = OutsideClient("Company registry", base_url, basic_user=key, patience=patience)

    def find(self, number: str) -> CompanyRecord | None:
        """See CompanyRegistry. A number that no company can have is not asked about: None."""
        company_number = normalised_number(number)
        if company_number is None:
            return None
        record = self._client.get(f"/company/{company_number}", CompanyRecord, unknown="company-profile-not-found")
        if record is not None and record.company_number != company_number:
            raise self._client.mismatch("company")
        return record

    def close(self) -> None:
        """Close the connections."""
        self._client.close()


def normalised_number(number: str) -> str | None:
    """The registration number in capitals and padded to eight characters; None where it can't be one."""
    text = "".join(number.split()).upper()
    if text.isascii() and text.isdigit():
        text = text.zfill(8)
    return text if NUMBER.fullmatch(text) else None


def compare_company(organisation: Mapping[str, Any], record: CompanyRecord) -> list[Comparison]:
    """The declared organisation (keyed by ontology terms) beside the registry's record, field by field."""
    office = record.registered_office_address
    postcode = stated(organisation.get("RegisteredPostcodeOrZip"))
    line, city = (stated(organisation.get(term)) for term in ("RegisteredAddressLine1", "RegisteredCity"))
    year = stated(organisation.get("YearOfRegistration"))
    created = str(record.date_of_creation.year) if record.date_of_creation else None
    return [
        _name(stated(organisation.get("OrganisationLegalName")), record),
        _standing(stated(organisation.get("OrganisationRegistrationNumber")), record),
        _type(stated(organisation.get("OrganisationType")), record),
        compare(
            "RegisteredAddressLine1",
            "first line of the registered address",
            line,
            stated(office.address_line_1),
            _street_key(line) == _street_key(office.address_line_1),
            SOURCE,
        ),
        compare(
            "RegisteredCity",
            "town of the registered address",
            city,
            stated(office.locality),
            _words(city) == _words(office.locality),
            SOURCE,
        ),
        compare(
            "RegisteredPostcodeOrZip",
            "postcode of the registered address",
            postcode,
            stated(office.postal_code),
            _compact(postcode) == _compact(office.postal_code),
            SOURCE,
        ),
        compare("YearOfRegistration", "year of registration", year, created, year == created, SOURCE),
    ]


def _name(declared: str | None, record: CompanyRecord) -> Comparison:
    field, theirs = "OrganisationLegalName", stated(record.company_name)
    result = compare(field, "legal name", declared, theirs, name_key(declared) == name_key(theirs), SOURCE)
    if result.outcome is not ComparisonOutcome.DIFFERS:
        return result
    for former in record.previous_company_names:
        if name_key(former.name) == name_key(declared):
            until = f" until {former.ceased_on:%-d %b %Y}" if former.ceased_on else ""
            message = f"{declared} was the company's name{until}; the company registry now states {theirs}."
            return Comparison(field, declared, theirs, ComparisonOutcome.DIFFERS, message)
    return result


def _standing(declared: str | None, record: CompanyRecord) -> Comparison:
    field, status = "OrganisationRegistrationNumber", stated(record.company_status)
    theirs = f"{record.company_number} ({status})" if status else record.company_number
    if status is None:
        message = f"{SOURCE} does not state whether {record.company_number} is active."
        return Comparison(field, declared, theirs, ComparisonOutcome.NOT_STATED, message)
    if status in GOOD_STANDING:
        message = f"{SOURCE} lists {record.company_number} as {status}."
        return Comparison(field, declared, theirs, ComparisonOutcome.AGREES, message)
    message = f"{SOURCE} lists {record.company_number} as {status.replace('-', ' ')}, not as active."
    return Comparison(field, declared, theirs, ComparisonOutcome.DIFFERS, message)


def _type(declared: str | None, record: CompanyRecord) -> Comparison:
    possible = TYPES.get(record.type)
    theirs = " or ".join(possible) if possible else None
    same = declared is not None and possible is not None and declared in possible
    return compare("OrganisationType", "organisation type", declared, theirs, same, SOURCE)


def name_key(name: str | None) -> str:
    """A company name for comparing: case, accents, punctuation, "&" and the spelling of the legal form don't count."""
    text = _words(name)
    for spelling, short in LEGAL_FORMS:
        text = re.sub(rf"\b({spelling})\b", short, text)
    return " ".join(text.split())


def _street_key(line: str | None) -> str:
    return " ".join(STREETS.get(word, word) for word in _words(line).split())


def _words(text: str | None) -> str:
    """Lower-case words of letters and digits, without accents and apostrophes."""
    plain = unicodedata.normalize("NFKD", text or "").casefold()
    plain = "".join(character for character in plain if not unicodedata.combining(character))
    return " ".join(re.sub(r"[^a-z0-9]+", " ", re.sub(r"['’.]", "", plain)).split())


def _compact(text: str | None) -> str:
    return "".join((text or "").split()).upper()
