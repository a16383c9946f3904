"""Asking the three kinds of source that an asset is held against: adapters over HTTP, and the registers that are loaded.

An answer is always an answer: when a source is out of reach, `ask` raises and the check waits (UC-02.01). Which source is
asked about what is decided here and explained in docs/checks.md.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from decimal import Decimal
from functools import lru_cache
from typing import Any, assert_never

from pydantic import BaseModel

from models.assets import Asset, CheckOutcome, CheckSource
from models.sources import SourceKind
from services.assets.checks.installation_registry import (
    HttpInstallationRegistry,
    InstallationRecord,
    compare_installation,
)
from services.assets.checks.mpan_register import HttpMpanRegister, compare_mpan
from services.assets.checks.outcomes import Answer, adjust_comparisons, agreement, comparison_rows, outcome_of, reason
from services.assets.registration.record import STORED_TERMS
from services.assets.rules.reference import code_lists
from services.assets.sources.compare import compare
from services.assets.sources.matching import Match, best_match, decimal, metres_apart, nearby_m
from services.assets.sources.reading_records import Edition, RecordQuery, candidates, list_editions
from services.core.clock import in_london, now
from services.core.comparison import Comparison, ComparisonOutcome
from services.core.http_client import Patience
from services.core.identity.actor import Actor, system_actor
from services.core.operation import operation
from services.core.register_settings import setting
from services.core.settings import settings
from services.grid.distributors import distributor_by_id

PATIENCE = Patience(timeout=5.0, attempts=2, first_wait=0.2, rest=1.0)
SMALL_SCALE_KW = Decimal(50)
"""Up to here the installation registry certifies; from here on the connection registers list."""
EXPECTED_KW = Decimal(1_000)
"""From here on every connection register has listed generation and storage since the first edition."""
CERTIFIED = frozenset({"SOLAR_PV", "BESS", "HEAT_PUMP", "HVAC", "WIND_TURBINE", "CHP", "EV_CHARGER"})
NEAREST_M = 2_000.0
"""How far around an asset records are looked for; which of them is near enough is for the matching."""
NEWER = "The asset is newer than this edition, which can't know of it yet."
GENERATING = frozenset({"BESS", "SOLAR_PV", "WIND_TURBINE", "CHP"})


@lru_cache(maxsize=8)
def mpan_register(url: str, key: str) -> HttpMpanRegister:
    """The client of one address, kept with its connections."""
    return HttpMpanRegister(url, settings().mpan_register_key, patience=PATIENCE)


@lru_cache(maxsize=8)
def installation_registry(url: str, key: str) -> HttpInstallationRegistry:
    """The client of one address, kept with its connections."""
    return HttpInstallationRegistry(url, settings().installation_registry_key, patience=PATIENCE)


def terms_of(asset: Asset) -> dict[str, Any]:
    """The declared asset by ontology terms, as the comparisons read it."""
    return {term: getattr(asset, column) for term, column in STORED_TERMS.items()}


def ask_source(source: CheckSource, asset: Asset) -> Answer:
    """Ask a source about an asset. Raises OutsideUnavailable or OutsideRefused when it gives no answer."""
    match source:
        case CheckSource.MPAN_REGISTER:
            return _ask_mpan_register(asset)
        case CheckSource.INSTALLATION_REGISTRY:
            return _ask_installation_registry(asset)
        case CheckSource.CONNECTION_REGISTER:
            return ask_connection_register(system_actor(), asset)
        case _:
            assert_never(source)


def _not_applicable(why: str) -> Answer:
    return Answer(CheckOutcome.NOT_APPLICABLE, why)


def _build_answer(
    source: CheckSource, comparisons: list[Comparison], introduction: str, source_name: str | None = None, **fields: Any
) -> Answer:
    """An answer from comparisons: outcome, and a summary that begins with how the record was found."""
    rows = comparison_rows(source, comparisons)
    outcome = outcome_of(rows)
    codes = code_lists()
    if outcome is CheckOutcome.DIFFERS:
        summary = " ".join(
            reason(source, source_name, row, codes) for row in rows if row["matters"] and row["outcome"] == "differs"
        )
    else:
        summary = f"{introduction} {agreement(rows)}"
    return Answer(outcome, summary[:1000], rows, source_name=source_name, **fields)


def _evidence(label: str, records: list[BaseModel], **more: Any) -> dict[str, Any]:
    answers = [record.model_dump(mode="json", exclude_none=True) for record in records]
    return {"source": label, "retrieved_at": now().isoformat(timespec="seconds"), "answers": answers, **more}


def _ask_mpan_register(asset: Asset) -> Answer:
    mpans = {
        term: mpan for term, mpan in (("ImportMPAN", asset.import_mpan), ("ExportMPAN", asset.export_mpan)) if mpan
    }
    if not mpans:
        return _not_applicable("Not asked: the asset has no MPAN.")
    url = settings().mpan_register_url
    if not url:
        return _not_applicable("Not asked: no MPAN register is connected.")
    register = mpan_register(url, settings().mpan_register_key.get_secret_value())
    record_of = {term: register.find(mpan) for term, mpan in mpans.items()}
    terms, label = terms_of(asset), "MPAN register"
    comparisons: list[Comparison] = []
    for term, mpan in mpans.items():
        record = record_of[term]
        if record is None:
            message = f"The MPAN register does not know {mpan}."
            comparisons.append(Comparison(term, mpan, None, ComparisonOutcome.DIFFERS, message))
        else:
            comparisons += [comparison for comparison in compare_mpan(terms, record) if comparison not in comparisons]
    records = [record for record in record_of.values() if record is not None]
    evidence = _evidence(label, list(records), record=", ".join(record.mpan for record in records))
    if not records:
        rows = comparison_rows(CheckSource.MPAN_REGISTER, comparisons)
        summary = f"The MPAN register does not know {' or '.join(mpans.values())}."
        return Answer(CheckOutcome.NOT_FOUND, summary, rows, "MPAN", label, None, evidence, expected=True)
    introduction = f"Knows {' and '.join(record.mpan for record in records)}."
    return _build_answer(CheckSource.MPAN_REGISTER, comparisons, introduction, matched_by="MPAN", evidence=evidence)


def _ask_installation_registry(asset: Asset) -> Answer:
    certificates = [alias["value"] for alias in asset.aliases if alias["scheme"] == "MCS"]
    small = asset.rated_capacity <= SMALL_SCALE_KW and asset.asset_category in CERTIFIED
    if not certificates and not (small and asset.serial_number and asset.manufacturer):
        return _not_applicable(
            "Not asked: it certifies small installations (up to 50 kW), by serial number and manufacturer or by MCS number."
        )
    url = settings().installation_registry_url
    if not url:
        return _not_applicable("Not asked: no installation registry is connected.")
    registry = installation_registry(url, settings().installation_registry_key.get_secret_value())
    record: InstallationRecord | None
    if certificates:
        matched_by, record = "certificate", registry.by_certificate(certificates[0])
    else:
        matched_by = "serial number"
        record = registry.by_serial(asset.serial_number or "", asset.manufacturer or "")
    label = "Installation registry"
    if record is None:
        searched = f"the certificate {certificates[0]}" if certificates else f"the serial number {asset.serial_number}"
        summary = f"The installation registry does not know {searched}."
        evidence = _evidence(label, [])
        # Certificates are given to some installations only; one that is declared must exist.
        return Answer(
            CheckOutcome.NOT_FOUND, summary, matched_by=matched_by, evidence=evidence, expected=bool(certificates)
        )
    evidence = _evidence(label, [record], record=record.certificate)
    compared = compare_installation(terms_of(asset), record)
    introduction = f"Found by {matched_by}: certificate {record.certificate}."
    return _build_answer(
        CheckSource.INSTALLATION_REGISTRY, compared, introduction, matched_by=matched_by, evidence=evidence
    )


@operation("UC-02.01", permission="source.read", writes=False, name="ask_connection_register")
def ask_connection_register(actor: Actor, asset: Asset) -> Answer:
    """Compare an asset with the loaded connection registers: by MPAN, else by alias, else by place."""
    editions = {edition.id: edition for edition in list_editions(actor)}
    if not editions:
        return _not_applicable("Not asked: no connection register is loaded.")
    named = any(alias["scheme"] in SourceKind.__members__ for alias in asset.aliases)
    if asset.rated_capacity < SMALL_SCALE_KW and not named:
        return _not_applicable("Not asked: connection registers list connections of 50 kW or more.")
    terms = terms_of(asset)
    match = _match(actor, asset, terms)
    if match is None:
        return _not_found(asset, list(editions.values()), None)
    edition = editions[match.record["last_edition_id"]]
    distance = metres_apart(terms, match.record)
    tolerance = float(setting("source.position_tolerance_m")) + max(0, nearby_m(match.record) - 1_000)
    compared = adjust_comparisons(
        compare(terms, match.record),
        category=asset.asset_category,
        site_wide=_site_wide(match.record),
        commissioned=asset.commissioning_date,
        edition_date=edition.edition_date,
        metres=distance,
        tolerance_m=tolerance,
    )
    evidence = {
        **_edition_evidence(edition),
        "record": match.record["key"],
        "site": match.record.get("site_name"),
        "match": match.message,
    }
    answer = _build_answer(
        CheckSource.CONNECTION_REGISTER,
        compared,
        match.message,
        edition.title,
        matched_by=match.matched_by,
        source_record_id=match.record["id"],
        evidence=evidence,
    )
    if answer.outcome is CheckOutcome.DIFFERS and is_newer(asset, edition.edition_date):
        return _too_old(answer, edition)
    # A neighbour may be meant: it can speak for the asset, never against it.
    if match.weak and answer.outcome is not CheckOutcome.AGREES:
        return _not_found(asset, list(editions.values()), answer)
    return answer


def _site_wide(record: Mapping[str, Any]) -> frozenset[str]:
    """The fields in which the register states more than the registered capacity: what the whole site may draw or give."""
    registered = decimal(record.get("registered_kw"))
    stated = {"GenCapacity": decimal(record.get("export_kw")), "DemandCapacity": decimal(record.get("import_kw"))}
    return frozenset(term for term, value in stated.items() if registered and value and value > registered)


def _match(actor: Actor, asset: Asset, terms: Mapping[str, Any]) -> Match | None:
    """The record that fits best: by MPAN or alias; where none does, by place. The ECR goes before the REPD."""
    aliases = [alias for alias in asset.aliases if alias["scheme"] in SourceKind.__members__]
    queries = [RecordQuery(mpan=mpan) for mpan in (asset.import_mpan, asset.export_mpan) if mpan]
    queries += [RecordQuery(reference=alias["value"], kind=SourceKind(alias["scheme"])) for alias in aliases]
    match = _best(terms, [record for query in queries for record in candidates(actor, query)])
    if match is not None or asset.latitude is None or asset.longitude is None:
        return match
    return _best(terms, candidates(actor, RecordQuery(near=(asset.latitude, asset.longitude, NEAREST_M))))


def _best(terms: Mapping[str, Any], records: list[dict[str, Any]]) -> Match | None:
    by_kind = (best_match(terms, [record for record in records if record["kind"] == kind]) for kind in SourceKind)
    matches = [match for match in by_kind if match is not None]
    return min(matches, key=lambda match: match.weak, default=None)


def _edition_evidence(edition: Edition) -> dict[str, Any]:
    return {
        "source": edition.title,
        "kind": str(edition.kind),
        "edition_id": str(edition.id),
        "edition_date": edition.edition_date.isoformat(),
        "licence": edition.licence,
        "retrieved_at": now().isoformat(timespec="seconds"),
    }


def _not_found(asset: Asset, editions: list[Edition], nearby: Answer | None) -> Answer:
    """No record speaks of the asset: a question where one had to, no news where none is loaded for its area."""
    area = _area(asset)
    covering = [edition for edition in editions if area is not None and area in edition.counts.get("areas", ())]
    schemes = [alias["scheme"] for alias in asset.aliases]
    if not covering and "REPD" in schemes:
        covering = [edition for edition in editions if edition.kind == SourceKind.REPD]
    if not covering:
        area_text = f" for {asset.dno_connection}" if asset.dno_connection else ""
        return _not_applicable(f"Not asked: no connection register is loaded{area_text}.")
    edition = covering[0]
    large = asset.rated_capacity >= EXPECTED_KW and _generates(asset)
    newer = is_newer(asset, edition.edition_date)
    expected = (large or str(edition.kind) in schemes) and not newer
    summary = f"{edition.title}: no entry has its MPAN, its reference, or its place and technology."
    if nearby is not None:
        summary = f"{edition.title}: no entry has its MPAN or its reference. {nearby.summary}"
    if large:
        summary += " Generation and storage of 1 MW or more has to be listed there."
    if newer:
        summary += f" {NEWER}"
    evidence = {**_edition_evidence(edition), **({"nearby": nearby.evidence} if nearby else {})}
    return Answer(
        CheckOutcome.NOT_FOUND, summary[:1000], source_name=edition.title, evidence=evidence, expected=expected
    )


def is_newer(asset: Asset, edition_date: date) -> bool:
    """Tell whether an edition is older than an asset: than its commissioning, or its registration where it has none yet."""
    begun = asset.commissioning_date or (in_london(asset.registered_at).date() if asset.registered_at else None)
    return begun is not None and begun >= edition_date


def _too_old(answer: Answer, edition: Edition) -> Answer:
    """The answer of an edition that is older than the asset: what differs is shown, and held against nobody."""
    rows = [
        {**row, "outcome": str(ComparisonOutcome.NOT_STATED), "message": f"{row['message']} {NEWER}".lstrip()}
        if row["outcome"] == ComparisonOutcome.DIFFERS
        else row
        for row in answer.comparisons
    ]
    summary = f"{edition.title}: an entry was found that says otherwise. {NEWER}"
    return replace(answer, outcome=CheckOutcome.NOT_APPLICABLE, summary=summary, comparisons=rows)


def _generates(asset: Asset) -> bool:
    return asset.asset_category in GENERATING or (
        asset.asset_category == "OTHER" and bool(asset.gen_capacity) and bool(asset.fuel_type_energy_source)
    )


def _area(asset: Asset) -> str | None:
    """The licence area in whose register it would stand; none behind an independent network's meter."""
    for mpan in (asset.export_mpan, asset.import_mpan):
        distributor = distributor_by_id(mpan[:2]) if mpan else None
        if distributor is not None:
            return None if distributor.is_idno else distributor.code
    return asset.dno_connection
