"""Service windows that system operators confirm."""

import sqlalchemy as sa
import sqlmodel
from alembic import op

from models.base import UtcDateTime

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add them."""
    op.create_table(
        "service_window",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("recorded_at", UtcDateTime(), nullable=False),
        sa.Column("recorded_by", sa.Uuid(), nullable=True),
        sa.Column("qualification_id", sa.Uuid(), nullable=False),
        sa.Column("unit_id", sa.Uuid(), nullable=False),
        sa.Column("starts_at", UtcDateTime(), nullable=False),
        sa.Column("ends_at", UtcDateTime(), nullable=False),
        sa.Column("note", sqlmodel.sql.sqltypes.AutoString(length=1000), nullable=True),
        sa.Column("confirmed_at", UtcDateTime(), nullable=False),
        sa.Column("confirmed_by_name", sqlmodel.sql.sqltypes.AutoString(length=200), nullable=False),
        sa.Column("called_off_at", UtcDateTime(), nullable=True),
        sa.Column("called_off_reason", sqlmodel.sql.sqltypes.AutoString(length=1000), nullable=True),
        sa.ForeignKeyConstraint(["qualification_id"], ["qualification.id"]),
        sa.ForeignKeyConstraint(["unit_id"], ["market_unit.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("service_window_by_qualification", "service_window", ["qualification_id", "starts_at"])
    op.create_index("service_window_by_unit", "service_window", ["unit_id", "ends_at"])


def downgrade() -> None:
    """Take them away."""
    op.drop_table("service_window")
