"""One delivery for a run of events."""

import sqlalchemy as sa
from alembic import op

from models.base import Json

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

ALIKE = "handler, status, attempts, due_at, last_error, done_at"


def upgrade() -> None:
    """Deliveries that are there have one event each."""
    op.add_column("event_delivery", sa.Column("further", Json, nullable=False, server_default="[]"))


def downgrade() -> None:
    """Every event of a run has a delivery of its own again."""
    number, numbers = {
        "sqlite": ("value", "json_each(further)"),
        "postgresql": ("value::integer", "jsonb_array_elements_text(further)"),
    }[op.get_bind().dialect.name]
    op.execute(
        f"INSERT INTO event_delivery (event_seq, {ALIKE}) SELECT {number}, {ALIKE} FROM event_delivery, {numbers}"
    )
    op.drop_column("event_delivery", "further")
