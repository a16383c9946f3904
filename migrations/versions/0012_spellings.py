"""Spellings of the columns of a bulk job."""

import sqlalchemy as sa
from alembic import op

from models.base import Json

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Jobs that are there have none: their cells are read as they stand."""
    op.add_column("bulk_job", sa.Column("spellings", Json, nullable=False, server_default="{}"))


def downgrade() -> None:
    """Take the spellings away."""
    op.drop_column("bulk_job", "spellings")
