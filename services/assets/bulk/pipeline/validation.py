"""New assets of a run of rows held against every rule at once, as `registration.validation` does for one of them."""

from collections.abc import Mapping, Sequence
from uuid import UUID

import polars as pl

from services.assets.registration.parties import PROVIDER_ROLES, active_parties, require_provider
from services.assets.registration.record import key_of
from services.assets.registration.validation import NOT_YOURS
from services.assets.rules.check import ASSET_RULES, CheckedAssets
from services.core.errors import Finding
from services.core.identity.actor import Actor
from services.core.identity.permissions import Scope, scopes_of
from services.core.rules import findings_frame

OWN_TERMS = ("ServiceProviderId", "OrganisationId")


def conform_rows(actor: Actor, checked: CheckedAssets) -> tuple[pl.DataFrame, list[pl.DataFrame]]:
    """The typed values of new assets, and the parts of what the rules say, in the order in which findings are told.

    `checked` is what the rules say of the rows on their own. Raises Refused when the actor's organisation may not register
    assets at all.
    """
    refused = {term: _refused(checked.findings, checked.values.height, term) for term in OWN_TERMS}
    own = str(actor.organisation_id) if actor.organisation_id else None
    values = _with_own_parties(own, checked.values, refused)
    return values, [checked.findings, _party_findings(actor, values, checked.findings)]


def _refused(findings: pl.DataFrame, height: int, field: str) -> pl.Series:
    """Whether something was found beside a field, row by row."""
    rows = findings.filter(pl.col("field") == field)["row"]
    return pl.int_range(height, eager=True).is_in(rows.cast(pl.Int64).implode())


def _with_own_parties(own: str | None, values: pl.DataFrame, refused: Mapping[str, pl.Series]) -> pl.DataFrame:
    """The provider defaults to one's `own` organisation; the owner to the provider, unless a consumer owns the asset.

    `refused` says of `OWN_TERMS` in which rows what was given for them is wrong.
    """
    given = {term: pl.lit(refused[term]) for term in OWN_TERMS}
    no_provider = pl.col("ServiceProviderId").is_null() & ~given["ServiceProviderId"]
    no_owner = pl.col("OrganisationId").is_null() & ~pl.col("ConsumerOwned").fill_null(False) & ~given["OrganisationId"]
    filled = values.with_columns(
        no_provider.alias("_provider"),
        no_owner.alias("_owner"),
        pl.when(no_provider).then(pl.lit(own)).otherwise(pl.col("ServiceProviderId")).alias("ServiceProviderId"),
    ).with_columns(
        pl.when(pl.col("_owner")).then("ServiceProviderId").otherwise("OrganisationId").alias("OrganisationId")
    )
    marks = [
        pl.when(pl.col(mark)).then(pl.lit(term)) for mark, term in zip(("_provider", "_owner"), OWN_TERMS, strict=True)
    ]
    derived = pl.concat_list("derived", *marks).list.drop_nulls()
    return filled.with_columns(derived.alias("derived")).drop("_provider", "_owner")


def providers_of(values: pl.DataFrame) -> frozenset[str]:
    """The organisations that manage the assets of these rows."""
    return frozenset(values["ServiceProviderId"].drop_nulls().unique())


def parties_of(values: pl.DataFrame) -> list[str]:
    """The organisations that rows name as their provider or owner."""
    return sorted(pl.concat([values[term] for term in OWN_TERMS]).drop_nulls().unique())


def _party_findings(actor: Actor, values: pl.DataFrame, findings: pl.DataFrame) -> pl.DataFrame:
    pairs = values.select(OWN_TERMS)
    active = active_parties(*parties_of(values), actor.organisation_id)
    found: list[tuple[int, Finding]] = _provider_findings(actor, pairs["ServiceProviderId"], findings, active)
    owner, provider = pl.col("OrganisationId"), pl.col("ServiceProviderId")
    strangers = owner.is_not_null() & ~owner.is_in(list(active)) & (provider.is_null() | (owner != provider))
    for row in pairs.select(strangers.alias("x"))["x"].arg_true():
        found.append((row, ASSET_RULES["OWN-02"].finding(pairs["OrganisationId"][row])))
    return findings_frame(found)


def _provider_findings(
    actor: Actor, providers: pl.Series, findings: pl.DataFrame, active: dict[str, set[str]]
) -> list[tuple[int, Finding]]:
    rule = ASSET_RULES["OWN-05"]
    if Scope.ALL not in scopes_of(actor, "asset.register"):
        require_provider(actor, active)
        foreign = (providers.is_not_null() & (providers != str(actor.organisation_id))).arg_true()
        return [(row, rule.finding(providers[row], message=NOT_YOURS)) for row in foreign]
    able = [identifier for identifier, roles in active.items() if roles & PROVIDER_ROLES]
    unable = (providers.is_not_null() & ~providers.is_in(able)).arg_true()
    found = [(row, rule.finding(providers[row])) for row in unable]
    told = _refused(findings, len(providers), "ServiceProviderId")
    nobody = (providers.is_null() & ~told).arg_true()
    return found + [(row, rule.finding(message="Say which provider manages the asset.")) for row in nobody]


def keys_of(values: pl.DataFrame) -> pl.DataFrame:
    """What duplicates of each row are known by (`standing.KEYS_SCHEMA`, without the identifier), and its aliases."""
    return pl.DataFrame(
        {
            "name": values["AssetName"],
            "provider": values["ServiceProviderId"],
            "serial": _keyed(values["SerialNumber"].to_list()),
            "maker": _keyed(values["Manufacturer"].to_list()),
            "friendly_code": values["FriendlyCode"],
            "import_mpan": values["ImportMPAN"],
            "export_mpan": values["ExportMPAN"],
            "category": values["AssetCategory"],
            "rated": values["RatedCapacity"].cast(pl.String),
            "aliases": values["Aliases"],
        }
    )


def _keyed(texts: Sequence[str | None]) -> pl.Series:
    return pl.Series([key_of(text) for text in texts], dtype=pl.String)


def as_uuid(text: str | None) -> UUID | None:
    """An identifier from text; None for what is none."""
    try:
        return UUID((text or "").strip())
    except ValueError:
        return None
