"""Health of the register: for load balancers and operators, without a token."""

from typing import Literal

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field

from api.http.problems import answers
from api.http.responses import answer
from services.core.health import probe_health, register_version
from services.core.jobs.clock_watch import ClockTrust

router = APIRouter(tags=["Access"])
RETRY_AFTER_S = 10


class Health(BaseModel):
    """The state of the register."""

    status: Literal["ok", "unavailable"]
    database: bool = Field(description="Whether the database answers.")
    writable: bool = Field(
        description="Whether it can be written to: its disk has room, and nothing locks it for good."
    )
    detail: str | None = Field(description="What keeps the register from its work; null while nothing does.")
    clock: ClockTrust | None = Field(
        description="Trust in this machine's clock: while it is far from where the register last saw it, deadlines wait. "
        "Null while the database does not answer."
    )
    version: str = Field(examples=["0.1.0"])


@router.get(
    "/health",
    summary="Is the register up?",
    response_model=Health,
    responses={503: {"model": Health, "description": "The register can't do its work now"}, **answers(422, 500)},
)
async def get_health() -> Response:
    """200 while the register can do its work, 503 while it can't. Needs no token, and answers however busy the rest is."""
    health = await probe_health()
    state = {
        "status": "ok" if health.works else "unavailable",
        "database": health.database,
        "writable": health.writable,
        "detail": f"{health.outage.value}." if health.outage else None,
        "clock": health.clock,
        "version": register_version(),
    }
    response = answer(state, 200 if health.works else 503)
    if not health.works:
        response.headers["Retry-After"] = str(RETRY_AFTER_S)
    return response
