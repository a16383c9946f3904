"""The same file through django-import-export: bulk mode, every row checked by its model, no ledger, no events.

    python import_export_peer.py FOLDER FILE

run by an environment of its own (`environment.py`), prints one line of JSON: seconds of processor time and of the clock,
most memory (MB), rows stored and refused. Settings are the quickest that still check rows: no look-up of an existing
record per row, no differences, no instances kept, batches of 1,000, one transaction, SQLite as our register has it.

What it is spared: ledger, events, counts for the map, positions to cells, warnings, duplicates by meter, aliases that must be
unique, three of our indexes, and keys that aren't numbers.
"""
# This file is run by another interpreter: what it imports isn't installed where our own checks run.
# pyright: reportMissingImports=false, reportMissingModuleSource=false

import json
import resource
import sys
import time
from collections.abc import Mapping
from datetime import date
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

import django
from django.conf import settings

folder, file = Path(sys.argv[1]), Path(sys.argv[2])
settings.configure(
    INSTALLED_APPS=["import_export"],
    DATABASES={
        "default": {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": folder / "peer.sqlite",
            "OPTIONS": {
                "transaction_mode": "IMMEDIATE",
                "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
            },
        }
    },
    USE_TZ=True,
    USE_I18N=False,
    DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
)
django.setup()

import tablib  # noqa: E402 - Django has to be told its settings before its models are defined
from django.core.exceptions import ValidationError  # noqa: E402
from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator  # noqa: E402
from django.db import connection, models  # noqa: E402
from django.utils import timezone  # noqa: E402
from import_export import resources, widgets  # noqa: E402

WEIGHTS = (3, 5, 7, 13, 17, 19, 23, 29, 31, 37, 41, 43)
DISTRIBUTORS = {
    "10": "UKPN_EPN", "11": "NGED_EMID", "12": "UKPN_LPN", "13": "SPEN_SPM", "14": "NGED_WMID", "15": "NPG_NE",
    "16": "ENWL", "17": "SSEN_SHEPD", "18": "SPEN_SPD", "19": "UKPN_SPN", "20": "SSEN_SEPD", "21": "NGED_WALES",
    "22": "NGED_SWEST", "23": "NPG_YK",
}  # fmt: skip
NEEDS = {
    "BESS": ("fuel_type_energy_source",),
    "SOLAR_PV": ("fuel_type_energy_source", "export_mpan"),
    "WIND_TURBINE": ("fuel_type_energy_source", "export_mpan"),
    "CHP": ("fuel_type_energy_source", "export_mpan"),
    "EV_CHARGER": ("fuel_type_demand_tech_type", "import_mpan"),
    "HEAT_PUMP": ("fuel_type_demand_tech_type", "import_mpan"),
    "HVAC": ("fuel_type_demand_tech_type", "import_mpan"),
    "REFRIGERATION": ("fuel_type_demand_tech_type", "import_mpan"),
    "ELECTRIC_BOILER": ("fuel_type_demand_tech_type", "import_mpan"),
    "INDUSTRIAL_LOAD": ("fuel_type_demand_tech_type", "import_mpan"),
    "OTHER": (),
}
PROVIDER = 1


def check_mpan(value: str) -> None:
    """13 digits of which the last is the check digit."""
    if len(value) != 13 or not value.isdigit():
        raise ValidationError("An MPAN has 13 digits.")
    total = sum(int(digit) * weight for digit, weight in zip(value, WEIGHTS, strict=False))
    if total % 11 % 10 != int(value[12]):
        raise ValidationError("The check digit of the MPAN is wrong.")


def _codes(*codes: str) -> list[tuple[str, str]]:
    return [(code, code) for code in codes]


def _code(*codes: str, optional: bool = False) -> models.CharField:
    return models.CharField(max_length=40, choices=_codes(*codes), blank=optional, null=optional)


def _text(length: int, pattern: str | None = None, *, optional: bool = True) -> models.CharField:
    checks = [RegexValidator(pattern)] if pattern else []
    return models.CharField(max_length=length, blank=optional, null=optional, validators=checks)


def _kilowatts(least: float, *, optional: bool = True) -> models.DecimalField:
    return models.DecimalField(
        max_digits=14, decimal_places=2, blank=optional, null=optional, validators=[MinValueValidator(least)]
    )


def _degrees(least: float, most: float) -> models.FloatField:
    return models.FloatField(blank=True, null=True, validators=[MinValueValidator(least), MaxValueValidator(most)])


def _number(least: float, most: float) -> models.FloatField:
    return _degrees(least, most)


class Asset(models.Model):
    """The columns of the file, with rules like those of the register, and its indexes."""

    status = models.CharField(max_length=40, default="PENDING_VALIDATION")
    status_since = models.DateTimeField(default=timezone.now)
    service_provider = models.BigIntegerField(default=PROVIDER)
    asset_name = _text(255, r"^[A-Za-z0-9 \-_/()]+$", optional=False)
    friendly_code = _text(40)
    asset_category = _code(*NEEDS)
    rated_capacity = _kilowatts(0.01, optional=False)
    gen_capacity = _kilowatts(0)
    demand_capacity = _kilowatts(0)
    installed_capacity = _kilowatts(0)
    effective_date = models.DateField()
    commissioning_date = models.DateField(blank=True, null=True)
    fuel_type_energy_source = _code(
        "SOLAR",
        "WIND",
        "HYDRO",
        "BIOMASS",
        "BIOGAS",
        "NATURAL_GAS",
        "DIESEL",
        "HYDROGEN",
        "GRID",
        "OTHER",
        optional=True,
    )
    fuel_type_demand_tech_type = _code(
        "EV", "HEAT_PUMP", "HVAC", "REFRIGERATION", "ELECTRIC_BOILER", "INDUSTRIAL_LOAD", "OTHER", optional=True
    )
    manufacturer = _text(255)
    asset_model = _text(100)
    serial_number = _text(64, r"^[A-Za-z0-9_-]{3,64}$")
    connection_status = _code("CONNECTED", "PENDING", "DISCONNECTED")
    connection_type = _code("FIRM", "NON_FIRM", "DYNAMIC")
    dno_connection = _code(*DISTRIBUTORS.values(), optional=True)
    import_mpan = models.CharField(max_length=13, blank=True, null=True, validators=[check_mpan])
    export_mpan = models.CharField(max_length=13, blank=True, null=True, validators=[check_mpan])
    latitude = _degrees(49.8, 61.0)
    longitude = _degrees(-8.7, 1.9)
    postcode = _text(10, r"^[A-Z]{1,2}[0-9][A-Z0-9]? ?[0-9][ABD-HJLNP-UW-Z]{2}$")
    aliases = _text(200, r"^(ECR|EVSE|MCS|BMU|REPD|OEM):.{1,100}$")
    storage_capacity_kwh = _number(0.001, 100_000_000)
    peak_power_kwp = _number(0.001, 10_000_000)
    turbine_count = models.IntegerField(blank=True, null=True, validators=[MinValueValidator(1)])
    charger_count = models.IntegerField(blank=True, null=True, validators=[MinValueValidator(1)])
    thermal_output_kw = _number(0.001, 100_000)

    class Meta:
        """Table, the two things that stand once, and the indexes of the register's lists and map."""

        app_label = "peer"
        constraints = (
            models.UniqueConstraint(fields=["serial_number", "manufacturer"], name="serial_once"),
            models.UniqueConstraint(fields=["service_provider", "friendly_code"], name="friendly_code_once"),
        )
        indexes = tuple(
            models.Index(fields=fields, name=f"index_{number}")
            for number, fields in enumerate(
                (
                    ["service_provider", "id"],
                    ["dno_connection", "id"],
                    ["status", "id", "dno_connection", "asset_category"],
                    ["asset_category", "id", "dno_connection", "status"],
                    ["id", "dno_connection", "status", "asset_category"],
                    ["asset_name", "id", "dno_connection", "status", "asset_category"],
                    ["rated_capacity", "id", "dno_connection", "status", "asset_category"],
                    ["status_since", "id", "dno_connection", "status", "asset_category"],
                    ["status", "status_since", "id", "dno_connection", "asset_category"],
                    ["latitude", "longitude", "status", "asset_category", "rated_capacity", "dno_connection"],
                    ["import_mpan"],
                    ["export_mpan"],
                    ["serial_number"],
                    ["service_provider", "friendly_code"],
                )
            )
        )

    def clean(self) -> None:
        """Rules between values."""
        wrong = {name: "Needed here." for name in NEEDS.get(self.asset_category, ()) if not getattr(self, name)}
        today = date.today()  # noqa: DTZ011 - as a Django project would; it is compared with days only
        if isinstance(self.effective_date, date) and self.effective_date < today:
            wrong["effective_date"] = "In the past."
        if self.connection_status == "CONNECTED" and not self.commissioning_date:
            wrong["commissioning_date"] = "Needed when connected."
        if self.commissioning_date and self.commissioning_date > today:
            wrong["commissioning_date"] = "In the future."
        if self.asset_category == "BESS" and not (self.import_mpan or self.export_mpan):
            wrong["import_mpan"] = "One of both is needed."
        if self.import_mpan and self.import_mpan == self.export_mpan:
            wrong["export_mpan"] = "Both are the same."
        if (self.import_mpan or self.export_mpan) and not self.dno_connection:
            wrong["dno_connection"] = "Needed with an MPAN."
        self._capacities(wrong)
        self._areas(wrong)
        if wrong:
            raise ValidationError(wrong)

    def _capacities(self, wrong: dict[str, str]) -> None:
        rated, most = self.rated_capacity, max(self.gen_capacity or 0, self.demand_capacity or 0)
        if rated is not None and most > rated:
            wrong["rated_capacity"] = "Less than generation or demand."
        if self.installed_capacity is not None and self.installed_capacity < most:
            wrong["installed_capacity"] = "Less than generation or demand."

    def _areas(self, wrong: dict[str, str]) -> None:
        for name in ("import_mpan", "export_mpan"):
            mpan = getattr(self, name)
            if mpan and self.dno_connection and DISTRIBUTORS.get(mpan[:2]) != self.dno_connection:
                wrong[name] = "Of another licence area."


class NumberWidget(widgets.DecimalWidget):
    """What is no number refuses its row, as any other fault does; the package's own widget would end the whole import."""

    def clean(self, value: object, row: Mapping[str, Any] | None = None, **kwargs: Any) -> Decimal | None:
        """The number in a cell. Raises ValueError."""
        try:
            return super().clean(value, row, **kwargs)
        except InvalidOperation:
            raise ValueError("Not a number.") from None


class AssetResource(resources.ModelResource):
    """How a file becomes assets."""

    WIDGETS_MAP = resources.ModelResource.WIDGETS_MAP | {"DecimalField": NumberWidget}

    class Meta:
        """The quickest settings that still check every row."""

        model = Asset
        exclude = ("id", "status", "status_since", "service_provider")
        use_bulk = True
        batch_size = 1000
        clean_model_instances = True
        force_init_instance = True
        skip_diff = True
        skip_html_diff = True
        report_skipped = False
        use_transactions = True

    def before_import(self, dataset: tablib.Dataset, **_kwargs: object) -> None:
        """Headings as the model's attributes."""
        names = {field.name.replace("_", "").lower(): field.name for field in Asset._meta.get_fields()}
        dataset.headers = [names[heading.replace("_", "").lower()] for heading in dataset.headers]


def run() -> dict[str, float]:
    """Read, validate, store; what it took."""
    with connection.schema_editor() as editor:
        editor.create_model(Asset)
    wall, cpu = time.perf_counter(), time.process_time()
    with file.open(encoding="utf-8", newline="") as lines:
        dataset = tablib.Dataset().load(lines, format="csv")
    result = AssetResource().import_data(dataset, dry_run=False, raise_errors=False)
    cpu_s, wall_s = time.process_time() - cpu, time.perf_counter() - wall
    if result.has_errors():
        errors = [*result.base_errors, *(error for _number, found in result.row_errors() for error in found)]
        raise SystemExit("\n".join(repr(error.error) for error in errors[:5]))
    stored = Asset.objects.count()
    return {
        "cpu_s": cpu_s,
        "wall_s": wall_s,
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "registered": stored,
        "refused": len(result.invalid_rows),
    }


if __name__ == "__main__":
    print(json.dumps(run()))
