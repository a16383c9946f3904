"""Seals bear their time, digests of the logs outside the ledger, and a signature."""

import sqlalchemy as sa
from alembic import op

from models.base import Json, UtcDateTime

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

COLUMNS = ("sealed_at", "log_digests", "signing_key", "signature")


def upgrade() -> None:
    """Seals that are there stay as they are: unsigned, and accepted up to the first signed one (docs/operate.md)."""
    op.add_column("ledger_seal", sa.Column("sealed_at", UtcDateTime(), nullable=True))
    op.add_column("ledger_seal", sa.Column("log_digests", Json, nullable=True))
    op.add_column("ledger_seal", sa.Column("signing_key", sa.String(16), nullable=True))
    op.add_column("ledger_seal", sa.Column("signature", sa.String(100), nullable=True))


def downgrade() -> None:
    """Signed seals no longer verify once their parts are gone."""
    for name in COLUMNS:
        op.drop_column("ledger_seal", name)
