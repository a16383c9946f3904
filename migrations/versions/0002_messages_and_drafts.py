"""Comments with attachments, for one organisation or for all involved; drafts that an installer addresses to an FSP."""

import sqlalchemy as sa
import sqlmodel
from alembic import op

import models.base

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add what is new; nothing that is there changes."""
    op.create_table(
        "attachment",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("recorded_at", models.base.UtcDateTime(), nullable=False),
        sa.Column("recorded_by", sa.Uuid(), nullable=True),
        sa.Column("asset_id", sa.Uuid(), nullable=False),
        sa.Column("message_id", sa.Uuid(), nullable=False),
        sa.Column("file_name", sqlmodel.sql.sqltypes.AutoString(length=200), nullable=False),
        sa.Column("media_type", sqlmodel.sql.sqltypes.AutoString(length=100), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("sha256", sqlmodel.sql.sqltypes.AutoString(length=64), nullable=False),
        sa.Column("only_for", sa.Uuid(), nullable=True),
        sa.ForeignKeyConstraint(
            ["asset_id"],
            ["asset.id"],
        ),
        sa.ForeignKeyConstraint(
            ["message_id"],
            ["asset_message.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("attachment_by_asset", "attachment", ["asset_id"], unique=False)
    op.create_index("attachment_by_message", "attachment", ["message_id"], unique=False)
    op.create_table(
        "attachment_content",
        sa.Column("attachment_id", sa.Uuid(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["attachment_id"],
            ["attachment.id"],
        ),
        sa.PrimaryKeyConstraint("attachment_id"),
    )
    op.add_column("asset_draft", sa.Column("addressed_to", sa.Uuid(), nullable=True))
    op.add_column("asset_draft", sa.Column("submitted_at", models.base.UtcDateTime(), nullable=True))
    op.add_column("asset_draft", sa.Column("author_name", sqlmodel.sql.sqltypes.AutoString(length=200), nullable=True))
    op.add_column("asset_draft", sa.Column("note", sqlmodel.sql.sqltypes.AutoString(length=1000), nullable=True))
    op.create_index("asset_draft_by_addressee", "asset_draft", ["addressed_to", "submitted_at"], unique=False)
    op.add_column("asset_message", sa.Column("only_for", sa.Uuid(), nullable=True))


def downgrade() -> None:
    """Take it away again."""
    op.drop_column("asset_message", "only_for")
    op.drop_index("asset_draft_by_addressee", table_name="asset_draft")
    op.drop_column("asset_draft", "note")
    op.drop_column("asset_draft", "author_name")
    op.drop_column("asset_draft", "submitted_at")
    op.drop_column("asset_draft", "addressed_to")
    op.drop_table("attachment_content")
    op.drop_index("attachment_by_message", table_name="attachment")
    op.drop_index("attachment_by_asset", table_name="attachment")
    op.drop_table("attachment")
