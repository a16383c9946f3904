"""Every rule that an asset is held to, with its code and words, in one catalogue."""

from services.assets.rules.builders import by_service
from services.assets.rules.identifiers import IDENTIFIERS, LOOK_ALIKES
from services.assets.rules.network import CONNECTION, MPANS
from services.assets.rules.position import POSITION
from services.assets.rules.technical import CAPACITY, CATEGORY, DATES, NAMES, OWNERS, TECHNOLOGY
from services.core.errors import Severity
from services.core.rules import Rule, catalogue

OTHERS = [
    by_service(
        "ALIAS-01",
        "Aliases",
        "A list of scheme and value, or text as SCHEME:value; SCHEME:value",
        "{given} isn't a scheme and a value.",
    ),
    by_service("ALIAS-02", "Aliases", "A scheme of the list AliasScheme", "There is no identifier scheme {given}."),
    by_service(
        "ALIAS-03",
        "Aliases",
        "Values of 1 to 100 characters",
        "The identifier {given} is empty or longer than 100 characters.",
    ),
    by_service("ALIAS-04", "Aliases", "Each identifier once", "The identifier {given} is given twice."),
    by_service(
        "ALIAS-05",
        "Aliases",
        "An identifier that no other active asset has",
        "Another active asset has the identifier {given}.",
    ),
    by_service(
        "ALIAS-06",
        "Aliases",
        "An identifier, or none",
        "{given} identifies nothing. Leave it out.",
    ),
    by_service(
        "ALIAS-07",
        "Aliases",
        "Letters of one alphabet in a word",
        "{given} mixes letters that look alike, of two alphabets. Type it anew, or say why it is right.",
        Severity.WARNING,
    ),
    by_service(
        "DUP-01",
        "SerialNumber",
        "A device that isn't registered",
        "An active asset has this manufacturer and serial number already: {given}.",
    ),
    by_service(
        "DUP-02",
        "ImportMPAN",
        "A device that isn't registered",
        "Your organisation has an active asset with this MPAN, category and rated capacity already: {given}.",
    ),
    by_service("DUP-03", None, "Each asset once in a file", "This is the same asset as row {given} of the file."),
    by_service(
        "JUST-01", "Justification", "10 characters or more", "Say in 10 characters or more why the values are right."
    ),
    by_service(
        "FIELD-01",
        None,
        "An attribute of the asset or of its category",
        "There is no attribute {given}. Correct its name, or leave it out.",
    ),
]
SCHEMA = [
    by_service("SCHEMA-01", None, "A value, for this category", "{verb} the {label_within}."),
    by_service("SCHEMA-02", None, "{expected}", "{given} isn't {expected}."),
    by_service("SCHEMA-03", None, "One of the options", "{label} {given} isn't an option: choose {expected}."),
    by_service("SCHEMA-04", None, "{expected}", "{label} must be {bounds}: {given} is too small."),
    by_service("SCHEMA-05", None, "{expected}", "{label} must be {bounds}: {given} is too large."),
    by_service("SCHEMA-06", None, "{expected}", "{label} must be {expected}."),
    by_service("SCHEMA-07", None, "An attribute of the category", "{label} isn't an attribute of this category."),
    by_service(
        "SCHEMA-08", None, "What the schema of the category asks for", "{label} doesn't fit the schema of the category."
    ),
    by_service(
        "SCHEMA-09",
        "CategoryAttributes",
        "The category's attributes by name",
        "{given} isn't a list of attributes by name.",
    ),
]

FAMILIES = (
    NAMES,
    IDENTIFIERS,
    LOOK_ALIKES,
    OWNERS,
    CATEGORY,
    CAPACITY,
    DATES,
    TECHNOLOGY,
    MPANS,
    CONNECTION,
    POSITION,
    OTHERS,
    SCHEMA,
)
ASSET_RULES: dict[str, Rule] = catalogue(*FAMILIES)
