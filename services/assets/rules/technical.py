"""The rules on what an asset is, whose it is and what it can do."""

import polars as pl

from services.assets.rules.builders import (
    CODES_LABEL,
    CONNECTED,
    FORMULA,
    SHORTENED,
    WARNING,
    at_most,
    by_service,
    code_rules,
    date_text,
    identity,
    missing,
    needed,
    power_text,
    readable,
)
from services.assets.rules.prepare import value
from services.core.rules import Hint, Rule

NAMES = [
    missing("NAME-01", "AssetName"),
    at_most("NAME-02", "AssetName", 255),
    Rule(
        "NAME-03",
        "AssetName",
        "Letters, digits, space and - _ / ( ) only",
        "The name {given} has a character that isn't allowed.",
        pl.col("AssetName").str.contains(r"^[\p{L}0-9 \-_/()]*$"),
        hints=(FORMULA, Hint(r"\S", "Leave it out: letters, digits, spaces and - _ / ( ) are allowed.")),
    ),
    at_most("NAME-04", "FriendlyCode", 40),
    by_service(
        "NAME-05",
        "FriendlyCode",
        "A code that no other asset of the provider has",
        "Another of your assets has the code {given}.",
    ),
]
OWNERS = [
    identity("OWN-01", "OrganisationId"),
    by_service(
        "OWN-02", "OrganisationId", "An active organisation", "The owner isn't an active organisation of the register."
    ),
    Rule(
        "OWN-03",
        "OrganisationId",
        "No owner, when a consumer owns the asset",
        "A consumer owns the asset, so no organisation can be its owner.",
        pl.col("OrganisationId").is_null() | value("ConsumerOwned").not_(),
    ),
    identity("OWN-04", "ServiceProviderId"),
    by_service(
        "OWN-05",
        "ServiceProviderId",
        "An active organisation with the role FSP or Aggregator",
        "The provider isn't an active FSP or Aggregator.",
    ),
    readable("CONSENT-01", "ConsumerOwned", "true or false", "{given} is neither yes nor no."),
    Rule(
        "CONSENT-02",
        "ConsentReference",
        "The reference of the consumer's consent",
        "A consumer owns the asset, so a consent reference is needed.",
        pl.col("ConsentReference").is_not_null() | value("ConsumerOwned").not_(),
    ),
    at_most("CONSENT-03", "ConsentReference", 255),
    by_service(
        "CONSENT-04",
        "ConsentReference",
        "A consent that holds for this asset and provider",
        "The consent solution doesn't confirm the consent {given}.",
    ),
]
CATEGORY = [
    missing("CAT-01", "AssetCategory"),
    *code_rules("CAT-02", "CAT-03", "CODE-01", "AssetCategory"),
    Rule(
        "CAT-04",
        None,
        "At least one of the values that the category asks for",
        "At least one of {given} is needed for this category.",
        pl.col("lacks_any").is_null(),
        pl.col("lacks_any"),
    ),
    by_service(
        "CAT-05", "AssetCategory", "The category it was registered with", "The category of an asset can't change."
    ),
]
_RATED = value("RatedCapacity").cast(pl.Float64)
_LARGER = pl.max_horizontal(value("GenCapacity"), value("DemandCapacity")).cast(pl.Float64)
_INSTALLED = value("InstalledCapacity").cast(pl.Float64)
A_THOUSANDFOLD = (500, 2_000)


def _no_thousandfold(capacity: pl.Expr, other: pl.Expr) -> pl.Expr:
    """False where a capacity is about a thousand times another, as one in W or MW among kW is."""
    return ((other <= 0) | (capacity / other).is_between(*A_THOUSANDFOLD).not_()).fill_null(True)


CAPACITY = [
    missing("CAP-01", "RatedCapacity"),
    power_text("CAP-02", "RatedCapacity"),
    Rule(
        "CAP-03",
        "RatedCapacity",
        "More than 0 kW",
        "The rated capacity must be more than 0 kW.",
        value("RatedCapacity") > 0,
    ),
    Rule(
        "CAP-04",
        "RatedCapacity",
        "At most 1,000,000.00 kW (setting), or a justification",
        "{given} kW is very large. Check that it isn't in watts, or say why it is right.",
        value("RatedCapacity") <= pl.col("justify_above"),
        severity=WARNING,
    ),
    Rule(
        "CAP-05",
        "RatedCapacity",
        "A capacity that is usual for the category, or a justification",
        "{given} is unusual for this category. Check that it is in kW, not in watts or megawatts, or say why it is right.",
        (_RATED <= 0) | _RATED.is_between(pl.col("usual_from"), pl.col("usual_to")),
        severity=WARNING,
    ),
    Rule(
        "CAP-06",
        "RatedCapacity",
        "Capacities of one size, or a justification",
        "The rated capacity, {given}, and another capacity are about a thousand times apart. Check that all are in kW, or "
        "say why they are right.",
        (value("RatedCapacity") > pl.col("justify_above"))
        | (_no_thousandfold(_RATED, _LARGER) & _no_thousandfold(_INSTALLED, _RATED)),
        severity=WARNING,
    ),
    needed("GEN-01", "GenCapacity"),
    power_text("GEN-02", "GenCapacity"),
    Rule(
        "GEN-03", "GenCapacity", "0 kW or more", "The generation capacity can't be negative.", value("GenCapacity") >= 0
    ),
    Rule(
        "GEN-04",
        "GenCapacity",
        "At most the rated capacity",
        "The generation capacity, {given} kW, is above the rated capacity.",
        value("GenCapacity") <= value("RatedCapacity"),
    ),
    needed("DEM-01", "DemandCapacity"),
    power_text("DEM-02", "DemandCapacity"),
    Rule(
        "DEM-03",
        "DemandCapacity",
        "0 kW or more",
        "The demand capacity can't be negative.",
        value("DemandCapacity") >= 0,
    ),
    Rule(
        "DEM-04",
        "DemandCapacity",
        "At most the rated capacity",
        "The demand capacity, {given} kW, is above the rated capacity.",
        value("DemandCapacity") <= value("RatedCapacity"),
    ),
    needed("INST-01", "InstalledCapacity"),
    power_text("INST-02", "InstalledCapacity"),
    Rule(
        "INST-03",
        "InstalledCapacity",
        "At least the larger of generation and demand capacity",
        "The installed capacity, {given} kW, is below the generation or the demand capacity.",
        pl.col("InstalledCapacity").is_null()
        | (value("InstalledCapacity") >= pl.max_horizontal(value("GenCapacity"), value("DemandCapacity"), pl.lit(0))),
    ),
]
DATES = [
    missing("DATE-01", "EffectiveDate"),
    date_text("DATE-02", "EffectiveDate"),
    Rule(
        "DATE-03",
        "EffectiveDate",
        "Today or later",
        "The effective date {given} is in the past.",
        (value("EffectiveDate") >= pl.col("today")) | pl.col("dates_forward").not_(),
    ),
    Rule(
        "DATE-04",
        "EffectiveDate",
        "The commissioning date or later, when connected",
        "The effective date {given} is before the commissioning date.",
        (value("EffectiveDate") >= value("CommissioningDate")) | (CONNECTED.not_()),
    ),
    date_text("DATE-05", "CommissioningDate"),
    Rule(
        "DATE-06",
        "CommissioningDate",
        "Today or earlier",
        "The commissioning date {given} is in the future.",
        value("CommissioningDate") <= pl.col("today"),
    ),
    Rule(
        "DATE-07",
        "CommissioningDate",
        "A date, when connected",
        "Enter the commissioning date: the asset is connected.",
        pl.col("CommissioningDate").is_not_null() | CONNECTED.not_(),
    ),
    needed("DATE-08", "CommissioningDate"),
]
TECHNOLOGY = [
    needed("CONV-01", "EnergyConversionType"),
    at_most("CONV-02", "EnergyConversionType", 255),
    *code_rules("FUEL-01", "FUEL-02", "CODE-02", "FuelType_EnergySource"),
    needed("FUEL-03", "FuelType_EnergySource"),
    *code_rules("TECH-01", "TECH-02", "CODE-03", "FuelType_DemandTechType"),
    needed("TECH-03", "FuelType_DemandTechType"),
    Rule(
        "OTHER-01",
        "OtherDescription",
        "A description, when any code is OTHER",
        "A code is OTHER, so say what it is.",
        pl.col("OtherDescription").is_not_null()
        | pl.any_horizontal((pl.col(term) == "OTHER").fill_null(False) for term in CODES_LABEL).not_(),
    ),
    at_most("OTHER-02", "OtherDescription", 200),
    needed("MAKE-01", "Manufacturer"),
    at_most("MAKE-02", "Manufacturer", 255),
    needed("MODEL-01", "AssetModel"),
    at_most("MODEL-02", "AssetModel", 100),
    needed("SERIAL-01", "SerialNumber"),
    Rule(
        "SERIAL-02",
        "SerialNumber",
        "3 to 64 characters",
        "The serial number {given} is too short or too long.",
        pl.col("SerialNumber").str.len_chars().is_between(3, 64),
    ),
    Rule(
        "SERIAL-03",
        "SerialNumber",
        "Letters, digits, hyphens and underscores only",
        "The serial number {given} has a character that isn't allowed.",
        pl.col("SerialNumber").str.contains(r"^[A-Za-z0-9_\-]*$"),
        hints=(FORMULA, SHORTENED, Hint(r"\S", "Leave it out: letters, digits, hyphens and underscores are allowed.")),
    ),
]
