"""The market: products, units and their assets over time, applications and what is said of them."""

import sqlalchemy as sa
import sqlmodel
from alembic import op
from sqlalchemy.dialects import postgresql

import models.base

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the tables; nothing that is there changes."""
    op.create_table(
        "market_table",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("recorded_at", models.base.UtcDateTime(), nullable=False),
        sa.Column("recorded_by", sa.Uuid(), nullable=True),
        sa.Column(
            "kind",
            sa.Enum("EQUIVALENCES", "STACKING", name="markettablekind", native_enum=False, length=40),
            nullable=False,
        ),
        sa.Column("edition", sa.Integer(), nullable=False),
        sa.Column("published_at", models.base.UtcDateTime(), nullable=False),
        sa.Column("source", sqlmodel.sql.sqltypes.AutoString(length=300), nullable=False),
        sa.Column("source_date", sa.Date(), nullable=False),
        sa.Column("reason", sqlmodel.sql.sqltypes.AutoString(length=1000), nullable=True),
        sa.Column(
            "rows", sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), "postgresql"), nullable=False
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("kind", "edition", name="market_table_edition"),
    )
    op.create_table(
        "product",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("recorded_at", models.base.UtcDateTime(), nullable=False),
        sa.Column("recorded_by", sa.Uuid(), nullable=True),
        sa.Column("code", sqlmodel.sql.sqltypes.AutoString(length=20), nullable=False),
        sa.Column(
            "status",
            sa.Enum("ACTIVE", "DEPRECATED", name="productstatus", native_enum=False, length=40),
            nullable=False,
        ),
        sa.Column("current_version", sa.Integer(), nullable=False),
        sa.Column("deprecated_from", sa.Date(), nullable=True),
        sa.Column("deprecation_reason", sqlmodel.sql.sqltypes.AutoString(length=1000), nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("code"),
    )
    op.create_table(
        "market_unit",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("recorded_at", models.base.UtcDateTime(), nullable=False),
        sa.Column("recorded_by", sa.Uuid(), nullable=True),
        sa.Column("service_provider_id", sa.Uuid(), nullable=False),
        sa.Column("code", sqlmodel.sql.sqltypes.AutoString(length=40), nullable=False),
        sa.Column("name", sqlmodel.sql.sqltypes.AutoString(length=255), nullable=False),
        sa.Column(
            "family",
            sa.Enum("RESPONSE", "RESERVE", "CONSTRAINT", "DSO", name="family", native_enum=False, length=40),
            nullable=False,
        ),
        sa.Column(
            "status", sa.Enum("ACTIVE", "DEREGISTERED", name="unitstatus", native_enum=False, length=40), nullable=False
        ),
        sa.Column("status_reason", sqlmodel.sql.sqltypes.AutoString(length=1000), nullable=True),
        sa.Column("status_since", models.base.UtcDateTime(), nullable=False),
        sa.Column("composition", sa.Integer(), nullable=False),
        sa.Column("reassigned_from", sa.Uuid(), nullable=True),
        sa.Column("reassignment_evidence", sqlmodel.sql.sqltypes.AutoString(length=1000), nullable=True),
        sa.ForeignKeyConstraint(
            ["service_provider_id"],
            ["organisation.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("service_provider_id", "code", name="market_unit_code_once"),
    )
    op.create_index("market_unit_by_provider", "market_unit", ["service_provider_id", "status", "id"], unique=False)
    op.create_index("market_unit_by_status", "market_unit", ["status", "id"], unique=False)
    op.create_table(
        "product_proposal",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("recorded_at", models.base.UtcDateTime(), nullable=False),
        sa.Column("recorded_by", sa.Uuid(), nullable=True),
        sa.Column(
            "kind",
            sa.Enum("NEW", "CHANGE", "DEPRECATE", name="proposalkind", native_enum=False, length=40),
            nullable=False,
        ),
        sa.Column(
            "status",
            sa.Enum(
                "PROPOSED",
                "QUESTION",
                "APPROVED",
                "REFUSED",
                "WITHDRAWN",
                name="proposalstatus",
                native_enum=False,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("code", sqlmodel.sql.sqltypes.AutoString(length=20), nullable=False),
        sa.Column("base_version", sa.Integer(), nullable=True),
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("proposed_by", sqlmodel.sql.sqltypes.AutoString(length=200), nullable=False),
        sa.Column("proposed_at", models.base.UtcDateTime(), nullable=False),
        sa.Column("effective_from", sa.Date(), nullable=False),
        sa.Column(
            "document", sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), "postgresql"), nullable=False
        ),
        sa.Column("reason", sqlmodel.sql.sqltypes.AutoString(length=2000), nullable=False),
        sa.Column(
            "said", sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), "postgresql"), nullable=False
        ),
        sa.Column("decided_at", models.base.UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["organisation_id"],
            ["organisation.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("product_proposal_by_organisation", "product_proposal", ["organisation_id", "id"], unique=False)
    op.create_index("product_proposal_by_status", "product_proposal", ["status", "id"], unique=False)
    op.create_table(
        "product_version",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("recorded_at", models.base.UtcDateTime(), nullable=False),
        sa.Column("recorded_by", sa.Uuid(), nullable=True),
        sa.Column("product_id", sa.Uuid(), nullable=False),
        sa.Column("code", sqlmodel.sql.sqltypes.AutoString(length=20), nullable=False),
        sa.Column("product_version", sa.Integer(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("name", sqlmodel.sql.sqltypes.AutoString(length=200), nullable=False),
        sa.Column("sub_market", sqlmodel.sql.sqltypes.AutoString(length=60), nullable=False),
        sa.Column(
            "family",
            sa.Enum("RESPONSE", "RESERVE", "CONSTRAINT", "DSO", name="family", native_enum=False, length=40),
            nullable=False,
        ),
        sa.Column(
            "procurers", sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), "postgresql"), nullable=False
        ),
        sa.Column(
            "direction", sa.Enum("up", "down", "both", name="direction", native_enum=False, length=40), nullable=False
        ),
        sa.Column("min_capacity", models.base.Kilowatts(), nullable=True),
        sa.Column("max_capacity", models.base.Kilowatts(), nullable=True),
        sa.Column("full_delivery_s", sa.Integer(), nullable=True),
        sa.Column("min_duration_min", sa.Integer(), nullable=True),
        sa.Column("metering", sqlmodel.sql.sqltypes.AutoString(length=200), nullable=True),
        sa.Column(
            "aggregation",
            sa.Enum(
                "none",
                "constraint zone",
                "GSP group",
                "Scottish GSP",
                "national",
                name="spread",
                native_enum=False,
                length=40,
            ),
            nullable=True,
        ),
        sa.Column(
            "phase", sa.Enum("go-live", "phase-3", "legacy", name="phase", native_enum=False, length=40), nullable=False
        ),
        sa.Column("stacking_code", sqlmodel.sql.sqltypes.AutoString(length=20), nullable=True),
        sa.Column("portable", sa.Boolean(), nullable=False),
        sa.Column("notes", sqlmodel.sql.sqltypes.AutoString(length=2000), nullable=True),
        sa.Column("source", sqlmodel.sql.sqltypes.AutoString(length=300), nullable=False),
        sa.Column("source_date", sa.Date(), nullable=False),
        sa.ForeignKeyConstraint(
            ["product_id"],
            ["product.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("code", "product_version", name="product_version_once"),
    )
    op.create_index(op.f("ix_product_version_product_id"), "product_version", ["product_id"], unique=False)
    op.create_table(
        "data_package",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("recorded_at", models.base.UtcDateTime(), nullable=False),
        sa.Column("recorded_by", sa.Uuid(), nullable=True),
        sa.Column("unit_id", sa.Uuid(), nullable=False),
        sa.Column("service_provider_id", sa.Uuid(), nullable=False),
        sa.Column("composition", sa.Integer(), nullable=False),
        sa.Column("made_at", models.base.UtcDateTime(), nullable=False),
        sa.Column("assets", sa.Integer(), nullable=False),
        sa.Column("sha256", sqlmodel.sql.sqltypes.AutoString(length=64), nullable=False),
        sa.Column(
            "summary", sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), "postgresql"), nullable=False
        ),
        sa.ForeignKeyConstraint(
            ["service_provider_id"],
            ["organisation.id"],
        ),
        sa.ForeignKeyConstraint(
            ["unit_id"],
            ["market_unit.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(op.f("ix_data_package_unit_id"), "data_package", ["unit_id"], unique=False)
    op.create_table(
        "unit_area",
        sa.Column("unit_id", sa.Uuid(), nullable=False),
        sa.Column("dno_code", sqlmodel.sql.sqltypes.AutoString(length=40), nullable=False),
        sa.Column("gsp_group", sqlmodel.sql.sqltypes.AutoString(length=4), nullable=False),
        sa.Column("assets", sa.Integer(), nullable=False),
        sa.Column("up", models.base.Kilowatts(), nullable=False),
        sa.Column("down", models.base.Kilowatts(), nullable=False),
        sa.ForeignKeyConstraint(
            ["unit_id"],
            ["market_unit.id"],
        ),
        sa.PrimaryKeyConstraint("unit_id", "dno_code", "gsp_group"),
    )
    op.create_index("unit_area_by_dno", "unit_area", ["dno_code", "unit_id"], unique=False)
    op.create_index("unit_area_by_group", "unit_area", ["gsp_group", "unit_id"], unique=False)
    op.create_table(
        "unit_capability",
        sa.Column("unit_id", sa.Uuid(), nullable=False),
        sa.Column("unit_type", sa.Enum("SPU", "SPG", name="unittype", native_enum=False, length=40), nullable=False),
        sa.Column("assets", sa.Integer(), nullable=False),
        sa.Column("accounting_points", sa.Integer(), nullable=False),
        sa.Column("rated", models.base.Kilowatts(), nullable=False),
        sa.Column("up", models.base.Kilowatts(), nullable=False),
        sa.Column("down", models.base.Kilowatts(), nullable=False),
        sa.Column("energy_kwh", models.base.Kilowatts(), nullable=True),
        sa.Column("response_s", sa.Integer(), nullable=True),
        sa.Column("duration_min", sa.Integer(), nullable=True),
        sa.Column(
            "limits", sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), "postgresql"), nullable=False
        ),
        sa.Column("not_verified", sa.Integer(), nullable=False),
        sa.Column("counted_at", models.base.UtcDateTime(), nullable=False),
        sa.Column("stale", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["unit_id"],
            ["market_unit.id"],
        ),
        sa.PrimaryKeyConstraint("unit_id"),
    )
    op.create_table(
        "unit_history",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("unit_id", sa.Uuid(), nullable=False),
        sa.Column("at", models.base.UtcDateTime(), nullable=False),
        sa.Column("composition", sa.Integer(), nullable=False),
        sa.Column("unit_type", sa.Enum("SPU", "SPG", name="unittype", native_enum=False, length=40), nullable=False),
        sa.Column("assets", sa.BigInteger(), nullable=False),
        sa.Column("added", sa.Integer(), nullable=False),
        sa.Column("removed", sa.Integer(), nullable=False),
        sa.Column("up", models.base.Kilowatts(), nullable=False),
        sa.Column("down", models.base.Kilowatts(), nullable=False),
        sa.ForeignKeyConstraint(
            ["unit_id"],
            ["market_unit.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("unit_history_by_unit", "unit_history", ["unit_id", "at"], unique=False)
    op.create_table(
        "unit_member",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("recorded_at", models.base.UtcDateTime(), nullable=False),
        sa.Column("recorded_by", sa.Uuid(), nullable=True),
        sa.Column("unit_id", sa.Uuid(), nullable=False),
        sa.Column("asset_id", sa.Uuid(), nullable=False),
        sa.Column(
            "family",
            sa.Enum("RESPONSE", "RESERVE", "CONSTRAINT", "DSO", name="family", native_enum=False, length=40),
            nullable=False,
        ),
        sa.Column("from_at", models.base.UtcDateTime(), nullable=False),
        sa.Column("until_at", models.base.UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["asset_id"],
            ["asset.id"],
        ),
        sa.ForeignKeyConstraint(
            ["unit_id"],
            ["market_unit.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("unit_member_by_asset", "unit_member", ["asset_id", "unit_id"], unique=False)
    op.create_index("unit_member_by_unit", "unit_member", ["unit_id", "asset_id"], unique=False)
    op.create_index(
        "unit_member_once",
        "unit_member",
        ["asset_id", "family"],
        unique=True,
        sqlite_where=sa.text("until_at IS NULL"),
        postgresql_where=sa.text("until_at IS NULL"),
    )
    op.create_table(
        "data_package_content",
        sa.Column("package_id", sa.Uuid(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["package_id"],
            ["data_package.id"],
        ),
        sa.PrimaryKeyConstraint("package_id"),
    )
    op.create_table(
        "qualification",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("recorded_at", models.base.UtcDateTime(), nullable=False),
        sa.Column("recorded_by", sa.Uuid(), nullable=True),
        sa.Column("unit_id", sa.Uuid(), nullable=False),
        sa.Column("service_provider_id", sa.Uuid(), nullable=False),
        sa.Column("product_code", sqlmodel.sql.sqltypes.AutoString(length=20), nullable=False),
        sa.Column("product_version", sa.Integer(), nullable=False),
        sa.Column(
            "family",
            sa.Enum("RESPONSE", "RESERVE", "CONSTRAINT", "DSO", name="family", native_enum=False, length=40),
            nullable=False,
        ),
        sa.Column("addressed_to", sa.Uuid(), nullable=False),
        sa.Column(
            "status",
            sa.Enum(
                "SUBMITTED",
                "IN_ASSESSMENT",
                "INFORMATION_REQUESTED",
                "QUALIFIED",
                "FAILED",
                "WITHDRAWN",
                "EXPIRED",
                "SUSPENDED",
                "REASSESSMENT_REQUIRED",
                name="qualificationstatus",
                native_enum=False,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("status_since", models.base.UtcDateTime(), nullable=False),
        sa.Column("status_reason", sqlmodel.sql.sqltypes.AutoString(length=2000), nullable=True),
        sa.Column("reason_code", sqlmodel.sql.sqltypes.AutoString(length=40), nullable=True),
        sa.Column("submitted_at", models.base.UtcDateTime(), nullable=False),
        sa.Column("decided_at", models.base.UtcDateTime(), nullable=True),
        sa.Column("qualified_at", models.base.UtcDateTime(), nullable=True),
        sa.Column("valid_from", sa.Date(), nullable=True),
        sa.Column("valid_until", sa.Date(), nullable=True),
        sa.Column("conditions", sqlmodel.sql.sqltypes.AutoString(length=2000), nullable=True),
        sa.Column("assigned_to", sa.Uuid(), nullable=True),
        sa.Column("assigned_name", sqlmodel.sql.sqltypes.AutoString(length=200), nullable=True),
        sa.Column("due_on", sa.Date(), nullable=True),
        sa.Column("days_used", sa.Integer(), nullable=False),
        sa.Column("clock_from", models.base.UtcDateTime(), nullable=True),
        sa.Column("capacity", models.base.Kilowatts(), nullable=False),
        sa.Column("gsp_group", sqlmodel.sql.sqltypes.AutoString(length=4), nullable=False),
        sa.Column("package_id", sa.Uuid(), nullable=False),
        sa.Column("accepted_from", sa.Uuid(), nullable=True),
        sa.Column("justification", sqlmodel.sql.sqltypes.AutoString(length=2000), nullable=True),
        sa.Column("reassess_after", sqlmodel.sql.sqltypes.AutoString(length=40), nullable=True),
        sa.ForeignKeyConstraint(
            ["addressed_to"],
            ["organisation.id"],
        ),
        sa.ForeignKeyConstraint(
            ["package_id"],
            ["data_package.id"],
        ),
        sa.ForeignKeyConstraint(
            ["service_provider_id"],
            ["organisation.id"],
        ),
        sa.ForeignKeyConstraint(
            ["unit_id"],
            ["market_unit.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("qualification_by_expiry", "qualification", ["status", "valid_until", "id"], unique=False)
    op.create_index("qualification_by_product", "qualification", ["product_code", "status", "id"], unique=False)
    op.create_index("qualification_by_provider", "qualification", ["service_provider_id", "status", "id"], unique=False)
    op.create_index("qualification_by_status", "qualification", ["status", "due_on", "id"], unique=False)
    op.create_index("qualification_by_unit", "qualification", ["unit_id", "id"], unique=False)
    op.create_index(
        "qualification_once",
        "qualification",
        ["unit_id", "product_code", "addressed_to"],
        unique=True,
        sqlite_where=sa.text("status NOT IN ('FAILED', 'WITHDRAWN', 'EXPIRED')"),
        postgresql_where=sa.text("status NOT IN ('FAILED', 'WITHDRAWN', 'EXPIRED')"),
    )
    op.create_index("qualification_queue", "qualification", ["addressed_to", "status", "due_on", "id"], unique=False)
    op.create_table(
        "qualification_notice",
        sa.Column("qualification_id", sa.Uuid(), nullable=False),
        sa.Column("valid_until", sa.Date(), nullable=False),
        sa.Column("days", sa.Integer(), nullable=False),
        sa.Column("at", models.base.UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["qualification_id"],
            ["qualification.id"],
        ),
        sa.PrimaryKeyConstraint("qualification_id", "valid_until", "days"),
    )
    op.create_table(
        "qualification_message",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("recorded_at", models.base.UtcDateTime(), nullable=False),
        sa.Column("recorded_by", sa.Uuid(), nullable=True),
        sa.Column("qualification_id", sa.Uuid(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum("QUESTION", "ANSWER", "DECISION", "COMMENT", name="saidkind", native_enum=False, length=40),
            nullable=False,
        ),
        sa.Column("text", sqlmodel.sql.sqltypes.AutoString(length=4000), nullable=False),
        sa.Column("author_name", sqlmodel.sql.sqltypes.AutoString(length=200), nullable=False),
        sa.Column("author_organisation_id", sa.Uuid(), nullable=True),
        sa.Column("sent_at", models.base.UtcDateTime(), nullable=False),
        sa.Column("only_for", sa.Uuid(), nullable=True),
        sa.ForeignKeyConstraint(
            ["qualification_id"],
            ["qualification.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(
        "qualification_message_by_qualification", "qualification_message", ["qualification_id", "id"], unique=False
    )
    op.create_table(
        "qualification_step",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("qualification_id", sa.Uuid(), nullable=False),
        sa.Column("at", models.base.UtcDateTime(), nullable=False),
        sa.Column("from_status", sqlmodel.sql.sqltypes.AutoString(length=40), nullable=True),
        sa.Column("to_status", sqlmodel.sql.sqltypes.AutoString(length=40), nullable=False),
        sa.Column("reason_code", sqlmodel.sql.sqltypes.AutoString(length=40), nullable=True),
        sa.Column("product_code", sqlmodel.sql.sqltypes.AutoString(length=20), nullable=False),
        sa.Column("addressed_to", sa.Uuid(), nullable=False),
        sa.Column("service_provider_id", sa.Uuid(), nullable=False),
        sa.Column("gsp_group", sqlmodel.sql.sqltypes.AutoString(length=4), nullable=False),
        sa.Column("capacity", models.base.Kilowatts(), nullable=False),
        sa.Column("working_days", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["qualification_id"],
            ["qualification.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(
        "qualification_step_by_qualification", "qualification_step", ["qualification_id", "id"], unique=False
    )
    op.create_index("qualification_step_by_time", "qualification_step", ["at"], unique=False)
    op.create_table(
        "qualification_attachment",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("recorded_at", models.base.UtcDateTime(), nullable=False),
        sa.Column("recorded_by", sa.Uuid(), nullable=True),
        sa.Column("qualification_id", sa.Uuid(), nullable=False),
        sa.Column("message_id", sa.Uuid(), nullable=False),
        sa.Column("file_name", sqlmodel.sql.sqltypes.AutoString(length=200), nullable=False),
        sa.Column("media_type", sqlmodel.sql.sqltypes.AutoString(length=100), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("sha256", sqlmodel.sql.sqltypes.AutoString(length=64), nullable=False),
        sa.Column("only_for", sa.Uuid(), nullable=True),
        sa.ForeignKeyConstraint(
            ["message_id"],
            ["qualification_message.id"],
        ),
        sa.ForeignKeyConstraint(
            ["qualification_id"],
            ["qualification.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(
        op.f("ix_qualification_attachment_qualification_id"),
        "qualification_attachment",
        ["qualification_id"],
        unique=False,
    )
    op.create_index("qualification_attachment_by_message", "qualification_attachment", ["message_id"], unique=False)
    op.create_table(
        "qualification_attachment_content",
        sa.Column("attachment_id", sa.Uuid(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["attachment_id"],
            ["qualification_attachment.id"],
        ),
        sa.PrimaryKeyConstraint("attachment_id"),
    )


def downgrade() -> None:
    """Take the tables away."""
    op.drop_table("qualification_attachment_content")
    op.drop_index("qualification_attachment_by_message", table_name="qualification_attachment")
    op.drop_index(op.f("ix_qualification_attachment_qualification_id"), table_name="qualification_attachment")
    op.drop_table("qualification_attachment")
    op.drop_index("qualification_step_by_time", table_name="qualification_step")
    op.drop_index("qualification_step_by_qualification", table_name="qualification_step")
    op.drop_table("qualification_notice")
    op.drop_table("qualification_step")
    op.drop_index("qualification_message_by_qualification", table_name="qualification_message")
    op.drop_table("qualification_message")
    op.drop_index("qualification_queue", table_name="qualification")
    op.drop_index(
        "qualification_once",
        table_name="qualification",
        sqlite_where=sa.text("status NOT IN ('FAILED', 'WITHDRAWN', 'EXPIRED')"),
        postgresql_where=sa.text("status NOT IN ('FAILED', 'WITHDRAWN', 'EXPIRED')"),
    )
    op.drop_index("qualification_by_unit", table_name="qualification")
    op.drop_index("qualification_by_status", table_name="qualification")
    op.drop_index("qualification_by_provider", table_name="qualification")
    op.drop_index("qualification_by_product", table_name="qualification")
    op.drop_index("qualification_by_expiry", table_name="qualification")
    op.drop_table("qualification")
    op.drop_table("data_package_content")
    op.drop_index(
        "unit_member_once",
        table_name="unit_member",
        sqlite_where=sa.text("until_at IS NULL"),
        postgresql_where=sa.text("until_at IS NULL"),
    )
    op.drop_index("unit_member_by_unit", table_name="unit_member")
    op.drop_index("unit_member_by_asset", table_name="unit_member")
    op.drop_table("unit_member")
    op.drop_index("unit_history_by_unit", table_name="unit_history")
    op.drop_table("unit_history")
    op.drop_table("unit_capability")
    op.drop_index("unit_area_by_group", table_name="unit_area")
    op.drop_index("unit_area_by_dno", table_name="unit_area")
    op.drop_table("unit_area")
    op.drop_index(op.f("ix_data_package_unit_id"), table_name="data_package")
    op.drop_table("data_package")
    op.drop_index(op.f("ix_product_version_product_id"), table_name="product_version")
    op.drop_table("product_version")
    op.drop_index("product_proposal_by_status", table_name="product_proposal")
    op.drop_index("product_proposal_by_organisation", table_name="product_proposal")
    op.drop_table("product_proposal")
    op.drop_index("market_unit_by_status", table_name="market_unit")
    op.drop_index("market_unit_by_provider", table_name="market_unit")
    op.drop_table("market_unit")
    op.drop_table("product")
    op.drop_table("market_table")
