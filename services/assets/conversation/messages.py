"""What is said about an asset, as the query's own rules read it: what is asked, and whether it has been answered (UC-02.01)."""

from collections.abc import Iterable
from uuid import UUID

from sqlalchemy import select
from sqlmodel import col

from models.assets import Asset, AssetCheck, AssetMessage, MessageKind
from services.core.clock import now
from services.core.identity.actor import Actor
from services.core.transaction import current_session

LONGEST_REASON, LONGEST_MESSAGE = 1000, 4000


def conversation(asset_id: UUID) -> list[AssetMessage]:
    """The query of an asset, oldest first: questions, answers and decisions, no comments; inside an operation."""
    chosen = select(AssetMessage).where(
        col(AssetMessage.asset_id) == asset_id, col(AssetMessage.kind) != MessageKind.COMMENT
    )
    return list(current_session().scalars(chosen.order_by(col(AssetMessage.id))))


def say(actor: Actor, asset: Asset, kind: MessageKind, text: str, only_for: UUID | None = None) -> AssetMessage:
    """Add to the conversation about an asset, under the actor's name; `only_for` keeps it within that organisation."""
    message = AssetMessage(
        asset_id=asset.id,
        kind=kind,
        text=text,
        author_name=actor.name,
        author_organisation_id=actor.organisation_id,
        sent_at=now(),
        only_for=only_for,
    )
    current_session().add(message)
    current_session().flush()
    return message


def asked_by_person(asset: Asset, question: AssetMessage) -> bool:
    """Whether a person asked of their own accord: neither the checks, nor an operator who found a source right.

    Only such a question is lifted by nobody but the operator; the others go with the difference that they are about.
    """
    if question.author_organisation_id is None:
        return False
    checks = current_session().scalars(select(AssetCheck).where(col(AssetCheck.asset_id) == asset.id))
    return str(question.id) not in {asked for check in checks for asked in _asked_in(check)}


def _asked_in(check: AssetCheck) -> Iterable[str | None]:
    yield check.evidence.get("settled", {}).get("asked")
    yield from (row.get("asked") for row in check.comparisons)


def open_question(asset: Asset) -> tuple[AssetMessage | None, bool]:
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


def short(text: str) -> str:
    """A text cut to what a status keeps as its reason."""
    return text if len(text) <= LONGEST_REASON else text[: LONGEST_REASON - 1] + "…"
