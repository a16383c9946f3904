"""The MPAN register (UC-02.01): what is on file for an accounting point, set beside what was declared of the asset.

The protocol is ours and is described in docs/outside-systems.md: ``GET /v1/mpans/{mpan}``, X-Api-Key, signed on request.
"""

import re
from collections.abc import Mapping
from typing import Any, Literal, Protocol

from pydantic import BaseModel, ConfigDict, SecretStr

from services.core.comparison import Comparison, ComparisonOutcome, compare, stated
from services.core.http_client import OutsideClient, Patience
from services.grid.distributors import distributor_by_id
from services.grid.outcodes import outcode_of

SOURCE = "The MPAN register"
MPAN = re.compile(r"[0-9]{13}")


class MpanRecord(BaseModel):
    """Register record of one MPAN. A field that is None is not stated, which is neither a pass nor a fail."""

    model_config = ConfigDict(frozen=True)

    mpan: str
    status: Literal["live", "disconnected", "new"]
    energised: bool
    distributor_id: str
    gsp_group: str | None = None
    measurement_class: Literal["import", "export"] | None = None
    postcode_outcode: str | None = None
    profile_class: str | None = None
    related_mpan: str | None = None


class MpanRegister(Protocol):
    """Whatever can say what is on file for an MPAN."""

    def find(self, mpan: str) -> MpanRecord | None:
        """The record, or None if the register says there is none; raises OutsideUnavailable or OutsideRefused."""
        ...


class HttpMpanRegister:
    """The MPAN register, or its sandbox, over HTTP."""

    def __init__(
        self,
        base_url: str,
        key: SecretStr,
        *,
        signing_key: SecretStr | None = None,
        patience: Patience | None = None,
    ) -> None:
        self._client = OutsideClient("MPAN register", base_url, api_key=key, signing_key=signing_key, patience=patience)

    def find(self, mpan: str) -> MpanRecord | None:
        """See MpanRegister. Anything but 13 digits is not asked about: None."""
        if not MPAN.fullmatch(mpan):
            return None
        record = self._client.get(f"/v1/mpans/{mpan}", MpanRecord, unknown="mpan-not-found")
        if record is not None and record.mpan != mpan:
            raise self._client.mismatch("MPAN")
        return record

    def close(self) -> None:
        """Close the connections."""
        self._client.close()


def compare_mpan(asset: Mapping[str, Any], record: MpanRecord) -> list[Comparison]:
    """The declared asset (keyed by ontology terms) beside the register's record of one of its MPANs.

    DNOConnection names the licence area, which the MPAN of an independent network doesn't tell: not stated.
    """
    distributor = distributor_by_id(record.distributor_id)
    code = distributor.code if distributor and not distributor.is_idno else None
    group, connection = (stated(asset.get(term)) for term in ("GspGroup", "DNOConnection"))
    outcode = outcode_of(stated(asset.get("Postcode")) or "")
    compared = [
        _direction(asset, record),
        _connection(stated(asset.get("ConnectionStatus")), record),
        compare("GspGroup", "GSP group", group, stated(record.gsp_group), group == record.gsp_group, SOURCE),
        compare("DNOConnection", "distributor", connection, code, connection == code, SOURCE),
    ]
    recorded_outcode = (stated(record.postcode_outcode) or "").upper() or None
    return [
        *compared,
        compare("Postcode", "outward postcode", outcode, recorded_outcode, outcode == recorded_outcode, SOURCE),
    ]


def _direction(asset: Mapping[str, Any], record: MpanRecord) -> Comparison:
    """Compare the direction of the MPAN with the field that it was declared in."""
    terms = [term for term in ("ImportMPAN", "ExportMPAN") if stated(asset.get(term)) == record.mpan]
    field = terms[0] if terms else "ImportMPAN"
    declared = {"ImportMPAN": "import", "ExportMPAN": "export"}[field] if len(terms) == 1 else None
    recorded = record.measurement_class
    if recorded is None:
        message = f"{SOURCE} knows {record.mpan} and does not state whether it measures import or export."
        return Comparison(field, declared, None, ComparisonOutcome.NOT_STATED, message)
    if declared == recorded:
        return Comparison(
            field, declared, recorded, ComparisonOutcome.AGREES, f"{SOURCE} knows {record.mpan} as {recorded}."
        )
    if declared is None:
        message = f"{SOURCE} knows {record.mpan} as {recorded}; the asset doesn't give it in one direction."
        return Comparison(field, None, recorded, ComparisonOutcome.NOT_STATED, message)
    message = f"{SOURCE} knows {record.mpan} as {recorded}; it was given as the {declared} MPAN."
    return Comparison(field, declared, recorded, ComparisonOutcome.DIFFERS, message)


def _connection(declared: str | None, record: MpanRecord) -> Comparison:
    """ConnectionStatus beside status and energisation of the accounting point.

    A point that is live contradicts a connected asset never, and a pending or disconnected one neither: other devices
    may be running behind the same meter.
    """
    in_use = record.status == "live" and record.energised
    recorded = record.status if record.status != "live" or record.energised else "live, not energised"
    statement = f"{SOURCE} states that the accounting point is {recorded}"
    if declared == "CONNECTED":
        outcome = ComparisonOutcome.AGREES if in_use else ComparisonOutcome.DIFFERS
    elif declared in ("DISCONNECTED", "PENDING") and not in_use:
        contradicts = declared == "PENDING" and record.status == "disconnected"
        outcome = ComparisonOutcome.DIFFERS if contradicts else ComparisonOutcome.AGREES
    else:
        outcome = ComparisonOutcome.NOT_STATED
    sentence = {
        ComparisonOutcome.AGREES: f"{statement}, as declared.",
        ComparisonOutcome.DIFFERS: f"{statement}; the asset is declared as {declared}.",
        ComparisonOutcome.NOT_STATED: f"{statement}, which says nothing about an asset declared as {declared or 'unknown'}.",
    }
    return Comparison("ConnectionStatus", declared, recorded, outcome, sentence[outcome])
