"""Every rule that an organisation is held to, with its code and words (data definitions, Organisation)."""

from services.core.errors import Severity
from services.core.rules import Rule, catalogue

SECTIONS = [
    Rule("TEXT-01", None, "A shorter text", "{given} is longer than the register keeps."),
    Rule("TEXT-02", None, "One line of text", "The text has line breaks or other characters that can't be seen."),
    Rule("LEGAL-01", "OrganisationLegalName", "The legal name", "Enter the legal name."),
    Rule(
        "LEGAL-02",
        "OrganisationLegalName",
        "A name that no other active organisation has",
        "An organisation with the name {given} is registered.",
    ),
    Rule(
        "LEGAL-03",
        "OrganisationLegalName",
        "Letters of one script, or a justification",
        "The name {given} mixes letters of several scripts, some of which look alike. Type it anew, or say why it is so.",
        severity=Severity.WARNING,
    ),
    Rule("TYPE-01", "OrganisationType", "A type from the list", "Choose the type of organisation."),
    Rule("TYPE-02", "OrganisationType", "A type from the list", "There is no type of organisation {given}."),
    Rule(
        "TYPE-03",
        "OrganisationTypeDescription",
        "A description, for the type Other",
        "The type is Other, so say what the organisation is.",
    ),
    Rule("ORGROLE-01", "OrganisationRoles", "One or more roles from the list", "Choose at least one role."),
    Rule("ORGROLE-02", "OrganisationRoles", "Roles from the list", "There is no role {given}."),
    Rule(
        "ORGROLE-03",
        "OrganisationRolesDescription",
        "A description, for the role Other",
        "A role is Other, so say what the organisation does.",
    ),
    Rule(
        "REG-01",
        "OrganisationRegistrationNumber",
        "A Companies House number, for this type",
        "Enter the registration number: companies and LLPs of the United Kingdom have one.",
    ),
    Rule(
        "REG-02",
        "OrganisationRegistrationNumber",
        "8 digits, or 2 letters and 6 digits",
        "{given} isn't a Companies House number.",
    ),
    Rule(
        "REG-03",
        "OrganisationRegistrationNumber",
        "A number that no other organisation has",
        "An organisation with the registration number {given} is registered.",
    ),
    Rule(
        "REG-04",
        "OrganisationLegalName",
        "What the company registry holds, or a justification",
        "The company registry knows this number under another name: {given}.",
        severity=Severity.WARNING,
    ),
    Rule(
        "VAT-01",
        "VatRegistrationNumber",
        "9 or 12 digits whose check digits hold",
        "{given} isn't a VAT number: its check digits don't hold.",
    ),
    Rule(
        "VAT-02",
        "VatRegistrationNumber",
        "A number that no other organisation has",
        "An organisation with the VAT number {given} is registered.",
    ),
    Rule("YEAR-01", "YearOfRegistration", "A year of four digits", "{given} isn't a year."),
    Rule("YEAR-02", "YearOfRegistration", "This year or earlier", "The year {given} is in the future."),
    Rule(
        "NONUK-01",
        "NonUkCompanyBusinessType",
        "The legal form abroad, for a non-UK company",
        "A non-UK company needs its legal form.",
    ),
    Rule(
        "NONUK-02",
        "NonUkCompanyName",
        "The name abroad, for a non-UK company",
        "A non-UK company needs the name it has in its own country.",
    ),
    Rule(
        "ADDR-01",
        "RegisteredAddressLine1",
        "The first line of the address",
        "Enter the first line of the address.",
    ),
    Rule("ADDR-02", "RegisteredCity", "A city or town", "Enter the city or town."),
    Rule("ADDR-03", "RegisteredCountry", "A country", "Choose the country."),
    Rule("ADDR-04", "RegisteredPostcodeOrZip", "A UK postcode such as LS1 4AP", "{given} isn't a UK postcode."),
    Rule("COUNTRY-01", None, "The name of a country, or its ISO 3166 code", "There is no country {given}."),
    Rule("EMAIL-01", None, "An email address such as name@example.com", "{given} isn't an email address."),
    Rule(
        "WEB-01", "OrganisationWebsite", "A web address such as https://www.example.com", "{given} isn't a web address."
    ),
    Rule(
        "CONTACT-01",
        "PrimaryContactFirstName",
        "The first name of the primary contact",
        "Enter the first name of the primary contact.",
    ),
    Rule(
        "CONTACT-02",
        "PrimaryContactLastName",
        "The last name of the primary contact",
        "Enter the last name of the primary contact.",
    ),
    Rule(
        "CONTACT-03",
        "PrimaryContactEmail",
        "The email address of the primary contact",
        "Enter the email address of the primary contact.",
    ),
    Rule(
        "CONTACT-04",
        "PrimaryMobileNumber",
        "The mobile number of the primary contact",
        "Enter the mobile number of the primary contact.",
    ),
    Rule(
        "PHONE-01",
        None,
        "A number in E.164, such as +442079460123",
        "{given} isn't a telephone number with + and country code.",
    ),
    Rule("PHONE-02", None, "A country code such as +44", "{given} isn't the calling code of a country."),
    Rule(
        "PHONE-03",
        None,
        "The country code that the number starts with",
        "The number doesn't start with the country code {given}.",
    ),
    Rule(
        "ID-01",
        "Identifiers",
        "A list of scheme and value, or text as SCHEME:value; SCHEME:value",
        "{given} isn't a scheme and a value.",
    ),
    Rule("ID-02", "Identifiers", "A scheme of the list IdentifierScheme", "There is no identifier scheme {given}."),
    Rule(
        "ID-03",
        "Identifiers",
        "Values of 1 to 100 characters",
        "The identifier {given} is empty or longer than 100 characters.",
    ),
    Rule("ID-04", "Identifiers", "Each identifier once", "The identifier {given} is given twice."),
    Rule(
        "ID-05",
        "Identifiers",
        "20 characters whose check digits hold",
        "{given} isn't a Legal Entity Identifier: its check digits don't hold.",
    ),
    Rule("ID-06", "Identifiers", "8 digits, or 2 letters and 6 digits", "{given} isn't a Companies House number."),
    Rule(
        "FIELD-01",
        None,
        "An attribute of the organisation",
        "There is no attribute {given}. Correct its name, or leave it out.",
    ),
]
BY_SERVICES = frozenset({"LEGAL-02", "REG-03", "REG-04", "VAT-02"})
"""The rules that need other records or the company registry."""
ORGANISATION_RULES: dict[str, Rule] = catalogue(SECTIONS)
