"""Notices about the file of a bulk job."""

import sqlalchemy as sa
from alembic import op

from models.base import Json

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Jobs that are there have none."""
    op.add_column("bulk_job", sa.Column("notices", Json, nullable=False, server_default="[]"))


def downgrade() -> None:
    """Take the notices away."""
    op.drop_column("bulk_job", "notices")
