"""Query of an asset in its conversation: questions, answers and decisions, and whether one is still open (UC-02.01)."""

from collections.abc import Iterable
from uuid import UUID

from sqlalchemy import select
from sqlmodel import col

from models.assets import Asset, AssetCheck, AssetMessage, MessageKind
from services.core.transaction import current_session

LONGEST_REASON, LONGEST_MESSAGE = 1000, 4000


def query_messages(asset_id: UUID) -> list[AssetMessage]:
    """Questions, answers and decisions about an asset, oldest first, without comments; inside an operation."""
    of_query = (col(AssetMessage.asset_id) == asset_id, col(AssetMessage.kind) != MessageKind.COMMENT)
    return list(current_session().scalars(select(AssetMessage).where(*of_query).order_by(col(AssetMessage.id))))


def is_asked_by_person(asset: Asset, question: AssetMessage) -> bool:
    """True where a person asked of their own accord: neither the checks, nor an operator who found a source right.

    Only such a question is lifted by nobody but the operator; the others go with the difference that they are about.
    """
    if question.author_organisation_id is None:
        return False
    checks = current_session().scalars(select(AssetCheck).where(col(AssetCheck.asset_id) == asset.id))
    return str(question.id) not in {identifier for check in checks for identifier in _questions_of(check)}


def _questions_of(check: AssetCheck) -> Iterable[str | None]:
    yield check.evidence.get("settled", {}).get("asked")
    yield from (row.get("asked") for row in check.comparisons)


def open_question(asset: Asset) -> tuple[AssetMessage | None, bool]:
    """The last question without a decision, and whether it has been answered."""
    question, is_answered = None, False
    for message in query_messages(asset.id):
        if message.kind is MessageKind.QUERY:
            question, is_answered = message, False
        elif message.kind is MessageKind.DECISION:
            question, is_answered = None, False
        else:
            is_answered = True
    return question, is_answered


def shorten_reason(text: str) -> str:
    """Cut a text to the length of a status's reason."""
    return text if len(text) <= LONGEST_REASON else text[: LONGEST_REASON - 1] + "…"
