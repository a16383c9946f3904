"""Settling and answering difference by difference (UC-02.01): the asset stays in its query until none is open."""

from collections.abc import Mapping, Sequence
from typing import assert_never
from uuid import UUID

from models.assets import STATUS_LABELS, Asset, AssetCheck, AssetStatus, CheckOutcome, CheckSource, MessageKind
from models.events import EventType
from services.assets.checks.differences import (
    ABSENT,
    Difference,
    answer_mark,
    describe_difference,
    differences_of,
    select_differences,
    verdict_mark,
    write_mark,
)
from services.assets.checks.guards import reach_at_version
from services.assets.checks.outcomes import DifferenceRuling, source_in_words
from services.assets.checks.records import has_changed_since, newest_checks, reasons_of
from services.assets.checks.run import start_checks
from services.assets.conversation.comments import post_asset_message
from services.assets.conversation.messages import is_asked_by_person, open_question, shorten_reason
from services.assets.registration.lifecycle import move
from services.core.conversation.files import Upload
from services.core.errors import Finding, Invalid, Refused
from services.core.identity.actor import Actor
from services.core.identity.visibility import see
from services.core.jobs.outbox import emit_for_asset
from services.core.operation import operation
from services.core.text import LONGEST_TEXT, require_statement
from services.core.transaction import current_session

IN_REVIEW = (AssetStatus.QUERY, AssetStatus.PENDING_VALIDATION)


@operation("UC-02.01", permission="asset.read", writes=False, name="differences_on")
def differences_on(actor: Actor, asset_id: UUID) -> list[Difference]:
    """Every difference that matters on an asset, settled ones too. NotFound when the actor may not see the asset."""
    asset = see(Asset, actor, asset_id)
    return differences_of(newest_checks([asset.id]).get(asset.id, []))


@operation("UC-02.01", permission="asset.settle", name="settle_differences")
def settle_differences(
    actor: Actor,
    asset_id: UUID,
    verdict: DifferenceRuling,
    reason: str,
    version: int,
    fields: Sequence[str] | None = None,
    *,
    source: CheckSource | None = None,
    files: Sequence[Upload] = (),
) -> Asset:
    """The operator settles the differences in these fields (None: all open ones), of one source or of all.

    DECLARED_STANDS lets the declared value stand: once no difference is open, the asset is Verified. THEIRS_RIGHT asks the
    FSP to change it: the difference stays open, the asset is Query. A verdict may be revised until the asset is Verified.
    Raises Refused outside a review, while sources are asked about changed values, or with nothing to settle; Conflict when
    stale; Invalid without a reason.
    """
    asset = reach_at_version(actor, asset_id, "asset.settle", version)
    text = require_statement("Reason", reason)
    checks = _settleable(asset)
    differences = select_differences(checks, fields, source)
    if not differences:
        raise Refused("No difference is open on this asset: there is nothing to settle.")
    match verdict:
        case DifferenceRuling.DECLARED_STANDS:
            _let_stand(actor, asset, checks, differences, text, files)
        case DifferenceRuling.THEIRS_RIGHT:
            _ask_for_change(actor, asset, checks, differences, text, files)
        case _:
            assert_never(verdict)
    payload = {
        "fields": [difference.field for difference in differences],
        "verdict": str(verdict),
        "left": len(reasons_of(checks)),
    }
    emit_for_asset(EventType.ASSET_DIFFERENCE_SETTLED, asset, payload)
    return asset


def _settleable(asset: Asset) -> list[AssetCheck]:
    if asset.status not in IN_REVIEW:
        raise Refused(f"The asset is {STATUS_LABELS[asset.status]}: differences are settled while it is in review.")
    checks = newest_checks([asset.id]).get(asset.id, [])
    asking = any(check.outcome is CheckOutcome.WAITING for check in checks)
    if checks and (asking or has_changed_since(asset, checks)):
        raise Refused("Sources are being asked about its present values. Settle what they say once they have answered.")
    return checks


def _let_stand(
    actor: Actor,
    asset: Asset,
    checks: list[AssetCheck],
    differences: list[Difference],
    reason: str,
    files: Sequence[Upload],
) -> None:
    question, _answered = open_question(asset)
    asked_personally = (
        question is not None and asset.status is AssetStatus.QUERY and is_asked_by_person(asset, question)
    )
    write_mark(checks, differences, verdict_mark(actor, DifferenceRuling.DECLARED_STANDS, reason))
    open_reasons = reasons_of(checks)
    if open_reasons or asked_personally:
        # The status stands, but the version moves on: who decides on the old one is told of this.
        remaining = (
            "\n".join(open_reasons)
            if open_reasons
            else f"Differences are settled. Still to answer: {question.text if question else ''}"
        )
        asset.status_reason = shorten_reason(
            remaining if asset.status is AssetStatus.QUERY else f"Settled in part. {remaining}"
        )
        if files:
            text = "\n".join(f"{describe_difference(difference)}. Stands: {reason}" for difference in differences)
            post_asset_message(actor, asset, MessageKind.COMMENT, _capitalise(text), files)
        return
    settled = [difference for difference in differences_of(checks) if not difference.open]
    text = (
        reason
        if len(settled) == 1
        else "\n".join(f"{describe_difference(difference)}. Stands: {difference.reason}" for difference in settled)
    )
    if asset.status is AssetStatus.QUERY:
        move(asset, AssetStatus.PENDING_VALIDATION, "settle_differences", "Every difference is settled.")
    move(asset, AssetStatus.VERIFIED, "settle_differences", shorten_reason(text))
    post_asset_message(actor, asset, MessageKind.DECISION, _capitalise(text), files)


def _ask_for_change(
    actor: Actor,
    asset: Asset,
    checks: list[AssetCheck],
    differences: list[Difference],
    reason: str,
    files: Sequence[Upload],
) -> None:
    text = "\n".join([*(_request_correction(difference) for difference in differences), reason])
    message = post_asset_message(actor, asset, MessageKind.QUERY, text[:LONGEST_TEXT], files)
    mark = verdict_mark(actor, DifferenceRuling.THEIRS_RIGHT, reason, question_id=str(message.id))
    write_mark(checks, differences, mark, forget=("answer",))
    if asset.status is AssetStatus.PENDING_VALIDATION:
        move(asset, AssetStatus.QUERY, "settle_differences", shorten_reason(text))
    else:
        asset.status_reason = shorten_reason(text)


def _request_correction(difference: Difference) -> str:
    source = source_in_words(difference.source, difference.source_name)
    if difference.field == ABSENT:
        return f"Please correct what this asset is found by: {source} does not know it."
    declared, source_value = difference.declared or "nothing", difference.source_value or "nothing"
    return f"{difference.label}: {source} says {source_value}. Please change what is declared ({declared})."


def _capitalise(text: str) -> str:
    return text[0].upper() + text[1:LONGEST_TEXT]


@operation("UC-02.01", permission="asset.answer", name="answer_differences")
def answer_differences(
    actor: Actor, asset_id: UUID, answers: Mapping[str, str], version: int, files: Sequence[Upload] = ()
) -> Asset:
    """The FSP answers field by field; once every open difference has an answer, the operator decides.

    Until then the asset stays in Query. Raises Conflict when stale, Invalid for a field in which nothing is open or an
    answer that says nothing, Refused when no query is open.
    """
    asset = reach_at_version(actor, asset_id, "asset.answer", version)
    if asset.status is not AssetStatus.QUERY:
        raise Refused(f"The asset is {STATUS_LABELS[asset.status]}: no query is open on it.")
    texts = {field: require_statement(field, text) for field, text in answers.items()}
    if not texts:
        raise Invalid([Finding("QUERY-01", "Answers", "", "At least one answer", "Answer at least one difference.")])
    checks = newest_checks([asset.id]).get(asset.id, [])
    lines: list[str] = []
    for field, text in texts.items():
        differences = select_differences(checks, [field], settled=False)
        write_mark(checks, differences, answer_mark(actor, text))
        lines.append(f"{differences[0].label}: {text}")
    post_asset_message(actor, asset, MessageKind.ANSWER, "\n".join(lines)[:LONGEST_TEXT], files)
    if all(difference.answer for difference in differences_of(checks) if difference.open):
        move(asset, AssetStatus.PENDING_VALIDATION, "answer_differences", "Answered. FMAR decides.")
        emit_for_asset(EventType.ASSET_QUERY_ANSWERED, asset, {"by": actor.name})
        current_session().flush()
        if has_changed_since(asset, checks):
            start_checks(asset)
    return asset
