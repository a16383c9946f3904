"""Details of a company from the company registry, by its number: what a form is filled in with (UC-01.02)."""

from typing import Any

from services.core.errors import Finding, Invalid, NotFound, Unavailable
from services.core.http_client import OutsideRefused, OutsideUnavailable
from services.core.identity.actor import Actor
from services.core.operation import operation
from services.core.settings import settings
from services.participants.company_registry import TYPES, CompanyRecord, normalised_number
from services.participants.registry_check import company_registry
from services.participants.rules_values import UNITED_KINGDOM


def find_company(actor: Actor, number: str) -> dict[str, Any]:
    """Details of a company by ontology term, as the registry states them; what it doesn't state is left out.

    Raises Invalid (REG-02) for what can't be a number, NotFound, and Unavailable while the registry is away or none is set up.
    """
    _allow_lookup(actor)
    company_number = normalised_number(number)
    if company_number is None:
        expected = "8 digits, or 2 letters and 6 digits"
        message = f"Enter a Companies House number: {expected}."
        raise Invalid([Finding("REG-02", "OrganisationRegistrationNumber", number, expected, message)])
    if not settings().company_registry_url:
        raise Unavailable("No company registry is set up here. Enter the details yourself.")
    # Outside of any transaction: the registry may take seconds to answer.
    try:
        record = company_registry().find(company_number)
    except OutsideUnavailable as away:
        raise Unavailable("The company registry doesn't answer. Enter the details yourself, or try again.") from away
    except OutsideRefused as refused:
        raise Unavailable("The company registry can't be asked at the moment. Enter the details yourself.") from refused
    if record is None:
        raise NotFound("company", company_number)
    return company_terms(record)


@operation("UC-01.02", permission="organisation.register", writes=False, name="allow_company_lookup")
def _allow_lookup(actor: Actor) -> None:
    """Allow somebody who registers an organisation to ask the company registry."""


def company_terms(record: CompanyRecord) -> dict[str, Any]:
    """A company by the ontology terms of an organisation."""
    office = record.registered_office_address
    types = TYPES.get(record.type, ())
    terms = {
        "OrganisationRegistrationNumber": record.company_number,
        "OrganisationLegalName": record.company_name,
        "OrganisationType": types[0] if len(types) == 1 else None,
        "YearOfRegistration": record.date_of_creation.year if record.date_of_creation else None,
        "RegisteredAddressLine1": office.address_line_1,
        "RegisteredAddressLine2": office.address_line_2,
        "RegisteredCity": office.locality,
        "RegisteredPostcodeOrZip": office.postal_code,
        "RegisteredCountry": UNITED_KINGDOM if office.postal_code else None,
    }
    return {term: value for term, value in terms.items() if value}
