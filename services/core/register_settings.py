"""The register's own numbers: audited settings that an administrator changes in the portal, with their defaults.

Every number marked *setting* in the use cases is declared here, once.
"""

from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from uuid import UUID

from sqlalchemy import String, bindparam, select
from sqlmodel import col

from models.base import new_id
from models.core import Setting
from services.core.errors import Conflict, Finding, Invalid, NotFound
from services.core.identity.actor import Actor
from services.core.operation import operation
from services.core.transaction import LIVE_SINCE, current_session

REGISTER_ID = "register.id"
MADE_UP_PAST = "demo.past"
"""The numbers of the demo's ledger entries, ``first-last``, which bear dates of a made-up past."""


@dataclass(frozen=True, slots=True)
class SettingKind:
    """One setting: its key, default, unit, bounds, and what it does."""

    key: str
    default: Decimal
    unit: str
    minimum: Decimal
    maximum: Decimal
    use_case: str
    meaning: str

    @property
    def decimals(self) -> int:
        """Decimals that the value may have: shares and powers two, what is counted none."""
        return 2 if self.unit in ("%", "kW") else 0


def _kind(key: str, default: str, unit: str, minimum: str, maximum: str, use_case: str, meaning: str) -> SettingKind:
    return SettingKind(key, Decimal(default), unit, Decimal(minimum), Decimal(maximum), use_case, meaning)


CATALOGUE: dict[str, SettingKind] = {
    kind.key: kind
    for kind in (
        _kind(
            "asset.pending_notice_days",
            "5",
            "working days",
            "1",
            "60",
            "UC-02.01",
            "An asset still Pending Validation after so long raises a notification.",
        ),
        _kind(
            "asset.query_answer_days",
            "20",
            "working days",
            "1",
            "120",
            "UC-02.01",
            "A Query unanswered for so long becomes Suspended - Query Unanswered.",
        ),
        _kind(
            "asset.material_change_percent",
            "10",
            "%",
            "0",
            "100",
            "UC-02.03",
            "A capacity that moves by more than this is a material change.",
        ),
        _kind(
            "asset.large_capacity_kw",
            "1000000",
            "kW",
            "1",
            "10000000",
            "UC-02.01",
            "A rated capacity over this needs a justification.",
        ),
        _kind(
            "asset.lookups_per_hour",
            "120",
            "look-ups",
            "1",
            "100000",
            "UC-02.01",
            "How often one organisation may look assets up in an hour, or be told otherwise that one is registered elsewhere.",
        ),
        _kind(
            "asset.attachment_max_mb",
            "20",
            "MB",
            "1",
            "50",
            "UC-02.01",
            "A file attached to a message may be this large.",
        ),
        _kind(
            "bulk.keep_days",
            "90",
            "days",
            "1",
            "3650",
            "UC-02.01",
            "How long a bulk job, its file and its results are kept, and the file of a large export.",
        ),
        _kind(
            "export.direct_rows",
            "50000",
            "assets",
            "1",
            "1000000",
            "UC-02.04",
            "An export of more assets than this is made by the worker, as a job; smaller ones are made at once.",
        ),
        _kind(
            "source.position_tolerance_m",
            "1000",
            "m",
            "10",
            "20000",
            "UC-02.01",
            "A position within this distance of the connection register's agrees with it.",
        ),
        _kind(
            "qualification.sla_days",
            "20",
            "working days",
            "1",
            "250",
            "UC-04.02",
            "An SO decides on an application within so long; the clock stands still while information is requested.",
        ),
        _kind(
            "qualification.soon_days",
            "5",
            "working days",
            "0",
            "60",
            "UC-04.02",
            "With so few days left on its clock, an application is shown as due soon.",
        ),
        _kind(
            "qualification.notice_first_days",
            "60",
            "days",
            "1",
            "730",
            "UC-04.02",
            "The first notice of a qualification's end comes so long before it.",
        ),
        _kind(
            "qualification.notice_second_days",
            "30",
            "days",
            "1",
            "730",
            "UC-04.02",
            "The second notice of a qualification's end comes so long before it.",
        ),
        _kind(
            "qualification.notice_last_days",
            "7",
            "days",
            "1",
            "730",
            "UC-04.02",
            "The last notice of a qualification's end comes so long before it.",
        ),
    )
}


@dataclass(frozen=True, slots=True)
class SettingValue:
    """A setting as it stands: its kind, value, and the version to name when changing it (0: still the default)."""

    kind: SettingKind
    value: Decimal
    version: int


_VALUE = select(col(Setting.value)).where(col(Setting.key) == bindparam("key", type_=String()))


def setting(key: str) -> Decimal:
    """The value in force of one setting, inside an operation. Counts come as whole numbers: wrap them in int()."""
    stored = current_session().scalar(_VALUE, {"key": key})
    return CATALOGUE[key].default if stored is None else Decimal(stored)


@operation("UC-02.01", permission="setting.read", writes=False, name="read_settings")
def read_settings(actor: Actor) -> list[SettingValue]:
    """All settings with the values in force."""
    stored = {row.key: row for row in current_session().scalars(select(Setting))}
    return [
        SettingValue(kind, Decimal(stored[key].value), stored[key].version)
        if key in stored
        else SettingValue(kind, kind.default, 0)
        for key, kind in CATALOGUE.items()
    ]


@operation("UC-02.01", permission="setting.change", name="change_setting")
def change_setting(actor: Actor, key: str, value: str, version: int) -> Setting:
    """Change one setting; `version` is the one that was read. Raises Invalid outside its bounds, Conflict when stale."""
    kind = CATALOGUE.get(key)
    if kind is None:
        raise NotFound("setting", key)
    expected = f"a {'whole ' if not kind.decimals else ''}number from {kind.minimum} to {kind.maximum} {kind.unit}"
    try:
        number = Decimal(value.strip())
    except InvalidOperation:
        number = Decimal("NaN")
    if not number.is_finite() or not kind.minimum <= number <= kind.maximum or number != round(number, kind.decimals):
        raise Invalid([Finding("SETTING-01", key, value, expected, f"“{value}” is not {expected}.")])
    session = current_session()
    stored = session.scalar(select(Setting).where(col(Setting.key) == key).with_for_update())
    if stored is None:
        stored = Setting(key=key, value=str(kind.default))
        session.add(stored)
    elif stored.version != version:
        raise Conflict(
            "Somebody else changed this setting.", {"key": key, "value": stored.value, "version": stored.version}
        )
    stored.value = format(number.normalize(), "f")
    return stored


def register_id() -> str:
    """The identifier of this register, made with its first data: anchors of another register are none of ours."""
    return current_session().scalar(select(col(Setting.value)).where(col(Setting.key) == REGISTER_ID)) or ""


def live_since() -> str | None:
    """When the register became live, as ISO 8601; None for one that never was. Inside an operation."""
    return current_session().scalar(select(col(Setting.value)).where(col(Setting.key) == LIVE_SINCE))


def declare(key: str, value: str) -> None:
    """Write a setting that the register gives itself, once; inside an operation that writes."""
    current_session().add(Setting(key=key, value=value))


def give_register_id() -> UUID:
    """Give a new register its identifier; inside the operation that lays down the first data."""
    identifier = new_id()
    current_session().add(Setting(key=REGISTER_ID, value=str(identifier)))
    return identifier
