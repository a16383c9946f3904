"""The records of authenticity checks: opened for the values of an asset, answered, and concluded (UC-02.01).

A check belongs to the values that were checked: as long as no column that a source is compared on has moved, the checks
of an asset stay the same rows, however often they are asked for.
"""

from collections.abc import Collection, Iterable, Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlmodel import col

from models.assets import (
    CHECK_SOURCE_LABELS,
    Asset,
    AssetCheck,
    AssetMessage,
    AssetStatus,
    CheckOutcome,
    CheckSource,
    MessageKind,
)
from services.assets.checks.outcomes import Answer, DifferenceRuling, differs, is_open, outcome_of, reason
from services.assets.conversation.comments import post_asset_message
from services.assets.conversation.messages import LONGEST_MESSAGE, is_asked_by_person, open_question, shorten_reason
from services.assets.registration.lifecycle import move
from services.assets.rules.reference import code_lists
from services.core.clock import now
from services.core.errors import NotFound
from services.core.identity.actor import Actor
from services.core.ledger.history import changes_since
from services.core.operation import system_step
from services.core.transaction import current_session

CHECKED_COLUMNS = frozenset(
    {
        "asset_category", "rated_capacity", "gen_capacity", "demand_capacity", "installed_capacity",
        "fuel_type_energy_source", "connection_status", "commissioning_date", "dno_connection", "import_mpan",
        "export_mpan", "latitude", "longitude", "postcode", "gsp_group", "aliases", "serial_number", "manufacturer",
        "asset_model",
    }
)  # fmt: skip
"""What any source is compared on: when one of these moves, what was checked is no longer what is declared."""
CHECKED_STATUSES = (AssetStatus.PENDING_VALIDATION, AssetStatus.VERIFIED, AssetStatus.QUERY)
NO_SOURCE = "Not found in any register. FMAR will review it."
NOT_FOUND = ("not found", None, None)
MARKS = ("settled_as", "reason", "by", "organisation", "at", "asked", "answer")
"""What people said of a difference: the operator's verdict, the question that went with it, and the FSP's answer."""


def newest_checks(asset_ids: Iterable[UUID]) -> dict[UUID, list[AssetCheck]]:
    """Each asset's newest check against each source, in the order of `CheckSource`; inside an operation."""
    query = select(AssetCheck).where(col(AssetCheck.asset_id).in_(list(asset_ids)))
    by_asset: dict[UUID, list[AssetCheck]] = {}
    for check in current_session().scalars(query.order_by(col(AssetCheck.asset_version))):
        by_asset.setdefault(check.asset_id, []).append(check)
    return {asset_id: newest_by_source(checks) for asset_id, checks in by_asset.items()}


def newest_by_source(checks: Iterable[AssetCheck], *, answered: bool = False) -> list[AssetCheck]:
    """The newest check against each source, of one asset's checks by version, in the order of `CheckSource`.

    `answered` leaves out those that wait, so that what was known before a re-check shows until there is news.
    """
    by_source = {check.source: check for check in checks if not answered or check.outcome is not CheckOutcome.WAITING}
    return [by_source[source] for source in CheckSource if source in by_source]


def has_changed_since(asset: Asset, checks: list[AssetCheck]) -> bool:
    """True where the asset declares other values than these checks were about."""
    oldest = min(check.asset_version for check in checks)
    if oldest == asset.version:
        return False
    return not CHECKED_COLUMNS.isdisjoint(changes_since(asset, oldest))


def reopen_checks(asset: Asset, sources: Iterable[CheckSource] = CheckSource) -> list[AssetCheck]:
    """Checks of the asset as it stands, waiting for their sources."""
    opened = _reopen_checks(asset, newest_checks([asset.id]).get(asset.id, []), sources)
    current_session().flush()
    return opened


def _reopen_checks(
    asset: Asset, checks: Iterable[AssetCheck], sources: Iterable[CheckSource] = CheckSource
) -> list[AssetCheck]:
    by_source = {check.source: check for check in checks}
    opened = []
    for source in sources:
        check = by_source.get(source)
        if check is None or check.asset_version != asset.version:
            check = AssetCheck(asset_id=asset.id, asset_version=asset.version, source=source, requested_at=now())
            current_session().add(check)
        else:
            check.outcome, check.requested_at, check.completed_at = CheckOutcome.WAITING, now(), None
        opened.append(check)
    return opened


def _lock_assets(asset_ids: Collection[UUID]) -> list[Asset]:
    """Assets to be concluded on, held until the transaction ends. Raises NotFound when there is no such asset."""
    query = select(Asset).where(col(Asset.id).in_(asset_ids)).order_by(col(Asset.id))
    assets = list(current_session().scalars(query.with_for_update().execution_options(populate_existing=True)))
    if unknown := set(asset_ids) - {asset.id for asset in assets}:
        raise NotFound("asset", min(unknown))
    return assets


@system_step("UC-02.01", name="open_checks")
def open_checks(asset_ids: Collection[UUID]) -> list[tuple[Asset, list[AssetCheck]]]:
    """The assets and the checks of their present values, opened where there are none yet; none in a state that isn't checked.

    Raises NotFound.
    """
    newest = newest_checks(asset_ids)
    opened: list[tuple[Asset, list[AssetCheck]]] = []
    for asset in _lock_assets(asset_ids):
        checks = newest.get(asset.id, [])
        if asset.status not in CHECKED_STATUSES:
            checks = []
        elif not checks or has_changed_since(asset, checks):
            checks = _reopen_checks(asset, checks)
        opened.append((asset, checks))
    return opened


@system_step("UC-02.01", name="record_answers")
def record_answers(
    asset_ids: Collection[UUID], answers: Mapping[UUID, Answer], outages: Mapping[UUID, str]
) -> list[Asset]:
    """Keep what sources said, by check, and why others wait; then bring the assets where that leads (`conclude_checks`).

    An answered check stays as it is, and what an operator has settled before stays settled. Why a check waits is said
    once, however often its source is tried. Raises NotFound.
    """
    checks = select(AssetCheck).where(
        col(AssetCheck.asset_id).in_(asset_ids), col(AssetCheck.outcome) == CheckOutcome.WAITING
    )
    for check in current_session().scalars(checks.with_for_update()):
        if check.id in answers:
            _keep(check, answers[check.id])
        elif check.id in outages and check.summary != outages[check.id]:
            check.summary = outages[check.id]
    return conclude_checks(asset_ids)


def _keep(check: AssetCheck, answer: Answer) -> None:
    differing = answer.outcome in (CheckOutcome.DIFFERS, CheckOutcome.NOT_FOUND)
    earlier = _settled_before(check) if differing else {}
    rows = [_settled_again(row, earlier.get(_comparison_key(row))) for row in answer.comparisons]
    evidence = {**answer.evidence, "expected": answer.expected}
    outcome = answer.outcome
    if outcome is CheckOutcome.DIFFERS:
        outcome = outcome_of(rows)
    elif outcome is CheckOutcome.NOT_FOUND and answer.expected and (settlement := earlier.get(NOT_FOUND)):
        evidence |= settlement
        outcome = outcome_of_absence(evidence)
    check.outcome, check.comparisons, check.evidence = outcome, rows, evidence
    check.summary, check.matched_by = answer.summary, answer.matched_by
    check.source_name, check.source_record_id = answer.source_name, answer.source_record_id
    check.completed_at = now()


def outcome_of_absence(evidence: Mapping[str, Any]) -> CheckOutcome:
    """Of an asset that the source doesn't know: settled once an operator has let it stand."""
    declared_stands = evidence.get("settled", {}).get("settled_as") == DifferenceRuling.DECLARED_STANDS
    return CheckOutcome.SETTLED if declared_stands else CheckOutcome.NOT_FOUND


def _comparison_key(row: dict[str, Any]) -> tuple[str, str | None, str | None]:
    return row["field"], row["declared"], row["theirs"]


def _settled_before(check: AssetCheck) -> dict[tuple[str, str | None, str | None], dict[str, Any]]:
    """Earlier marks on checks of this asset against this source, by declared value and source value."""
    query = select(AssetCheck).where(col(AssetCheck.asset_id) == check.asset_id, col(AssetCheck.source) == check.source)
    earlier: dict[tuple[str, str | None, str | None], dict[str, Any]] = {}
    for older_check in current_session().scalars(query.order_by(col(AssetCheck.asset_version))):
        for row in older_check.comparisons:
            if marks := {key: row[key] for key in MARKS if key in row}:
                earlier[_comparison_key(row)] = marks
        if marks := {key: older_check.evidence[key] for key in ("settled", "answer") if key in older_check.evidence}:
            earlier[NOT_FOUND] = marks
    return earlier


def _settled_again(row: dict[str, Any], settled: dict[str, Any] | None) -> dict[str, Any]:
    return {**row, **settled} if settled and differs(row) else row


@system_step("UC-02.01", name="conclude_checks")
def conclude_checks(asset_ids: Collection[UUID]) -> list[Asset]:
    """Bring assets where their answered checks lead: Verified, Query with the reasons, or to the operator.

    Nothing moves while a check waits, when the asset declares other values by now, or while people are at it: a question
    that an administrator asked, or an answer to the very same reasons, is for the operator to decide. Raises NotFound.
    """
    newest = newest_checks(asset_ids)
    assets = _lock_assets(asset_ids)
    for asset in assets:
        _conclude(asset, newest.get(asset.id, []))
    return assets


def _conclude(asset: Asset, checks: list[AssetCheck]) -> None:
    waiting = any(check.outcome is CheckOutcome.WAITING for check in checks)
    if not checks or waiting or asset.status not in CHECKED_STATUSES or has_changed_since(asset, checks):
        return
    reasons = reasons_of(checks)
    if reasons:
        _to_query(asset, checks, reasons)
    elif any(check.outcome in (CheckOutcome.AGREES, CheckOutcome.SETTLED) for check in checks):
        _to_verified(asset, checks)
    elif asset.status is AssetStatus.PENDING_VALIDATION and asset.status_reason != NO_SOURCE:
        asset.status_reason = NO_SOURCE


def reasons_of(checks: Iterable[AssetCheck]) -> list[str]:
    """Everything that sources say against what is declared, one sentence each; empty when nothing is open."""
    codes = code_lists()
    reasons: list[str] = []
    for check in checks:
        if check.outcome is CheckOutcome.NOT_FOUND and check.evidence.get("expected"):
            reasons.append(check.summary or "The source does not know this asset.")
        elif check.outcome is CheckOutcome.DIFFERS:
            open_rows = [row for row in check.comparisons if is_open(row)]
            reasons += [reason(check.source, check.source_name, row, codes) for row in open_rows]
    return reasons


def _to_query(asset: Asset, checks: list[AssetCheck], reasons: list[str]) -> None:
    text = "\n".join(reasons)
    question, answered = open_question(asset)
    answered = answered and not _half_answered(checks)
    if question is not None and is_asked_by_person(asset, question):
        return
    if question is not None and (answered or asset.status is AssetStatus.QUERY) and _asks(question, reasons):
        return
    if asset.status is AssetStatus.VERIFIED:
        move(asset, AssetStatus.PENDING_VALIDATION, "request_checks", "A source says otherwise.")
    if asset.status is AssetStatus.PENDING_VALIDATION:
        move(asset, AssetStatus.QUERY, "conclude_checks", shorten_reason(text))
    else:
        asset.status_reason = shorten_reason(text)
    post_asset_message(_register(), asset, MessageKind.QUERY, text[:LONGEST_MESSAGE])


def _half_answered(checks: list[AssetCheck]) -> bool:
    """True where the FSP has answered some of the open differences, and not all."""
    rows = [row for check in checks if check.outcome is CheckOutcome.DIFFERS for row in check.comparisons]
    answers = ["answer" in row for row in rows if is_open(row)]
    absent = (check for check in checks if check.outcome is CheckOutcome.NOT_FOUND and check.evidence.get("expected"))
    answers += ["answer" in check.evidence for check in absent]
    return any(answers) and not all(answers)


def _asks(question: AssetMessage, reasons: list[str]) -> bool:
    """True where a question asks all of this already; part of what it asked may have been settled since."""
    if question.author_organisation_id is not None:
        return True
    return question.text == "\n".join(reasons)[:LONGEST_MESSAGE] or set(reasons) <= set(question.text.split("\n"))


def _to_verified(asset: Asset, checks: list[AssetCheck]) -> None:
    question, _answered = open_question(asset)
    if asset.status is AssetStatus.VERIFIED or (question is not None and is_asked_by_person(asset, question)):
        return
    if asset.status is AssetStatus.QUERY:
        move(asset, AssetStatus.PENDING_VALIDATION, "conclude_checks", "No source says otherwise any more.")
    agreed = [check for check in checks if check.outcome is CheckOutcome.AGREES]
    agreeing = [f"{check.source_name or CHECK_SOURCE_LABELS[check.source]}: {check.summary or ''}" for check in agreed]
    move(asset, AssetStatus.VERIFIED, "conclude_checks", shorten_reason(" ".join(agreeing)) or None)
    if question is not None:
        post_asset_message(_register(), asset, MessageKind.DECISION, "Verified: no source says otherwise any more.")


def _register() -> Actor:
    return Actor(name="The register", roles=frozenset())
