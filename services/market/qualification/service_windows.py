"""Service windows (UC-03.04): periods in which the SO counts on a qualified unit; until they end, the unit can't leave."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import select
from sqlmodel import col

from models.events import EventType
from models.participants import Organisation
from models.qualifications import Qualification, QualificationStatus
from models.service_windows import ServiceWindow
from models.units import MarketUnit
from services.core.clock import in_london, now, show_date, show_period
from services.core.errors import Blocker, Conflict, Finding, Invalid, Refused
from services.core.identity.actor import Actor
from services.core.identity.visibility import reach, see, visible
from services.core.operation import operation
from services.core.transaction import current_session
from services.market.qualification.lifecycle import emit_for_qualification
from services.market.qualification.reason_codes import clean_text, require_words

ASSESS = "qualification.assess"
COUNTED_ON = (QualificationStatus.QUALIFIED, QualificationStatus.REASSESSMENT_REQUIRED)
"""Statuses with an approval that isn't suspended."""
MAX_LENGTH = timedelta(days=366)
LONGEST_NOTE = 1000


@operation("UC-03.04", permission=ASSESS, name="confirm_window")
def confirm_window(
    actor: Actor, qualification_id: UUID, starts_at: datetime, ends_at: datetime, note: str = ""
) -> ServiceWindow:
    """Confirm that a unit delivers from one moment (included) to another (not included), both with their time zone.

    Raises Refused unless an approval stands, Invalid with every finding: a window lies ahead, is at most a year long, within
    the validity, and overlaps no other of this qualification.
    """
    # The unit first: de-registration locks it too, so that the two can't miss each other.
    unit_id = see(Qualification, actor, qualification_id).unit_id
    current_session().get_one(MarketUnit, unit_id, with_for_update=True)
    qualification = reach(Qualification, actor, qualification_id, ASSESS)
    if qualification.status not in COUNTED_ON:
        raise Refused("Only what is qualified is counted on: qualify the unit, or lift its suspension, first.")
    words = clean_text(note)
    findings = _check_window(qualification, starts_at, ends_at)
    if len(words) > LONGEST_NOTE:
        expected = f"at most {LONGEST_NOTE:,} characters"
        findings.append(Finding("WINDOW-05", "Note", None, expected, f"A note has {expected}."))
    if findings:
        raise Invalid(findings)
    window = ServiceWindow(
        qualification_id=qualification.id,
        unit_id=qualification.unit_id,
        starts_at=starts_at,
        ends_at=ends_at,
        note=words or None,
        confirmed_at=now(),
        confirmed_by_name=actor.name[:200],
    )
    current_session().add(window)
    current_session().flush()
    emit_for_qualification(EventType.QUALIFICATION_WINDOW_CONFIRMED, qualification, _event_payload(window))
    return window


def _check_window(qualification: Qualification, starts_at: datetime, ends_at: datetime) -> list[Finding]:
    value = f"{starts_at.isoformat()} to {ends_at.isoformat()}"
    if starts_at.tzinfo is None or ends_at.tzinfo is None:
        words = "Give both moments with their time zone."
        return [Finding("WINDOW-01", "StartsAt", value, "Moments with a time zone", words)]
    if not now() < ends_at or not starts_at < ends_at <= starts_at + MAX_LENGTH:
        words = "A window ends after it starts, after now, and is at most a year long."
        return [Finding("WINDOW-02", "EndsAt", value, "An end ahead, after the start, within a year", words)]
    findings: list[Finding] = []
    begin, end = qualification.valid_from, qualification.valid_until
    days = in_london(starts_at).date(), in_london(ends_at - timedelta(microseconds=1)).date()
    if begin is None or end is None or not begin <= days[0] <= days[1] <= end:
        expected = f"Days from {show_date(begin)} to {show_date(end)}, while it is valid"
        words = "The unit is counted on only while it is qualified. Choose days within the validity, or renew it first."
        findings.append(Finding("WINDOW-03", "StartsAt", value, expected, words))
    if overlapping := _find_overlapping(qualification.id, starts_at, ends_at):
        words = f"A window is confirmed already {_show_period(overlapping)}. Call that one off first, or choose another time."
        findings.append(Finding("WINDOW-04", "StartsAt", value, "A time without a confirmed window", words))
    return findings


def _load_confirmed(*conditions: object) -> Sequence[ServiceWindow]:
    query = select(ServiceWindow).where(col(ServiceWindow.called_off_at).is_(None), *conditions)  # pyright: ignore
    return current_session().scalars(query.order_by(col(ServiceWindow.starts_at), col(ServiceWindow.id))).all()


def _find_overlapping(qualification_id: UUID, starts_at: datetime, ends_at: datetime) -> ServiceWindow | None:
    windows = _load_confirmed(
        col(ServiceWindow.qualification_id) == qualification_id,
        col(ServiceWindow.starts_at) < ends_at,
        col(ServiceWindow.ends_at) > starts_at,
    )
    return windows[0] if windows else None


@operation("UC-03.04", permission=ASSESS, name="call_off_window")
def call_off_window(actor: Actor, window_id: UUID, reason: str, version: int) -> ServiceWindow:
    """Call a window off before it is over: the unit isn't counted on any more.

    Raises NotFound where it isn't the actor's to call off, Conflict when stale, Invalid without a reason, Refused when it is
    over or called off already.
    """
    window = see(ServiceWindow, actor, window_id)
    qualification = reach(Qualification, actor, window.qualification_id, ASSESS)
    if window.version != version:
        message = "Somebody else changed this window since you opened it. Look at it as it stands, then do yours again."
        raise Conflict(message, {"ServiceWindowId": str(window.id), "Version": window.version})
    if window.called_off_at is not None or window.ends_at <= now():
        raise Refused(f"The window is {'called off' if window.called_off_at else 'over'} already.")
    window.called_off_reason = require_words("Reason", reason)[:LONGEST_NOTE]
    window.called_off_at = now()
    current_session().flush()
    emit_for_qualification(EventType.QUALIFICATION_WINDOW_CALLED_OFF, qualification, _event_payload(window))
    return window


@operation("UC-03.04", permission="qualification.read", writes=False, name="windows_of")
def windows_of(actor: Actor, qualification_id: UUID) -> list[ServiceWindow]:
    """List the windows of an application, latest first, with those called off. Raises NotFound when it is unseen."""
    see(Qualification, actor, qualification_id)
    query = select(ServiceWindow).where(
        col(ServiceWindow.qualification_id) == qualification_id, visible(ServiceWindow, actor)
    )
    order = (col(ServiceWindow.starts_at).desc(), col(ServiceWindow.id).desc())
    return list(current_session().scalars(query.order_by(*order)))


def list_window_remarks(qualification_id: UUID, begin: datetime, end: datetime) -> list[str]:
    """List the confirmed windows between two moments, in words; the caller has checked that the actor sees the application."""
    windows = _load_confirmed(
        col(ServiceWindow.qualification_id) == qualification_id,
        col(ServiceWindow.starts_at) < end,
        col(ServiceWindow.ends_at) > begin,
    )
    return [f"The system operator counts on the unit {_show_period(window)}." for window in windows]


def _show_period(window: ServiceWindow) -> str:
    return f"from {show_period(window.starts_at, window.ends_at)}"


def _event_payload(window: ServiceWindow) -> dict[str, object]:
    return {
        "window": str(window.id),
        "starts_at": window.starts_at.isoformat(),
        "ends_at": window.ends_at.isoformat(),
        "note": window.called_off_reason or window.note,
    }


def _find_blockers(*conditions: object) -> list[Blocker]:
    """Find the windows that aren't over, as blockers."""
    session, blockers = current_session(), []
    for window in _load_confirmed(col(ServiceWindow.ends_at) > now(), *conditions):
        qualification = session.get_one(Qualification, window.qualification_id)
        operator = session.get_one(Organisation, qualification.addressed_to).organisation_legal_name
        label = f"{qualification.product_code}: {operator} counts on the unit {_show_period(window)}"
        action = f"have {operator} call the service window off, or wait until it is over"
        blockers.append(Blocker("qualification", str(qualification.id), label, action))
    return blockers


def find_unit_window_blockers(unit: MarketUnit) -> list[Blocker]:
    """Find the service windows that keep a unit from being de-registered; inside an operation."""
    return _find_blockers(col(ServiceWindow.unit_id) == unit.id)


def find_window_blockers(qualification: Qualification) -> list[Blocker]:
    """Find the service windows that keep a qualification from being withdrawn; inside an operation."""
    return _find_blockers(col(ServiceWindow.qualification_id) == qualification.id)
