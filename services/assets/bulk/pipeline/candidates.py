"""The rows of a run that may be new assets: validated by the rules, with their parties and keys (UC-02.01, bulk)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from services.assets.bulk.pipeline.chunks import with_constants
from services.assets.registration.duplicates import AssetKeys, lock_providers
from services.assets.registration.parties import PartyValues, fill_in_parties, find_party_faults
from services.assets.registration.record import key_of
from services.assets.rules.check import check_assets
from services.assets.rules.reference import rule_context
from services.core.identity.actor import Actor
from services.core.rules import findings_frame

OWN_TERMS = ("ServiceProviderId", "OrganisationId")


@dataclass(frozen=True, slots=True)
class Candidates:
    """Rows that may be new assets, in the order of their `places` in the run, by which all that follows is numbered.

    `values` typed, the parts of what was found so far (FINDINGS_SCHEMA) in the order in which it is told, and the `keys` that
    duplicates are known by.
    """

    places: list[int]
    values: pl.DataFrame
    findings: list[pl.DataFrame]
    keys: list[AssetKeys]


def validate_candidates(
    actor: Actor, cells: pl.DataFrame, places: list[int], constants: Mapping[str, str]
) -> Candidates:
    """Hold the rows at these places against every rule of the row and of its parties, inside an operation.

    `constants` are values of rows that give none. The providers' locks are held from here on. Raises Refused when the actor's
    organisation may not register assets at all.
    """
    checked = check_assets(with_constants(cells.select(pl.all().gather(places)), constants), rule_context())
    parties = _party_values(checked.values, checked.findings)
    fill_in_parties(actor, parties)
    values = _with_parties(checked.values, parties)
    faults = findings_frame(find_party_faults(actor, parties))
    lock_providers(party.provider for party in parties)
    return Candidates(places, values, [checked.findings, faults], row_keys(values))


def _party_values(values: pl.DataFrame, findings: pl.DataFrame) -> list[PartyValues]:
    beside = findings.filter(pl.col("field").is_in(OWN_TERMS)).select("row", "field").iter_rows()
    refused: dict[int, list[str]] = {}
    for row, term in beside:
        refused.setdefault(row, []).append(term)
    rows = values.select(*OWN_TERMS, "ConsumerOwned").iter_rows()
    return [
        PartyValues(provider, owner, bool(owned), refused.get(row, ()))
        for row, (provider, owner, owned) in enumerate(rows)
    ]


def _with_parties(values: pl.DataFrame, parties: Sequence[PartyValues]) -> pl.DataFrame:
    marks = [
        pl.Series([term if term in party.derived else None for party in parties], dtype=pl.String) for term in OWN_TERMS
    ]
    return values.with_columns(
        pl.Series("ServiceProviderId", [party.provider for party in parties], dtype=pl.String),
        pl.Series("OrganisationId", [party.owner for party in parties], dtype=pl.String),
        pl.concat_list("derived", *marks).list.drop_nulls().alias("derived"),
    )


KEY_TERMS = (
    "AssetName", "ServiceProviderId", "SerialNumber", "Manufacturer", "FriendlyCode", "ImportMPAN", "ExportMPAN",
    "AssetCategory", "RatedCapacity", "Aliases",
)  # fmt: skip


def row_keys(values: pl.DataFrame) -> list[AssetKeys]:
    """The keys of typed rows, as `keys_of` gives them for one."""
    return [
        AssetKeys(
            name,
            provider,
            key_of(serial),
            key_of(maker),
            code,
            import_mpan,
            export_mpan,
            category,
            rated,
            [(pair["scheme"], pair["value"]) for pair in aliases or ()],
        )
        for name, provider, serial, maker, code, import_mpan, export_mpan, category, rated, aliases in values.select(
            KEY_TERMS
        ).iter_rows()
    ]
