"""The installation registry (UC-02.01): certificates of small-scale installations, set beside what was declared.

The protocol is ours, in the manner of MCS, and is described in docs/outside-systems.md: ``GET
/v1/installations/{certificate}`` and ``GET /v1/installations?serial=&manufacturer=``, X-Api-Key, signed on request.
"""

import re
from collections.abc import Mapping
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any, Protocol

from pydantic import BaseModel, ConfigDict, SecretStr

from services.core.comparison import Comparison, compare, stated
from services.core.http_client import OutsideClient, Patience
from services.grid.outcodes import outcode_of

SOURCE = "The installation registry"
CERTIFICATE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{2,99}")
TOLERANCE = Decimal("0.01")
"""Rated power within 1 % agrees: certificates round 3.68 kW to 3.7."""

# What the registry's technologies may be called in AssetCategory; one that is not listed contradicts nobody.
TECHNOLOGIES: dict[str, tuple[str, ...]] = {
    "solar-pv": ("SOLAR_PV",),
    "battery-storage": ("BESS",),
    "air-source-heat-pump": ("HEAT_PUMP", "HVAC"),
    "ground-source-heat-pump": ("HEAT_PUMP", "HVAC"),
    "wind-turbine": ("WIND_TURBINE",),
    "micro-chp": ("CHP",),
    "ev-charger": ("EV_CHARGER",),
}


class InstallationRecord(BaseModel):
    """Certificate of one installation. `rated_kw` is in kW; a field that is None is not stated."""

    model_config = ConfigDict(frozen=True)

    certificate: str
    technology: str
    manufacturer: str | None = None
    model: str | None = None
    serial: str | None = None
    rated_kw: Decimal | None = None
    commissioned_on: date | None = None
    postcode_outcode: str | None = None


class _Listing(BaseModel):
    items: list[InstallationRecord]


class InstallationRegistry(Protocol):
    """Whatever can say what is certified under a certificate number or a serial number.

    Both raise OutsideUnavailable or OutsideRefused, and answer None only if the registry says there is none.
    """

    def by_certificate(self, certificate: str) -> InstallationRecord | None:
        """The installation of a certificate number (the asset's MCS alias)."""
        ...

    def by_serial(self, serial: str, manufacturer: str) -> InstallationRecord | None:
        """The installation of a device; the newest certificate, where the device was installed more than once."""
        ...


class HttpInstallationRegistry:
    """The installation registry, or its sandbox, over HTTP."""

    def __init__(
        self,
        base_url: str,
        key: SecretStr,
        *,
        signing_key: SecretStr | None = None,
        patience: Patience | None = None,
    ) -> None:
        self._client = OutsideClient(
            "Installation registry", base_url, api_key=key, signing_key=signing_key, patience=patience
        )

    def by_certificate(self, certificate: str) -> InstallationRecord | None:
        """See InstallationRegistry. What can't be a certificate number is not asked about: None."""
        if not CERTIFICATE.fullmatch(certificate):
            return None
        path = f"/v1/installations/{certificate}"
        record = self._client.get(path, InstallationRecord, unknown="installation-not-found")
        if record is not None and record.certificate != certificate:
            raise self._client.mismatch("certificate")
        return record

    def by_serial(self, serial: str, manufacturer: str) -> InstallationRecord | None:
        """See InstallationRegistry."""
        params = {"serial": serial, "manufacturer": manufacturer}
        listing = self._client.get("/v1/installations", _Listing, unknown="installation-not-found", params=params)
        if listing is None or not listing.items:
            return None
        if any(_key(item.serial) != _key(serial) for item in listing.items):
            raise self._client.mismatch("device")
        return max(listing.items, key=lambda item: item.commissioned_on or date.min)

    def close(self) -> None:
        """Close the connections."""
        self._client.close()


def compare_installation(asset: Mapping[str, Any], record: InstallationRecord) -> list[Comparison]:
    """The declared asset (keyed by ontology terms) beside the certificate, field by field."""
    category, rated = stated(asset.get("AssetCategory")), stated(asset.get("RatedCapacity"))
    possible = TECHNOLOGIES.get(record.technology)
    certified_category = " or ".join(possible) if possible else None
    certified_kw = f"{record.rated_kw:.2f}" if record.rated_kw is not None else None
    commissioned = record.commissioned_on.isoformat() if record.commissioned_on else None
    declared_date = stated(asset.get("CommissioningDate"))
    outcode = outcode_of(stated(asset.get("Postcode")) or "")
    certified_outcode = (stated(record.postcode_outcode) or "").upper() or None
    texts = (
        ("Manufacturer", "manufacturer", record.manufacturer),
        ("AssetModel", "model", record.model),
        ("SerialNumber", "serial number", record.serial),
    )
    return [
        compare("AssetCategory", "category", category, certified_category, category in (possible or ()), SOURCE),
        *(_text(asset, term, label, text) for term, label, text in texts),
        compare("RatedCapacity", "rated power in kW", rated, certified_kw, _same_power(rated, record.rated_kw), SOURCE),
        compare(
            "CommissioningDate",
            "commissioning date",
            declared_date,
            commissioned,
            declared_date == commissioned,
            SOURCE,
        ),
        compare("Postcode", "outward postcode", outcode, certified_outcode, outcode == certified_outcode, SOURCE),
    ]


def _text(asset: Mapping[str, Any], term: str, label: str, text: str | None) -> Comparison:
    declared = stated(asset.get(term))
    return compare(term, label, declared, stated(text), _key(declared) == _key(text), SOURCE)


def _key(text: str | None) -> str:
    return " ".join((text or "").casefold().split())


def _same_power(declared: str | None, certified: Decimal | None) -> bool:
    if declared is None or certified is None:
        return False
    try:
        value = Decimal(declared)
    except InvalidOperation:
        return False
    return abs(value - certified) <= TOLERANCE * max(abs(value), abs(certified))
