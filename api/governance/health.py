"""Health of the register: for load balancers and operators, without a token."""

from typing import Literal

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field

from api.http.problems import answers
from api.http.responses import answer
from services.core.health import database_answers, register_version

router = APIRouter(tags=["Access"])


class Health(BaseModel):
    """The state of the register."""

    status: Literal["ok", "unavailable"]
    database: bool = Field(description="Whether the database answers.")
    version: str = Field(examples=["0.1.0"])


@router.get(
    "/health",
    summary="Is the register up?",
    response_model=Health,
    responses={503: {"model": Health, "description": "The database does not answer"}, **answers(422, 500)},
)
def get_health() -> Response:
    """200 while the register can do its work, 503 while it can't. Needs no token."""
    reached = database_answers()
    state = {"status": "ok" if reached else "unavailable", "database": reached, "version": register_version()}
    return answer(state, 200 if reached else 503)
