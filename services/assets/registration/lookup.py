"""Look-up before registering (UC-02.01): mine, another provider's, none, or malformed; logged, and limited by organisation."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, or_, select
from sqlmodel import col

from models.assets import ENDED_STATUSES, STATUS_LABELS, Asset, AssetAlias
from models.sources import SourceRecord
from services.assets.registration.lookup_hits import log_question, log_refusal, require_lookup, tell_provider
from services.assets.registration.record import key_of
from services.assets.rules.attributes import check_aliases
from services.assets.rules.check import ASSET_RULES
from services.assets.rules.mpan import describe_mpan
from services.assets.rules.reference import catalogue
from services.assets.sources.reading_records import find_records
from services.core.errors import Finding, TooManyRequests
from services.core.identity.actor import Actor
from services.core.identity.visibility import visible
from services.core.operation import operation
from services.core.text import clean_line, plain_code
from services.core.transaction import afterwards, current_session

LONGEST_SERIAL = 64


class LookupOutcome(StrEnum):
    """Outcome of a look-up."""

    MINE = "MINE"
    OTHER_PROVIDER = "OTHER_PROVIDER"
    NONE = "NONE"
    MALFORMED = "MALFORMED"


@dataclass(frozen=True, slots=True)
class LookupResult:
    """The answer to a look-up. `asset_ids` are those the actor may see, `asset_id` the first of them.

    `suggested_values` are those that a registration can start from, by ontology term; `ways_on` are sentences.
    """

    outcome: LookupOutcome
    message: str
    asset_id: UUID | None = None
    asset_ids: Sequence[UUID] = ()
    ways_on: Sequence[str] = ()
    suggested_values: Mapping[str, Any] = field(default_factory=dict)
    findings: Sequence[Finding] = ()


@dataclass(slots=True)
class _Question:
    """Look-up question, tidied: identifiers used, conditions, values known already, and findings."""

    by: list[str] = field(default_factory=list)
    conditions: list[ColumnElement[bool]] = field(default_factory=list)
    known_values: dict[str, Any] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)


@operation("UC-02.01", permission="asset.lookup", name="look_up")
def look_up(
    actor: Actor,
    *,
    mpan: str | None = None,
    serial_number: str | None = None,
    manufacturer: str | None = None,
    alias_scheme: str | None = None,
    alias_value: str | None = None,
) -> LookupResult:
    """Look up an active asset by MPAN, by serial number and manufacturer, or by alias (any of what is given).

    Raises TooManyRequests over the limit (setting asset.lookups_per_hour). A hit on an asset that the actor may not see says
    that another provider registered it and nothing else; that provider is told that somebody asked.
    """
    try:
        require_lookup(actor)
    except TooManyRequests:
        afterwards(lambda: log_refusal(actor))
        raise
    question = _Question()
    _ask_mpan(question, mpan)
    _ask_device(question, serial_number, manufacturer)
    _ask_alias(question, alias_scheme, alias_value)
    if not question.by and not question.findings:
        expected = "An MPAN, a serial number with its manufacturer, or another identifier"
        question.findings.append(Finding("LOOKUP-01", None, None, expected, "Say what to look for."))
    assets = [] if question.findings else _active(question)
    result = _answer(actor, question, assets)
    _log(actor, question, result, assets)
    return result


def _ask_mpan(question: _Question, mpan: str | None) -> None:
    text = clean_line(mpan or "")
    if not text:
        return
    facts = describe_mpan(text)
    if facts.problem or facts.core is None:
        expected = "13 digits, or the 21 digits of a bill"
        question.findings.append(Finding("MPAN-02", "ImportMPAN", text, expected, facts.problem or expected))
        return
    question.by.append("MPAN")
    question.conditions.append(or_(col(Asset.import_mpan) == facts.core, col(Asset.export_mpan) == facts.core))
    question.known_values |= {"ImportMPAN": facts.core, "DNOConnection": facts.dno_code, "GspGroup": facts.gsp_group}


def _ask_device(question: _Question, serial_number: str | None, manufacturer: str | None) -> None:
    serial, maker = plain_code(clean_line(serial_number or "")), clean_line(manufacturer or "")
    if not serial and not maker:
        return
    plain = serial.replace("-", "").replace("_", "")
    if not (3 <= len(serial) <= LONGEST_SERIAL and plain.isalnum() and plain.isascii()):
        question.findings.append(ASSET_RULES["SERIAL-03" if serial else "SERIAL-01"].finding(serial or None))
    elif not maker:
        message = "A serial number alone tells no device: give its manufacturer too."
        question.findings.append(ASSET_RULES["MAKE-01"].finding(message=message))
    else:
        question.by.append("serial number and manufacturer")
        question.conditions.append(
            and_(col(Asset.serial_key) == key_of(serial), col(Asset.manufacturer_key) == key_of(maker))
        )
        question.known_values |= {"SerialNumber": serial, "Manufacturer": maker}


def _ask_alias(question: _Question, scheme: str | None, value: str | None) -> None:
    name, text = clean_line(scheme or ""), clean_line(value or "")
    if not name and not text:
        return
    pairs, wrong = check_aliases(f"{name}:{text}", catalogue().reference.code_lists)
    question.findings += wrong
    if pairs and not wrong:
        question.by.append(f"{pairs[0]['scheme']} identifier")
        same = (col(AssetAlias.scheme) == pairs[0]["scheme"], col(AssetAlias.value) == pairs[0]["value"])
        question.conditions.append(
            col(Asset.id).in_(select(col(AssetAlias.asset_id)).where(*same, col(AssetAlias.active)))
        )
        question.known_values["Aliases"] = pairs


def _active(question: _Question) -> list[Asset]:
    query = select(Asset).where(or_(*question.conditions), col(Asset.status).not_in(ENDED_STATUSES))
    return list(current_session().scalars(query.order_by(col(Asset.id))))


def _answer(actor: Actor, question: _Question, assets: Sequence[Asset]) -> LookupResult:
    if question.findings:
        message = " ".join(finding.message for finding in question.findings)
        return LookupResult(LookupOutcome.MALFORMED, message, findings=question.findings)
    if not assets:
        return _nothing(actor, question)
    ids = [asset.id for asset in assets]
    visible_ids = set(
        current_session().scalars(select(col(Asset.id)).where(col(Asset.id).in_(ids), visible(Asset, actor)))
    )
    own = [asset for asset in assets if asset.id in visible_ids]
    if not own:
        return LookupResult(
            LookupOutcome.OTHER_PROVIDER,
            "Registered by another provider.",
            ways_on=(
                "If you now manage it, ask for a switch with the owner's consent.",
                "If the registration is wrong, raise a dispute.",
            ),
        )
    first = own[0]
    sharing = f" {len(own) - 1} more of yours share it." if len(own) > 1 else ""
    message = f"Registered already: {first.asset_name}, {STATUS_LABELS[first.status]}.{sharing}"
    ways_on = ("Open it to see or change its details.",)
    return LookupResult(LookupOutcome.MINE, message, first.id, tuple(asset.id for asset in own), ways_on)


def _nothing(actor: Actor, question: _Question) -> LookupResult:
    values, hint = dict(question.known_values), ""
    record = _source_record(actor, values)
    if record is not None:
        values |= _from_record(record, values)
        hint = f" {record.publisher} lists {record.values.get('site_name') or 'a site'} with it; that can be filled in."
    suggested = {term: value for term, value in values.items() if value is not None}
    message = f"No active asset has this {' or '.join(question.by)}.{hint}"
    return LookupResult(
        LookupOutcome.NONE,
        message,
        ways_on=("Register it, with what is known filled in for you.",),
        suggested_values=suggested,
    )


def _source_record(actor: Actor, values: Mapping[str, Any]) -> SourceRecord | None:
    """The public register's record of the site, if a loaded register knows its MPAN or reference."""
    mpan = values.get("ImportMPAN")
    records = find_records(actor, mpan=mpan) if mpan else []
    for pair in values.get("Aliases", ()):
        if not records and pair["scheme"] in ("ECR", "REPD"):
            records = find_records(actor, reference=pair["value"])
    return records[0] if records else None


_TERMS_OF_RECORD = {
    "AssetCategory": "category",
    "RatedCapacity": "registered_kw",
    "GenCapacity": "export_kw",
    "DemandCapacity": "import_kw",
    "FuelType_EnergySource": "energy_source",
    "ConnectionStatus": "connection_status",
    "CommissioningDate": "connected_on",
    "DNOConnection": "dno_code",
    "Postcode": "postcode",
    "Latitude": "latitude",
    "Longitude": "longitude",
}


def _from_record(record: SourceRecord, lookup_values: Mapping[str, Any]) -> dict[str, Any]:
    """The values that a record of a public register suggests; what would break a rule is left for the person to say."""
    values = record.values
    suggestions = {term: values.get(name) for term, name in _TERMS_OF_RECORD.items()}
    rated = _power(suggestions["RatedCapacity"])
    for term in ("GenCapacity", "DemandCapacity"):
        power = _power(suggestions[term])
        if power is None or rated is None or power > rated:
            suggestions[term] = None
    name = "".join(letter for letter in str(values.get("site_name") or "") if letter.isalnum() or letter in " -_/()")
    suggestions["AssetName"] = " ".join(name.split())[:255] or None
    mpan = lookup_values.get("ImportMPAN")
    suggestions |= _mpans(mpan, values.get("import_mpans", ()), values.get("export_mpans", ()))
    return {term: value for term, value in suggestions.items() if value is not None or (term == "ImportMPAN" and mpan)}


def _mpans(mpan: str | None, imports: Sequence[str], exports: Sequence[str]) -> dict[str, Any]:
    """Import and export MPAN: the one that was looked up, and the other one where the record tells it."""
    if mpan is None:
        return {"ImportMPAN": next(iter(imports), None), "ExportMPAN": next(iter(exports), None)}
    if mpan in exports and mpan not in imports:
        return {"ImportMPAN": next(iter(imports), None), "ExportMPAN": mpan}
    return {"ImportMPAN": mpan, "ExportMPAN": next((export for export in exports if export != mpan), None)}


def _power(value: object) -> Decimal | None:
    try:
        return None if value is None else Decimal(str(value))
    except InvalidOperation:
        return None


def _log(actor: Actor, question: _Question, result: LookupResult, assets: Sequence[Asset]) -> None:
    """Keep that somebody asked; tell the provider whose asset was hit, no more than that."""
    log_question(actor, question.by, str(result.outcome), assets[0].id if assets else None)
    if result.outcome is LookupOutcome.OTHER_PROVIDER:
        for asset in assets:
            tell_provider(asset, question.by)
