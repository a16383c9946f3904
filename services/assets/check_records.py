"""The records of authenticity checks: opened for the values of an asset, answered, and concluded (UC-02.01).

A check belongs to the values that were checked: as long as no column that a source is compared on has moved, the checks
of an asset stay the same rows, however often they are asked for.
"""

from collections.abc import Iterable, Mapping
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
from services.assets.catalogue import code_lists
from services.assets.check_judging import Answer, differs, outcome_of, reason
from services.assets.lifecycle import move
from services.core.actor import Actor
from services.core.clock import now
from services.core.ledger.reading import changes_since
from services.core.operation import operation
from services.core.transaction import current_session
from services.core.visibility import reach

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
NO_SOURCE = "No source knows this asset: an operator decides."
LONGEST_REASON = 1000
NOT_FOUND = ("not found", None, None)
SETTLED_KEYS = ("settled_as", "reason", "by", "at")


def newest_checks(asset_ids: Iterable[UUID], *, answered: bool = False) -> dict[UUID, list[AssetCheck]]:
    """Each asset's newest check against each source, in the order of `CheckSource`; inside an operation.

    `answered` leaves out those that wait, so that what was known before a re-check shows until there is news.
    """
    order = list(CheckSource)
    newest: dict[tuple[UUID, CheckSource], AssetCheck] = {}
    chosen = select(AssetCheck).where(col(AssetCheck.asset_id).in_(list(asset_ids)))
    if answered:
        chosen = chosen.where(col(AssetCheck.outcome) != CheckOutcome.WAITING)
    for check in current_session().scalars(chosen.order_by(col(AssetCheck.asset_version))):
        newest[check.asset_id, check.source] = check
    grouped: dict[UUID, list[AssetCheck]] = {}
    for check in sorted(newest.values(), key=lambda check: order.index(check.source)):
        grouped.setdefault(check.asset_id, []).append(check)
    return grouped


def moved_since(asset: Asset, checks: list[AssetCheck]) -> bool:
    """Whether the asset declares other values than these checks were about."""
    oldest = min(check.asset_version for check in checks)
    return not CHECKED_COLUMNS.isdisjoint(changes_since(asset, oldest))


def reopen(asset: Asset, sources: Iterable[CheckSource] = CheckSource) -> list[AssetCheck]:
    """Checks of the asset as it stands, waiting for their sources."""
    session = current_session()
    known = {check.source: check for check in newest_checks([asset.id]).get(asset.id, [])}
    opened = []
    for source in sources:
        check = known.get(source)
        if check is None or check.asset_version != asset.version:
            check = AssetCheck(asset_id=asset.id, asset_version=asset.version, source=source, requested_at=now())
            session.add(check)
        else:
            check.outcome, check.requested_at, check.completed_at = CheckOutcome.WAITING, now(), None
        opened.append(check)
    session.flush()
    return opened


@operation("UC-02.01", permission="asset.conclude")
def open_checks(actor: Actor, asset_id: UUID) -> tuple[Asset, list[AssetCheck]]:
    """The asset and the checks of its present values, opened where there are none yet; none in a state that isn't checked."""
    asset = reach(Asset, actor, asset_id, "asset.conclude")
    if asset.status not in CHECKED_STATUSES:
        return asset, []
    checks = newest_checks([asset.id]).get(asset.id, [])
    if checks and not moved_since(asset, checks):
        return asset, checks
    return asset, reopen(asset)


@operation("UC-02.01", permission="asset.conclude")
def record_answers(actor: Actor, asset_id: UUID, answers: Mapping[UUID, Answer], outages: Mapping[UUID, str]) -> Asset:
    """Keep what sources said, by check, and why others wait; then bring the asset where that leads (`conclude_checks`).

    An answered check stays as it is, and what an operator has settled before stays settled. Why a check waits is said
    once, however often its source is tried.
    """
    checks = select(AssetCheck).where(
        col(AssetCheck.asset_id) == asset_id, col(AssetCheck.outcome) == CheckOutcome.WAITING
    )
    for check in current_session().scalars(checks.with_for_update()):
        if check.id in answers:
            _keep(check, answers[check.id])
        elif check.id in outages and check.summary != outages[check.id]:
            check.summary = outages[check.id]
    return conclude_checks(actor, asset_id)


def _keep(check: AssetCheck, answer: Answer) -> None:
    differing = answer.outcome in (CheckOutcome.DIFFERS, CheckOutcome.NOT_FOUND)
    before = _settled_before(check) if differing else {}
    rows = [_settled_again(row, before.get(_said(row))) for row in answer.comparisons]
    evidence = {**answer.evidence, "expected": answer.expected}
    outcome = answer.outcome
    if outcome is CheckOutcome.DIFFERS:
        outcome = outcome_of(rows)
    elif outcome is CheckOutcome.NOT_FOUND and answer.expected and (settled := before.get(NOT_FOUND)):
        evidence["settled"] = settled
        outcome = CheckOutcome.SETTLED
    check.outcome, check.comparisons, check.evidence = outcome, rows, evidence
    check.summary, check.matched_by = answer.summary, answer.matched_by
    check.source_name, check.source_record_id = answer.source_name, answer.source_record_id
    check.completed_at = now()


def _said(row: dict[str, Any]) -> tuple[str, str | None, str | None]:
    return row["field"], row["declared"], row["theirs"]


def _settled_before(check: AssetCheck) -> dict[tuple[str, str | None, str | None], dict[str, Any]]:
    """What operators settled in checks of this asset against this source, by what was declared and what was said."""
    older = select(AssetCheck).where(col(AssetCheck.asset_id) == check.asset_id, col(AssetCheck.source) == check.source)
    found: dict[tuple[str, str | None, str | None], dict[str, Any]] = {}
    for one in current_session().scalars(older.order_by(col(AssetCheck.asset_version))):
        for row in one.comparisons:
            if "settled_as" in row:
                found[_said(row)] = {key: row[key] for key in SETTLED_KEYS}
        if "settled" in one.evidence:
            found[NOT_FOUND] = one.evidence["settled"]
    return found


def _settled_again(row: dict[str, Any], settled: dict[str, Any] | None) -> dict[str, Any]:
    return {**row, **settled} if settled and differs(row) else row


@operation("UC-02.01", permission="asset.conclude")
def conclude_checks(actor: Actor, asset_id: UUID) -> Asset:
    """Bring the asset where its answered checks lead: Verified, Query with the reasons, or to the operator.

    Nothing moves while a check waits, when the asset declares other values by now, or while people are at it: a question
    that an administrator asked, or an answer to the very same reasons, is for the operator to decide.
    """
    asset = reach(Asset, actor, asset_id, "asset.conclude")
    checks = newest_checks([asset.id]).get(asset.id, [])
    waiting = any(check.outcome is CheckOutcome.WAITING for check in checks)
    if not checks or waiting or asset.status not in CHECKED_STATUSES or moved_since(asset, checks):
        return asset
    reasons = reasons_of(checks)
    if reasons:
        _to_query(asset, "\n".join(reasons))
    elif any(check.outcome in (CheckOutcome.AGREES, CheckOutcome.SETTLED) for check in checks):
        _to_verified(asset, checks)
    elif asset.status is AssetStatus.PENDING_VALIDATION and asset.status_reason != NO_SOURCE:
        asset.status_reason = NO_SOURCE
    return asset


def reasons_of(checks: Iterable[AssetCheck]) -> list[str]:
    """Everything that sources say against what is declared, one sentence each; empty when nothing is open."""
    codes = code_lists()
    reasons: list[str] = []
    for check in checks:
        if check.outcome is CheckOutcome.NOT_FOUND and check.evidence.get("expected"):
            reasons.append(check.summary or "The source does not know this asset.")
        elif check.outcome is CheckOutcome.DIFFERS:
            open_rows = [row for row in check.comparisons if differs(row) and "settled_as" not in row]
            reasons += [reason(check.source, check.source_name, row, codes) for row in open_rows]
    return reasons


def conversation(asset_id: UUID) -> list[AssetMessage]:
    """The messages of an asset, oldest first; inside an operation."""
    chosen = select(AssetMessage).where(col(AssetMessage.asset_id) == asset_id)
    return list(current_session().scalars(chosen.order_by(col(AssetMessage.id))))


def say(actor: Actor, asset: Asset, kind: MessageKind, text: str) -> None:
    """Add to the conversation about an asset, under the actor's name."""
    message = AssetMessage(
        asset_id=asset.id,
        kind=kind,
        text=text,
        author_name=actor.name,
        author_organisation_id=actor.organisation_id,
        sent_at=now(),
    )
    current_session().add(message)


def _open_question(asset: Asset) -> tuple[AssetMessage | None, bool]:
    """The last question that nobody has decided, and whether it has been answered."""
    question, answered = None, False
    for message in conversation(asset.id):
        if message.kind is MessageKind.QUERY:
            question, answered = message, False
        elif message.kind is MessageKind.DECISION:
            question, answered = None, False
        else:
            answered = True
    return question, answered


def _to_query(asset: Asset, text: str) -> None:
    question, answered = _open_question(asset)
    if question is not None and question.author_organisation_id is not None:
        return
    if question is not None and question.text == text and (answered or asset.status is AssetStatus.QUERY):
        return
    if asset.status is AssetStatus.VERIFIED:
        move(asset, AssetStatus.PENDING_VALIDATION, "request_checks", "A source says otherwise.")
    if asset.status is AssetStatus.PENDING_VALIDATION:
        move(asset, AssetStatus.QUERY, "conclude_checks", _short(text))
    else:
        asset.status_reason = _short(text)
    say(_register(), asset, MessageKind.QUERY, text[:4000])


def _to_verified(asset: Asset, checks: list[AssetCheck]) -> None:
    question, _answered = _open_question(asset)
    if asset.status is AssetStatus.VERIFIED or (question is not None and question.author_organisation_id is not None):
        return
    if asset.status is AssetStatus.QUERY:
        move(asset, AssetStatus.PENDING_VALIDATION, "conclude_checks", "No source says otherwise any more.")
    agreed = [check for check in checks if check.outcome is CheckOutcome.AGREES]
    agreeing = [f"{check.source_name or CHECK_SOURCE_LABELS[check.source]}: {check.summary or ''}" for check in agreed]
    move(asset, AssetStatus.VERIFIED, "conclude_checks", _short(" ".join(agreeing)) or None)
    if question is not None:
        say(_register(), asset, MessageKind.DECISION, "Verified: no source says otherwise any more.")


def _register() -> Actor:
    return Actor(name="The register", roles=frozenset())


def _short(text: str) -> str:
    return text if len(text) <= LONGEST_REASON else text[: LONGEST_REASON - 1] + "…"
