"""Counts kept beside the market, and indexes by which a queue is read in its order."""

import sqlalchemy as sa
import sqlmodel
from alembic import op
from sqlalchemy.dialects import postgresql
from sqlalchemy.orm import Session

from services.market.counters.reconcile import rebuild_counters

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def _text(name: str, length: int) -> sa.Column[str]:
    return sa.Column(name, sqlmodel.sql.sqltypes.AutoString(length=length), nullable=False)


def _whole(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.Integer(), nullable=False)


def _month() -> sa.Column[int]:
    return sa.Column("month", sa.Integer(), autoincrement=False, nullable=False)


def _kw() -> sa.Column[int]:
    return sa.Column("kw", sa.BigInteger(), nullable=False)


def _who(name: str = "addressed_to") -> sa.Column[object]:
    return sa.Column(name, sa.Uuid(), nullable=False)


def _table(name: str, keys: list[sa.Column[object]], *rest: sa.Column[object]) -> None:
    key = sa.PrimaryKeyConstraint(*(column.name for column in keys))
    op.create_table(name, *keys, *rest, key, sqlite_with_rowid=False)


def upgrade() -> None:
    """Add them, and fill them from the applications, steps and units that are there."""
    product, status = _text("product_code", 20), _text("status", 40)
    _table(
        "qualified_tally",
        [_who(), _text("product_code", 20), _text("gsp_group", 4), _month()],
        _whole("steps"),
        _whole("number"),
        _kw(),
    )
    keys = [_who(), _text("product_code", 20), _month(), _text("outcome", 40), _text("reason_code", 40)]
    _table("decision_tally", keys, _whole("number"))
    days = sa.Column("working_days", sa.Integer(), autoincrement=False, nullable=False)
    keys = [_text("dimension", 10), _who(), _text("product_code", 20), _month(), days]
    _table("days_tally", keys, _whole("number"))
    due = sa.Column("due_on", sa.Date(), nullable=False)
    _table("standing_tally", [_who(), product, status, due], _whole("number"))
    keys = [_who(), _text("dimension", 10), _text("code", 40), _text("status", 40)]
    _table("queue_tally", keys, _whole("number"))
    _table("ending_tally", [_who(), _text("product_code", 20), _month()], _whole("number"), _kw())
    counts = [_whole(name) for name in ("units", "assets", "applied", "qualified")]
    _table("unit_tally", [_who(), _text("family", 40)], *counts)
    op.create_table(
        "unit_counted",
        sa.Column("unit_id", sa.Uuid(), nullable=False),
        sa.Column(
            "counted", sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), "postgresql"), nullable=False
        ),
        sa.ForeignKeyConstraint(["unit_id"], ["market_unit.id"]),
        sa.PrimaryKeyConstraint("unit_id"),
    )
    _figures()
    op.create_index("qualification_by_clock", "qualification", ["addressed_to", "due_on", "id"], unique=False)
    op.create_index("qualification_by_due", "qualification", ["due_on", "id"], unique=False)
    session = Session(op.get_bind())
    rebuild_counters(session)
    session.flush()


def _figures() -> None:
    _table(
        "market_figure",
        [_text("figure", 20), _month(), _text("code", 60)],
        _whole("steps"),
        _whole("number"),
        _kw(),
        _whole("providers"),
        sa.Column("first_provider", sa.Uuid(), nullable=True),
        sa.Column("last_provider", sa.Uuid(), nullable=True),
    )
    _table(
        "figure_provider",
        [_text("figure", 20), _month(), _text("code", 60), _who("service_provider_id")],
        _whole("steps"),
        _whole("number"),
        _kw(),
    )


def downgrade() -> None:
    """Take them away again."""
    op.drop_index("qualification_by_due", table_name="qualification")
    op.drop_index("qualification_by_clock", table_name="qualification")
    for name in (
        "figure_provider", "market_figure", "unit_counted", "unit_tally", "ending_tally", "queue_tally", "standing_tally",
        "days_tally", "decision_tally", "qualified_tally",
    ):  # fmt: skip
        op.drop_table(name)
