"""Look-ups are counted by organisation; notices on shared meters wait until they may be told."""

import sqlalchemy as sa
import sqlmodel
from alembic import op

from models.base import BigSerial, UtcDateTime

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the index that counts, and the notices."""
    op.create_index("access_by_organisation", "access", ["kind", "organisation_id", "at"])
    op.create_table(
        "withheld_notice",
        sa.Column("id", BigSerial, autoincrement=True, nullable=False),
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("asset_id", sa.Uuid(), nullable=False),
        sa.Column("mpan", sqlmodel.sql.sqltypes.AutoString(length=13), nullable=False),
        sa.Column("withheld_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["asset_id"], ["asset.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("withheld_notice_by_organisation", "withheld_notice", ["organisation_id", "id"])


def downgrade() -> None:
    """Take them away."""
    op.drop_table("withheld_notice")
    op.drop_index("access_by_organisation", "access")
