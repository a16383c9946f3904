"""Reading single values of an organisation: each answers the value to keep, or None where it can't be read."""

import re
from functools import cache
from urllib.parse import urlsplit

import pycountry
from stdnum.eu import vat as eu_vat
from stdnum.gb import vat as gb_vat

COMPANY_NUMBER = re.compile(r"([A-Z]{2}|[A-Z][0-9]|[0-9]{2})[0-9]{5}[0-9A-Z]")
UK_POSTCODE = re.compile(r"([A-Z]{1,2}[0-9][A-Z0-9]?)([0-9][A-Z]{2})")
UNITED_KINGDOM = "GB"
UK_NAMES = {"uk", "great britain", "england", "scotland", "wales", "northern ireland", "united kingdom"}
COMPANY_NUMBER_LENGTH = 8


def company_number(text: str) -> str | None:
    """A Companies House number: capitals, no spaces, zeros filled in to 8 characters (after the two letters, if any)."""
    compact = re.sub(r"\s+", "", text).upper()
    letters = re.match(r"[A-Z]{0,2}", compact)
    prefix = letters.group() if letters else ""
    digits = compact[len(prefix) :]
    number = prefix + digits.zfill(COMPANY_NUMBER_LENGTH - len(prefix)) if digits else compact
    return number if COMPANY_NUMBER.fullmatch(number) else None


def vat_number(text: str, foreign: bool) -> str | None:
    """A UK VAT number without GB; for a non-UK company also one of the EU, with its two letters."""
    try:
        if gb_vat.is_valid(text):
            return gb_vat.compact(text)
        if foreign and eu_vat.is_valid(text):
            return eu_vat.compact(text)
    except (ValueError, AttributeError):
        return None
    return None


def email_address(text: str) -> str | None:
    """An email address in its normal form. No name server is asked."""
    from email_validator import EmailNotValidError, validate_email

    try:
        return validate_email(text, check_deliverability=False).normalized
    except EmailNotValidError:
        return None


def web_address(text: str) -> str | None:
    """An http or https address with a host that has a dot; nothing that a browser would run, and no password."""
    if re.search(r"[\s<>\"'`\\]", text):
        return None
    try:
        parts = urlsplit(text)
        host = parts.hostname or ""
    except ValueError:
        return None
    named = re.fullmatch(r"[^\W_]([\w-]*[^\W_])?(\.[^\W_]([\w-]*[^\W_])?)+", host) is not None
    return text if parts.scheme.lower() in ("http", "https") and named and "@" not in parts.netloc else None


@cache
def _countries() -> dict[str, str]:
    names: dict[str, str] = dict.fromkeys(UK_NAMES, UNITED_KINGDOM)
    for country in pycountry.countries:
        for name in ("alpha_2", "alpha_3", "name", "official_name", "common_name"):
            if label := getattr(country, name, None):
                names[label.casefold()] = country.alpha_2
    return names


def country_code(text: str) -> str | None:
    """The ISO 3166 two-letter code of a country given by name or code."""
    return _countries().get(" ".join(text.split()).casefold())


@cache
def country_options() -> tuple[tuple[str, str], ...]:
    """(code, name) of every country, by name, the United Kingdom first."""
    named = sorted((getattr(country, "common_name", country.name), country.alpha_2) for country in pycountry.countries)
    ordered = sorted(named, key=lambda option: option[1] != UNITED_KINGDOM)
    return tuple((code, name) for name, code in ordered)


def uk_postcode(text: str) -> str | None:
    """A UK postcode in its usual form."""
    match = UK_POSTCODE.fullmatch(re.sub(r"\s+", "", text).upper())
    return f"{match.group(1)} {match.group(2)}" if match else None


def phone_number(text: str) -> str | None:
    """A number in E.164; only one with + and a country code is understood."""
    if not text.startswith("+"):
        return None
    import phonenumbers

    try:
        number = phonenumbers.parse(text, None)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_valid_number(number):
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def calling_code(text: str) -> str | None:
    """A calling code such as +44, from ``+44``, ``0044``, ``44`` or a country's two-letter code."""
    import phonenumbers

    compact = re.sub(r"[\s()]+", "", text).upper()
    if re.fullmatch(r"[A-Z]{2}", compact):
        code = phonenumbers.country_code_for_region(compact)
    else:
        digits = compact.removeprefix("+").removeprefix("00")
        code = int(digits) if digits.isascii() and digits.isdigit() else 0
    return f"+{code}" if code in phonenumbers.COUNTRY_CODE_TO_REGION_CODE else None


def code_of_number(number: str) -> str:
    """The calling code that a number in E.164 starts with."""
    import phonenumbers

    return f"+{phonenumbers.parse(number, None).country_code}"
