"""Saved views of lists, and drafts of forms."""

import sqlalchemy as sa
from alembic import op

from models.base import Json, UtcDateTime

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add their tables."""
    op.create_table(
        "saved_view",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("owner", sa.String(length=400), nullable=False),
        sa.Column("page", sa.String(length=60), nullable=False),
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("query", Json, nullable=False),
        sa.Column("pinned", sa.Boolean(), nullable=False),
        sa.Column("saved_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("owner", "page", "name", name="saved_view_name"),
    )
    op.create_table(
        "form_draft",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("owner", sa.String(length=400), nullable=False),
        sa.Column("organisation_id", sa.Uuid(), nullable=True),
        sa.Column("form", sa.String(length=100), nullable=False),
        sa.Column("values", Json, nullable=False),
        sa.Column("saved_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("form_draft_by_owner", "form_draft", ["owner", "form"])


def downgrade() -> None:
    """Take them away."""
    op.drop_table("form_draft")
    op.drop_table("saved_view")
