"""Evidence of the outside sources on the demo's assets, in the form in which the register keeps their answers.

The sandbox (docs/outside-systems.md) says the same when it is asked again; a connection register is asked for real.
"""

import re
from decimal import Decimal
from typing import Any

from pydantic import BaseModel

from models.assets import Asset, CheckOutcome, CheckSource
from models.base import new_id
from services.assets.checks.installation_registry import InstallationRecord, compare_installation
from services.assets.checks.mpan_register import MpanRecord, compare_mpan
from services.assets.checks.outcomes import Answer, agreement, comparison_rows, outcome_of, reason
from services.assets.checks.sources import (
    CERTIFIED,
    SMALL_SCALE_KW,
    ask_connection_register,
    terms_of,
)
from services.core.attributes import CodeLists
from services.core.clock import now
from services.core.comparison import Comparison
from services.core.identity.actor import system_actor
from services.grid.distributors import distributor_by_id
from services.workshop.planned import SANDBOX_DIGITS

SERIAL = re.compile(r"MCS-(?P<technology>[A-Z]+)-(?P<hundredths>\d+)-\w*?(?P<ending>[XN]?)")
TECHNOLOGY = {
    "SPV": "solar-pv",
    "BAT": "battery-storage",
    "ASHP": "air-source-heat-pump",
    "GSHP": "ground-source-heat-pump",
    "EVC": "ev-charger",
}
ODD_ANSWERS: dict[str, dict[str, Any]] = {
    "408": {"gsp_group": "_P"},
    "410": {"status": "disconnected"},
    "411": {"measurement_class": "import"},
    "412": {"measurement_class": "export"},
    "423": {"energised": False},
}
"""Digits 10 to 12 of a sandbox MPAN -> what its record says; 404 is not known."""


def answers(asset: Asset, codes: CodeLists, covered: frozenset[str]) -> dict[CheckSource, Answer]:
    """The answer of each source about an asset; `covered` are the licence areas whose connection register is loaded."""
    return {
        CheckSource.MPAN_REGISTER: _mpan_register(asset, codes),
        CheckSource.INSTALLATION_REGISTRY: _installation_registry(asset, codes),
        CheckSource.CONNECTION_REGISTER: _connection_register(asset, covered),
    }


def as_rows(asset: Asset, answers: dict[CheckSource, Answer]) -> list[dict[str, Any]]:
    """Answers as the columns of the checks in which the register keeps them, completed now."""
    moment = now()
    return [
        {
            "id": new_id(),
            "asset_id": asset.id,
            "asset_version": asset.version,
            "source": source,
            "outcome": answer.outcome,
            "requested_at": moment,
            "completed_at": moment,
            "summary": answer.summary,
            "matched_by": answer.matched_by,
            "source_name": answer.source_name,
            "source_record_id": answer.source_record_id,
            "comparisons": answer.comparisons,
            "evidence": {**answer.evidence, "expected": answer.expected},
        }
        for source, answer in answers.items()
    ]


def _evidence(label: str, records: list[BaseModel], **more: Any) -> dict[str, Any]:
    answers = [record.model_dump(mode="json", exclude_none=True) for record in records]
    return {"source": label, "retrieved_at": now().isoformat(timespec="seconds"), "answers": answers, **more}


def _summary(source: CheckSource, rows: list[dict[str, Any]], summary: str, codes: CodeLists) -> str:
    if outcome_of(rows) is CheckOutcome.DIFFERS:
        odd = [row for row in rows if row["matters"] and row["outcome"] == "differs"]
        return " ".join(reason(source, None, row, codes) for row in odd)
    return f"{summary} {agreement(rows)}"


def mpan_record(mpan: str) -> MpanRecord | None:
    """The answer of the sandbox's MPAN register about an MPAN."""
    odd = ODD_ANSWERS.get(mpan[9:12], {}) if mpan[2:9] == SANDBOX_DIGITS else {}
    if mpan[2:9] == SANDBOX_DIGITS and mpan[9:12] == "404":
        return None
    distributor = distributor_by_id(mpan[:2])
    group = distributor.gsp_group if distributor else None
    usual = {"status": "live", "energised": True, "distributor_id": mpan[:2], "gsp_group": group}
    return MpanRecord.model_validate({"mpan": mpan, **usual, **odd})


def _mpan_register(asset: Asset, codes: CodeLists) -> Answer:
    source, label = CheckSource.MPAN_REGISTER, "MPAN register"
    mpans = [mpan for mpan in (asset.import_mpan, asset.export_mpan) if mpan]
    if not mpans:
        return Answer(CheckOutcome.NOT_APPLICABLE, "Not asked: the asset has no MPAN.")
    records = [record for mpan in mpans if (record := mpan_record(mpan)) is not None]
    if not records:
        summary = f"The MPAN register does not know {' or '.join(mpans)}."
        return Answer(
            CheckOutcome.NOT_FOUND, summary, [], "MPAN", label, None, _evidence(label, [], record=""), expected=True
        )
    terms = terms_of(asset)
    compared: list[Comparison] = []
    for record in records:
        compared += [comparison for comparison in compare_mpan(terms, record) if comparison not in compared]
    rows = comparison_rows(source, compared)
    names = " and ".join(record.mpan for record in records)
    evidence = _evidence(label, list(records), record=", ".join(record.mpan for record in records))
    return Answer(
        outcome_of(rows), _summary(source, rows, f"Knows {names}.", codes), rows, "MPAN", None, None, evidence
    )


def installation_record(serial: str, manufacturer: str) -> InstallationRecord | None:
    """The answer of the sandbox's installation registry about a serial number."""
    match = SERIAL.fullmatch(serial)
    if match is None or match["ending"] == "N":
        return None
    power = Decimal(match["hundredths"]) / 100
    return InstallationRecord(
        certificate=f"CERT-{serial}",
        technology=TECHNOLOGY[match["technology"]],
        manufacturer=manufacturer,
        serial=serial,
        rated_kw=(power * Decimal("1.2") if match["ending"] == "X" else power).quantize(Decimal("0.01")),
    )


def _installation_registry(asset: Asset, codes: CodeLists) -> Answer:
    source, label = CheckSource.INSTALLATION_REGISTRY, "Installation registry"
    small = asset.rated_capacity <= SMALL_SCALE_KW and asset.asset_category in CERTIFIED
    if not (small and asset.serial_number and asset.manufacturer):
        return Answer(
            CheckOutcome.NOT_APPLICABLE,
            "Not asked: it certifies small installations (up to 50 kW), by serial number and manufacturer or by MCS "
            "number.",
        )
    record = installation_record(asset.serial_number, asset.manufacturer)
    by = "certificate" if any(alias["scheme"] == "MCS" for alias in asset.aliases) else "serial number"
    if record is None:
        summary = f"The installation registry does not know the serial number {asset.serial_number}."
        return Answer(CheckOutcome.NOT_FOUND, summary, matched_by=by, evidence=_evidence(label, []))
    rows = comparison_rows(source, compare_installation(terms_of(asset), record))
    answer_words = f"Found by {by}: certificate {record.certificate}."
    evidence = _evidence(label, [record], record=record.certificate)
    return Answer(outcome_of(rows), _summary(source, rows, answer_words, codes), rows, by, None, None, evidence)


def _connection_register(asset: Asset, covered: frozenset[str]) -> Answer:
    """Asked for real where an edition may speak of the asset; elsewhere the answer is known beforehand."""
    if not covered:
        return Answer(CheckOutcome.NOT_APPLICABLE, "Not asked: no connection register is loaded.")
    named = any(alias["scheme"] in ("ECR", "REPD") for alias in asset.aliases)
    if asset.rated_capacity < SMALL_SCALE_KW and not named:
        return Answer(CheckOutcome.NOT_APPLICABLE, "Not asked: connection registers list connections of 50 kW or more.")
    if asset.dno_connection in covered or named:
        return ask_connection_register(system_actor(), asset)
    where = f" for {asset.dno_connection}" if asset.dno_connection else ""
    return Answer(CheckOutcome.NOT_APPLICABLE, f"Not asked: no connection register is loaded{where}.")
