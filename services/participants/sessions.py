"""When a sign-in has ended (UC-01.01): by age, or because the person signed out.

The portal's sign-in cookie lasts 30 days, is kept by the browser alone and would open the register again from a copy. So each
click asks here whether the sign-in behind it still counts.
"""

from datetime import datetime, timedelta
from uuid import UUID

from models.participants import Role, User
from services.core.clock import now
from services.core.errors import Forbidden
from services.core.identity.actor import Actor
from services.core.operation import operation
from services.core.settings import settings
from services.core.transaction import current_session

CLOCKS_APART = timedelta(minutes=5)
"""By how much a sign-in provider's clock may be ahead of ours."""


def session_over(issued_at: datetime | None) -> bool:
    """Tell whether a session that began at `issued_at` is older than FMAR_SESSION_HOURS, or begins in the future.

    None stands for an identity without a session, which can't be too old.
    """
    if issued_at is None:
        return False
    age = now() - issued_at
    return age > timedelta(hours=settings().session_hours) or age < -CLOCKS_APART


def signed_out_since(user: User, issued_at: datetime | None) -> bool:
    """Tell whether the person signed out at or after the moment at which this session began."""
    return issued_at is not None and user.signed_out_at is not None and issued_at <= user.signed_out_at


@operation("UC-01.01", permission="user.manage", name="end_sessions")
def end_sessions(actor: Actor, user_id: UUID, issued_at: datetime | None) -> User:
    """End every session of a person that began up to now; called by `services.participants.identity.sign_out`.

    `issued_at` is when the session that signs out began: by a provider's clock that is ahead of ours, later than now.
    """
    if not actor.has(Role.SYSTEM):
        raise Forbidden("People sign themselves out; to keep somebody out, deactivate them.")
    user = current_session().get_one(User, user_id)
    moment = max(now(), issued_at or now())
    if user.signed_out_at is None or user.signed_out_at < moment:
        user.signed_out_at = moment
    return user
