"""${message.strip().rstrip(".").capitalize()}."""

import sqlalchemy as sa
import sqlmodel
from alembic import op

import models.base
${imports if imports else ""}
revision = "${up_revision}"
down_revision = "${down_revision}"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add them."""
    ${upgrades if upgrades else "pass"}


def downgrade() -> None:
    """Take them away."""
    ${downgrades if downgrades else "pass"}
