"""Invitations keep the name that they gave; idempotency keys cover the whole request."""

import sqlalchemy as sa
import sqlmodel
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Invitations and jobs that are there have neither."""
    text = sqlmodel.sql.sqltypes.AutoString
    op.add_column("membership", sa.Column("invited_name", text(length=200), nullable=True))
    op.add_column("bulk_job", sa.Column("idempotency_request", text(length=64), nullable=True))


def downgrade() -> None:
    """Take the columns away."""
    op.drop_column("bulk_job", "idempotency_request")
    op.drop_column("membership", "invited_name")
