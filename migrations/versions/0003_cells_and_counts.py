"""The cell in which an asset lies, indexes for every order of a list, and counts kept beside the assets."""

import sqlalchemy as sa
import sqlmodel
from alembic import op

from services.assets.cells import cell_of
from services.assets.counters.reconcile import rebuild

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


CHUNK = 10_000


def upgrade() -> None:
    """Add them, and fill them for the assets that are there."""
    op.create_table(
        "asset_cell_tally",
        sa.Column("asset_category", sqlmodel.sql.sqltypes.AutoString(length=40), nullable=False),
        sa.Column("status", sqlmodel.sql.sqltypes.AutoString(length=40), nullable=False),
        sa.Column("cell", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("dno_connection", sqlmodel.sql.sqltypes.AutoString(length=40), nullable=False),
        sa.Column("gsp_group", sqlmodel.sql.sqltypes.AutoString(length=4), nullable=False),
        sa.Column("assets", sa.Integer(), nullable=False),
        sa.Column("rated", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("asset_category", "status", "cell", "dno_connection", "gsp_group"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "asset_month_tally",
        sa.Column("dno_connection", sqlmodel.sql.sqltypes.AutoString(length=40), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("month", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("assets", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("dno_connection", "active", "month"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "asset_provider_tally",
        sa.Column("dimension", sqlmodel.sql.sqltypes.AutoString(length=10), nullable=False),
        sa.Column("code", sqlmodel.sql.sqltypes.AutoString(length=40), nullable=False),
        sa.Column("service_provider_id", sa.Uuid(), nullable=False),
        sa.Column("assets", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("dimension", "code", "service_provider_id"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "asset_tally",
        sa.Column("asset_category", sqlmodel.sql.sqltypes.AutoString(length=40), nullable=False),
        sa.Column("status", sqlmodel.sql.sqltypes.AutoString(length=40), nullable=False),
        sa.Column("dno_connection", sqlmodel.sql.sqltypes.AutoString(length=40), nullable=False),
        sa.Column("gsp_group", sqlmodel.sql.sqltypes.AutoString(length=4), nullable=False),
        sa.Column("assets", sa.Integer(), nullable=False),
        sa.Column("rated", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("asset_category", "status", "dno_connection", "gsp_group"),
        sqlite_with_rowid=False,
    )
    op.add_column("asset", sa.Column("cell", sa.BigInteger(), nullable=True))
    fill()
    op.drop_index(op.f("asset_by_category"), table_name="asset")
    op.create_index("asset_by_category", "asset", ["asset_category", "id", "dno_connection", "status"], unique=False)
    op.drop_index(op.f("asset_by_status"), table_name="asset")
    op.create_index("asset_by_status", "asset", ["status", "id", "dno_connection", "asset_category"], unique=False)
    op.create_index(
        "asset_by_capacity",
        "asset",
        ["rated_capacity", "id", "dno_connection", "status", "asset_category"],
        unique=False,
    )
    op.create_index(
        "asset_by_cell",
        "asset",
        ["cell", "status", "asset_category", "rated_capacity", "dno_connection", "gsp_group", "service_provider_id"],
        unique=False,
    )
    op.create_index(
        "asset_by_name", "asset", ["asset_name", "id", "dno_connection", "status", "asset_category"], unique=False
    )
    op.create_index(
        "asset_by_status_since",
        "asset",
        ["status_since", "id", "dno_connection", "status", "asset_category"],
        unique=False,
    )
    op.create_index("asset_by_submitter", "asset", ["submitted_by_organisation", "id"], unique=False)
    op.create_index("asset_newest", "asset", ["id", "dno_connection", "status", "asset_category"], unique=False)
    op.create_index(
        "asset_waiting", "asset", ["status", "status_since", "id", "dno_connection", "asset_category"], unique=False
    )


def fill() -> None:
    """Work the cells out, chunk by chunk in the order of identifiers; then count."""
    connection = op.get_bind()
    asset = sa.table(
        "asset",
        sa.column("id", sa.Uuid()),
        sa.column("latitude", sa.Float()),
        sa.column("longitude", sa.Float()),
        sa.column("cell", sa.BigInteger()),
    )
    placed = (asset.c.latitude.is_not(None), asset.c.longitude.is_not(None))
    chosen = sa.select(asset.c.id, asset.c.latitude, asset.c.longitude).where(*placed).order_by(asset.c.id).limit(CHUNK)
    update = asset.update().where(asset.c.id == sa.bindparam("of")).values(cell=sa.bindparam("to"))
    rows = connection.execute(chosen).all()
    while rows:
        connection.execute(update, [{"of": one, "to": cell_of(lat, lon)} for one, lat, lon in rows])
        rows = connection.execute(chosen.where(asset.c.id > rows[-1][0])).all()
    rebuild(connection)


def downgrade() -> None:
    """Take them away again."""
    op.drop_index("asset_waiting", table_name="asset")
    op.drop_index("asset_newest", table_name="asset")
    op.drop_index("asset_by_submitter", table_name="asset")
    op.drop_index("asset_by_status_since", table_name="asset")
    op.drop_index("asset_by_name", table_name="asset")
    op.drop_index("asset_by_cell", table_name="asset")
    op.drop_index("asset_by_capacity", table_name="asset")
    op.drop_index("asset_by_status", table_name="asset")
    op.create_index(op.f("asset_by_status"), "asset", ["status", "id"], unique=False)
    op.drop_index("asset_by_category", table_name="asset")
    op.create_index(op.f("asset_by_category"), "asset", ["asset_category", "id"], unique=False)
    op.drop_column("asset", "cell")
    op.drop_table("asset_tally")
    op.drop_table("asset_provider_tally")
    op.drop_table("asset_month_tally")
    op.drop_table("asset_cell_tally")
