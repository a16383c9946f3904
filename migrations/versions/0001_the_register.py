"""The register: all tables, and the triggers that keep the ledger append-only."""

import sqlalchemy as sa
import sqlmodel
from alembic import op
from sqlalchemy.dialects import postgresql

import models.base
from migrations.guards import guard, unguard

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables, then guard the ledger."""
    op.create_table(
        "access",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("at", models.base.UtcDateTime(), nullable=False),
        sa.Column("kind", sqlmodel.sql.sqltypes.AutoString(length=40), nullable=False),
        sa.Column("actor_key", sqlmodel.sql.sqltypes.AutoString(length=80), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=True),
        sa.Column("client_id", sqlmodel.sql.sqltypes.AutoString(length=80), nullable=True),
        sa.Column("organisation_id", sa.Uuid(), nullable=True),
        sa.Column("record_type", sqlmodel.sql.sqltypes.AutoString(length=40), nullable=True),
        sa.Column("record_id", sa.Uuid(), nullable=True),
        sa.Column(
            "detail", sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), "postgresql"), nullable=False
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("access_by_actor", "access", ["kind", "actor_key", "at"], unique=False)
    op.create_table(
        "asset_draft",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("asset_id", sa.Uuid(), nullable=True),
        sa.Column("asset_version", sa.Integer(), nullable=True),
        sa.Column(
            "values", sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), "postgresql"), nullable=False
        ),
        sa.Column("saved_at", models.base.UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("asset_draft_by_user", "asset_draft", ["user_id", "organisation_id"], unique=False)
    op.create_table(
        "category_schema",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("recorded_at", models.base.UtcDateTime(), nullable=False),
        sa.Column("recorded_by", sa.Uuid(), nullable=True),
        sa.Column("category", sqlmodel.sql.sqltypes.AutoString(length=40), nullable=False),
        sa.Column("schema_version", sa.Integer(), nullable=False),
        sa.Column(
            "status",
            sa.Enum("DRAFT", "PUBLISHED", "DEPRECATED", name="schemastatus", native_enum=False, length=40),
            nullable=False,
        ),
        sa.Column("document", sa.JSON(), nullable=False),
        sa.Column("published_at", models.base.UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("category", "schema_version", name="category_schema_version"),
    )
    op.create_table(
        "code_list_entry",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("recorded_at", models.base.UtcDateTime(), nullable=False),
        sa.Column("recorded_by", sa.Uuid(), nullable=True),
        sa.Column("list_name", sqlmodel.sql.sqltypes.AutoString(length=40), nullable=False),
        sa.Column("code", sqlmodel.sql.sqltypes.AutoString(length=60), nullable=False),
        sa.Column("label", sqlmodel.sql.sqltypes.AutoString(length=200), nullable=False),
        sa.Column("applies_to", sqlmodel.sql.sqltypes.AutoString(length=40), nullable=True),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("list_name", "code", name="code_list_entry_once"),
    )
    op.create_table(
        "event",
        sa.Column("seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("type", sqlmodel.sql.sqltypes.AutoString(length=60), nullable=False),
        sa.Column("record_type", sqlmodel.sql.sqltypes.AutoString(length=40), nullable=False),
        sa.Column("record_id", sa.Uuid(), nullable=False),
        sa.Column("organisation_id", sa.Uuid(), nullable=True),
        sa.Column("dno_code", sqlmodel.sql.sqltypes.AutoString(length=20), nullable=True),
        sa.Column(
            "payload", sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), "postgresql"), nullable=False
        ),
        sa.Column("occurred_at", models.base.UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("seq"),
        sa.UniqueConstraint("id"),
    )
    op.create_index("event_by_organisation", "event", ["organisation_id", "seq"], unique=False)
    op.create_index(op.f("ix_event_record_id"), "event", ["record_id"], unique=False)
    op.create_index(op.f("ix_event_type"), "event", ["type"], unique=False)
    op.create_table(
        "ledger_entry",
        sa.Column("seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("record_type", sqlmodel.sql.sqltypes.AutoString(length=40), nullable=False),
        sa.Column("record_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("operation", sqlmodel.sql.sqltypes.AutoString(length=80), nullable=False),
        sa.Column("use_case", sqlmodel.sql.sqltypes.AutoString(length=20), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=True),
        sa.Column("client_id", sqlmodel.sql.sqltypes.AutoString(length=80), nullable=True),
        sa.Column("organisation_id", sa.Uuid(), nullable=True),
        sa.Column("on_behalf_of", sa.Uuid(), nullable=True),
        sa.Column("recorded_at", models.base.UtcDateTime(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("previous_hash", sqlmodel.sql.sqltypes.AutoString(length=64), nullable=False),
        sa.Column("hash", sqlmodel.sql.sqltypes.AutoString(length=64), nullable=False),
        sa.PrimaryKeyConstraint("seq"),
        sa.UniqueConstraint("record_type", "record_id", "version", name="ledger_entry_chain"),
    )
    op.create_index("ledger_entry_by_time", "ledger_entry", ["recorded_at"], unique=False)
    op.create_table(
        "ledger_seal",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("recorded_at", models.base.UtcDateTime(), nullable=False),
        sa.Column("recorded_by", sa.Uuid(), nullable=True),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("first_seq", sa.Integer(), nullable=False),
        sa.Column("last_seq", sa.Integer(), nullable=False),
        sa.Column("entry_count", sa.Integer(), nullable=False),
        sa.Column("merkle_root", sqlmodel.sql.sqltypes.AutoString(length=64), nullable=False),
        sa.Column("previous_hash", sqlmodel.sql.sqltypes.AutoString(length=64), nullable=False),
        sa.Column("hash", sqlmodel.sql.sqltypes.AutoString(length=64), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("number"),
    )
    op.create_table(
        "organisation",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("recorded_at", models.base.UtcDateTime(), nullable=False),
        sa.Column("recorded_by", sa.Uuid(), nullable=True),
        sa.Column(
            "organisation_status",
            sa.Enum(
                "Pending Approval",
                "Active",
                "Refused",
                "Suspended",
                "Withdrawn",
                name="organisationstatus",
                native_enum=False,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("status_reason", sqlmodel.sql.sqltypes.AutoString(length=500), nullable=True),
        sa.Column("approved_at", models.base.UtcDateTime(), nullable=True),
        sa.Column(
            "approved_values",
            sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), "postgresql"),
            nullable=False,
        ),
        sa.Column("organisation_legal_name", sqlmodel.sql.sqltypes.AutoString(length=255), nullable=False),
        sa.Column("legal_name_key", sqlmodel.sql.sqltypes.AutoString(length=255), nullable=False),
        sa.Column("organisation_trading_name", sqlmodel.sql.sqltypes.AutoString(length=255), nullable=True),
        sa.Column("organisation_type", sqlmodel.sql.sqltypes.AutoString(length=40), nullable=False),
        sa.Column("organisation_type_description", sqlmodel.sql.sqltypes.AutoString(length=200), nullable=True),
        sa.Column(
            "organisation_roles",
            sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), "postgresql"),
            nullable=False,
        ),
        sa.Column("organisation_roles_description", sqlmodel.sql.sqltypes.AutoString(length=200), nullable=True),
        sa.Column("organisation_registration_number", sqlmodel.sql.sqltypes.AutoString(length=20), nullable=True),
        sa.Column("vat_registration_number", sqlmodel.sql.sqltypes.AutoString(length=20), nullable=True),
        sa.Column("year_of_registration", sa.Integer(), nullable=True),
        sa.Column("registered_address_line_1", sqlmodel.sql.sqltypes.AutoString(length=255), nullable=True),
        sa.Column("registered_address_line_2", sqlmodel.sql.sqltypes.AutoString(length=255), nullable=True),
        sa.Column("registered_city", sqlmodel.sql.sqltypes.AutoString(length=100), nullable=True),
        sa.Column("registered_county_or_state", sqlmodel.sql.sqltypes.AutoString(length=100), nullable=True),
        sa.Column("registered_postcode_or_zip", sqlmodel.sql.sqltypes.AutoString(length=20), nullable=True),
        sa.Column("registered_country", sqlmodel.sql.sqltypes.AutoString(length=60), nullable=True),
        sa.Column("country_of_incorporation", sqlmodel.sql.sqltypes.AutoString(length=60), nullable=True),
        sa.Column("non_uk_company_business_type", sqlmodel.sql.sqltypes.AutoString(length=100), nullable=True),
        sa.Column("non_uk_company_name", sqlmodel.sql.sqltypes.AutoString(length=255), nullable=True),
        sa.Column("organisation_website", sqlmodel.sql.sqltypes.AutoString(length=255), nullable=True),
        sa.Column("organisation_email", sqlmodel.sql.sqltypes.AutoString(length=255), nullable=True),
        sa.Column("primary_contact_first_name", sqlmodel.sql.sqltypes.AutoString(length=100), nullable=True),
        sa.Column("primary_contact_last_name", sqlmodel.sql.sqltypes.AutoString(length=100), nullable=True),
        sa.Column("primary_contact_email", sqlmodel.sql.sqltypes.AutoString(length=255), nullable=True),
        sa.Column("primary_mobile_number", sqlmodel.sql.sqltypes.AutoString(length=20), nullable=True),
        sa.Column("primary_mobile_number_country_code", sqlmodel.sql.sqltypes.AutoString(length=6), nullable=True),
        sa.Column("primary_contact_role", sqlmodel.sql.sqltypes.AutoString(length=100), nullable=True),
        sa.Column("secondary_contact_first_name", sqlmodel.sql.sqltypes.AutoString(length=100), nullable=True),
        sa.Column("secondary_contact_last_name", sqlmodel.sql.sqltypes.AutoString(length=100), nullable=True),
        sa.Column("secondary_contact_email", sqlmodel.sql.sqltypes.AutoString(length=255), nullable=True),
        sa.Column("secondary_contact_mobile_number", sqlmodel.sql.sqltypes.AutoString(length=20), nullable=True),
        sa.Column(
            "secondary_contact_mobile_number_country_code", sqlmodel.sql.sqltypes.AutoString(length=6), nullable=True
        ),
        sa.Column("secondary_contact_role", sqlmodel.sql.sqltypes.AutoString(length=100), nullable=True),
        sa.Column("technical_it_contact_first_name", sqlmodel.sql.sqltypes.AutoString(length=100), nullable=True),
        sa.Column("technical_it_contact_last_name", sqlmodel.sql.sqltypes.AutoString(length=100), nullable=True),
        sa.Column("technical_it_contact_email", sqlmodel.sql.sqltypes.AutoString(length=255), nullable=True),
        sa.Column("technical_it_mobile_number", sqlmodel.sql.sqltypes.AutoString(length=20), nullable=True),
        sa.Column("technical_it_mobile_number_country_code", sqlmodel.sql.sqltypes.AutoString(length=6), nullable=True),
        sa.Column(
            "identifiers", sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), "postgresql"), nullable=False
        ),
        sa.Column(
            "licence_areas",
            sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), "postgresql"),
            nullable=False,
        ),
        sa.Column(
            "registry_check",
            sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), "postgresql"),
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(
        "organisation_legal_name_key",
        "organisation",
        ["legal_name_key"],
        unique=True,
        sqlite_where=sa.text("organisation_status NOT IN ('Refused', 'Withdrawn')"),
        postgresql_where=sa.text("organisation_status NOT IN ('Refused', 'Withdrawn')"),
    )
    op.create_index("organisation_list", "organisation", ["organisation_status", "id"], unique=False)
    op.create_index(
        "organisation_registration_number",
        "organisation",
        ["organisation_registration_number"],
        unique=True,
        sqlite_where=sa.text("organisation_status NOT IN ('Refused', 'Withdrawn')"),
        postgresql_where=sa.text("organisation_status NOT IN ('Refused', 'Withdrawn')"),
    )
    op.create_index(
        "organisation_vat_registration_number",
        "organisation",
        ["vat_registration_number"],
        unique=True,
        sqlite_where=sa.text("organisation_status NOT IN ('Refused', 'Withdrawn')"),
        postgresql_where=sa.text("organisation_status NOT IN ('Refused', 'Withdrawn')"),
    )
    op.create_table(
        "periodic_run",
        sa.Column("job", sqlmodel.sql.sqltypes.AutoString(length=80), nullable=False),
        sa.Column("due_at", models.base.UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("job"),
    )
    op.create_table(
        "setting",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("recorded_at", models.base.UtcDateTime(), nullable=False),
        sa.Column("recorded_by", sa.Uuid(), nullable=True),
        sa.Column("key", sqlmodel.sql.sqltypes.AutoString(length=80), nullable=False),
        sa.Column("value", sqlmodel.sql.sqltypes.AutoString(length=200), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("key"),
    )
    op.create_table(
        "source_edition",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("recorded_at", models.base.UtcDateTime(), nullable=False),
        sa.Column("recorded_by", sa.Uuid(), nullable=True),
        sa.Column("kind", sa.Enum("ECR", "REPD", name="sourcekind", native_enum=False, length=40), nullable=False),
        sa.Column("publisher", sqlmodel.sql.sqltypes.AutoString(length=100), nullable=False),
        sa.Column("name", sqlmodel.sql.sqltypes.AutoString(length=200), nullable=False),
        sa.Column("edition_date", sa.Date(), nullable=False),
        sa.Column("licence", sqlmodel.sql.sqltypes.AutoString(length=200), nullable=False),
        sa.Column("sha256", sqlmodel.sql.sqltypes.AutoString(length=64), nullable=False),
        sa.Column(
            "counts", sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), "postgresql"), nullable=False
        ),
        sa.Column(
            "findings", sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), "postgresql"), nullable=False
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("kind", "publisher", "sha256", name="source_edition_once"),
    )
    op.create_table(
        "user",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("recorded_at", models.base.UtcDateTime(), nullable=False),
        sa.Column("recorded_by", sa.Uuid(), nullable=True),
        sa.Column("email", sqlmodel.sql.sqltypes.AutoString(length=255), nullable=False),
        sa.Column("full_name", sqlmodel.sql.sqltypes.AutoString(length=200), nullable=False),
        sa.Column(
            "status", sa.Enum("Active", "Deactivated", name="userstatus", native_enum=False, length=40), nullable=False
        ),
        sa.Column("status_reason", sqlmodel.sql.sqltypes.AutoString(length=500), nullable=True),
        sa.Column("issuer", sqlmodel.sql.sqltypes.AutoString(length=255), nullable=True),
        sa.Column("subject", sqlmodel.sql.sqltypes.AutoString(length=255), nullable=True),
        sa.Column("signed_out_at", models.base.UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("email"),
        sa.UniqueConstraint("issuer", "subject", name="user_identity"),
    )
    op.create_table(
        "api_client",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("recorded_at", models.base.UtcDateTime(), nullable=False),
        sa.Column("recorded_by", sa.Uuid(), nullable=True),
        sa.Column("client_id", sqlmodel.sql.sqltypes.AutoString(length=80), nullable=False),
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("name", sqlmodel.sql.sqltypes.AutoString(length=100), nullable=False),
        sa.Column("secret_hash", sqlmodel.sql.sqltypes.AutoString(length=200), nullable=False),
        sa.Column(
            "roles", sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), "postgresql"), nullable=False
        ),
        sa.Column(
            "status", sa.Enum("Active", "Revoked", name="apiclientstatus", native_enum=False, length=40), nullable=False
        ),
        sa.Column("status_reason", sqlmodel.sql.sqltypes.AutoString(length=500), nullable=True),
        sa.Column("expires_at", models.base.UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["organisation_id"],
            ["organisation.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("client_id"),
    )
    op.create_index("api_client_by_organisation", "api_client", ["organisation_id"], unique=False)
    op.create_table(
        "asset",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("recorded_at", models.base.UtcDateTime(), nullable=False),
        sa.Column("recorded_by", sa.Uuid(), nullable=True),
        sa.Column(
            "status",
            sa.Enum(
                "AWAITING_CONSENT_CHECK",
                "PENDING_VALIDATION",
                "VERIFIED",
                "QUERY",
                "SUSPENDED_QUERY_UNANSWERED",
                "SUSPENDED_CONSENT_REVOKED",
                "REFUSED_NO_CONSENT",
                "DEREGISTERED",
                name="assetstatus",
                native_enum=False,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("status_reason", sqlmodel.sql.sqltypes.AutoString(length=1000), nullable=True),
        sa.Column("status_since", models.base.UtcDateTime(), nullable=True),
        sa.Column("registered_at", models.base.UtcDateTime(), nullable=True),
        sa.Column("submitted_by_organisation", sa.Uuid(), nullable=True),
        sa.Column("asset_name", sqlmodel.sql.sqltypes.AutoString(length=255), nullable=False),
        sa.Column("friendly_code", sqlmodel.sql.sqltypes.AutoString(length=40), nullable=True),
        sa.Column("organisation_id", sa.Uuid(), nullable=True),
        sa.Column("service_provider_id", sa.Uuid(), nullable=False),
        sa.Column("managed_from", models.base.UtcDateTime(), nullable=True),
        sa.Column("asset_category", sqlmodel.sql.sqltypes.AutoString(length=40), nullable=False),
        sa.Column("schema_version", sa.Integer(), nullable=False),
        sa.Column("rated_capacity", models.base.Kilowatts(), nullable=False),
        sa.Column("gen_capacity", models.base.Kilowatts(), nullable=True),
        sa.Column("demand_capacity", models.base.Kilowatts(), nullable=True),
        sa.Column("installed_capacity", models.base.Kilowatts(), nullable=True),
        sa.Column("effective_date", sa.Date(), nullable=False),
        sa.Column("commissioning_date", sa.Date(), nullable=True),
        sa.Column("energy_conversion_type", sqlmodel.sql.sqltypes.AutoString(length=255), nullable=True),
        sa.Column("fuel_type_energy_source", sqlmodel.sql.sqltypes.AutoString(length=40), nullable=True),
        sa.Column("fuel_type_demand_tech_type", sqlmodel.sql.sqltypes.AutoString(length=40), nullable=True),
        sa.Column("other_description", sqlmodel.sql.sqltypes.AutoString(length=200), nullable=True),
        sa.Column("manufacturer", sqlmodel.sql.sqltypes.AutoString(length=255), nullable=True),
        sa.Column("asset_model", sqlmodel.sql.sqltypes.AutoString(length=100), nullable=True),
        sa.Column("serial_number", sqlmodel.sql.sqltypes.AutoString(length=64), nullable=True),
        sa.Column("serial_key", sqlmodel.sql.sqltypes.AutoString(length=64), nullable=True),
        sa.Column("manufacturer_key", sqlmodel.sql.sqltypes.AutoString(length=255), nullable=True),
        sa.Column("connection_status", sqlmodel.sql.sqltypes.AutoString(length=40), nullable=False),
        sa.Column("connection_type", sqlmodel.sql.sqltypes.AutoString(length=40), nullable=False),
        sa.Column("dno_connection", sqlmodel.sql.sqltypes.AutoString(length=40), nullable=True),
        sa.Column("import_mpan", sqlmodel.sql.sqltypes.AutoString(length=13), nullable=True),
        sa.Column("export_mpan", sqlmodel.sql.sqltypes.AutoString(length=13), nullable=True),
        sa.Column("latitude", sa.Float(), nullable=True),
        sa.Column("longitude", sa.Float(), nullable=True),
        sa.Column("position_source", sqlmodel.sql.sqltypes.AutoString(length=20), nullable=True),
        sa.Column("postcode", sqlmodel.sql.sqltypes.AutoString(length=10), nullable=True),
        sa.Column("gsp_group", sqlmodel.sql.sqltypes.AutoString(length=4), nullable=True),
        sa.Column("consumer_owned", sa.Boolean(), nullable=False),
        sa.Column("consent_reference", sqlmodel.sql.sqltypes.AutoString(length=255), nullable=True),
        sa.Column(
            "category_attributes",
            sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), "postgresql"),
            nullable=False,
        ),
        sa.Column(
            "aliases", sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), "postgresql"), nullable=False
        ),
        sa.Column(
            "derived_terms",
            sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), "postgresql"),
            nullable=False,
        ),
        sa.Column(
            "justifications",
            sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), "postgresql"),
            nullable=False,
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id"],
            ["organisation.id"],
        ),
        sa.ForeignKeyConstraint(
            ["service_provider_id"],
            ["organisation.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("asset_by_category", "asset", ["asset_category", "id"], unique=False)
    op.create_index("asset_by_dno", "asset", ["dno_connection", "id"], unique=False)
    op.create_index("asset_by_export_mpan", "asset", ["export_mpan"], unique=False)
    op.create_index("asset_by_friendly_code", "asset", ["service_provider_id", "friendly_code"], unique=False)
    op.create_index("asset_by_gsp_group", "asset", ["gsp_group", "id"], unique=False)
    op.create_index("asset_by_import_mpan", "asset", ["import_mpan"], unique=False)
    op.create_index("asset_by_owner", "asset", ["organisation_id", "id"], unique=False)
    op.create_index("asset_by_provider", "asset", ["service_provider_id", "id"], unique=False)
    op.create_index("asset_by_serial_number", "asset", ["serial_key"], unique=False)
    op.create_index("asset_by_status", "asset", ["status", "id"], unique=False)
    op.create_index(
        "asset_friendly_code_once",
        "asset",
        ["service_provider_id", "friendly_code"],
        unique=True,
        sqlite_where=sa.text("status NOT IN ('DEREGISTERED', 'REFUSED_NO_CONSENT')"),
        postgresql_where=sa.text("status NOT IN ('DEREGISTERED', 'REFUSED_NO_CONSENT')"),
    )
    op.create_index(
        "asset_serial_once",
        "asset",
        ["serial_key", "manufacturer_key"],
        unique=True,
        sqlite_where=sa.text("status NOT IN ('DEREGISTERED', 'REFUSED_NO_CONSENT')"),
        postgresql_where=sa.text("status NOT IN ('DEREGISTERED', 'REFUSED_NO_CONSENT')"),
    )
    op.create_table(
        "event_delivery",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("event_seq", sa.Integer(), nullable=False),
        sa.Column("handler", sqlmodel.sql.sqltypes.AutoString(length=80), nullable=False),
        sa.Column(
            "status",
            sa.Enum("WAITING", "DONE", "GIVEN_UP", name="deliverystatus", native_enum=False, length=40),
            nullable=False,
        ),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("due_at", models.base.UtcDateTime(), nullable=False),
        sa.Column("last_error", sqlmodel.sql.sqltypes.AutoString(length=500), nullable=True),
        sa.Column("done_at", models.base.UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["event_seq"],
            ["event.seq"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("event_seq", "handler", name="event_delivery_once"),
    )
    op.create_index("event_delivery_due", "event_delivery", ["status", "due_at"], unique=False)
    op.create_table(
        "membership",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("recorded_at", models.base.UtcDateTime(), nullable=False),
        sa.Column("recorded_by", sa.Uuid(), nullable=True),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column(
            "roles", sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), "postgresql"), nullable=False
        ),
        sa.Column(
            "status",
            sa.Enum("Invited", "Active", "Deactivated", name="membershipstatus", native_enum=False, length=40),
            nullable=False,
        ),
        sa.Column("status_reason", sqlmodel.sql.sqltypes.AutoString(length=500), nullable=True),
        sa.ForeignKeyConstraint(
            ["organisation_id"],
            ["organisation.id"],
        ),
        sa.ForeignKeyConstraint(
            ["user_id"],
            ["user.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("user_id", "organisation_id", name="membership_once"),
    )
    op.create_index("membership_by_organisation", "membership", ["organisation_id", "status"], unique=False)
    op.create_table(
        "source_record",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Enum("ECR", "REPD", name="sourcekind", native_enum=False, length=40), nullable=False),
        sa.Column("publisher", sqlmodel.sql.sqltypes.AutoString(length=100), nullable=False),
        sa.Column("record_key", sqlmodel.sql.sqltypes.AutoString(length=200), nullable=False),
        sa.Column("first_edition_id", sa.Uuid(), nullable=False),
        sa.Column("last_edition_id", sa.Uuid(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.Column("content_hash", sqlmodel.sql.sqltypes.AutoString(length=64), nullable=False),
        sa.Column("latitude", sa.Float(), nullable=True),
        sa.Column("longitude", sa.Float(), nullable=True),
        sa.Column(
            "values", sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), "postgresql"), nullable=False
        ),
        sa.Column("raw", sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), "postgresql"), nullable=False),
        sa.ForeignKeyConstraint(
            ["first_edition_id"],
            ["source_edition.id"],
        ),
        sa.ForeignKeyConstraint(
            ["last_edition_id"],
            ["source_edition.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("source_record_by_position", "source_record", ["valid_to", "latitude", "longitude"], unique=False)
    op.create_index(
        "source_record_current", "source_record", ["kind", "publisher", "record_key", "valid_to"], unique=False
    )
    op.create_table(
        "asset_alias",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("asset_id", sa.Uuid(), nullable=False),
        sa.Column("scheme", sqlmodel.sql.sqltypes.AutoString(length=20), nullable=False),
        sa.Column("value", sqlmodel.sql.sqltypes.AutoString(length=100), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["asset_id"],
            ["asset.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("asset_alias_by_value", "asset_alias", ["value"], unique=False)
    op.create_index(
        "asset_alias_once",
        "asset_alias",
        ["scheme", "value"],
        unique=True,
        sqlite_where=sa.text("active"),
        postgresql_where=sa.text("active"),
    )
    op.create_index(op.f("ix_asset_alias_asset_id"), "asset_alias", ["asset_id"], unique=False)
    op.create_table(
        "asset_check",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("recorded_at", models.base.UtcDateTime(), nullable=False),
        sa.Column("recorded_by", sa.Uuid(), nullable=True),
        sa.Column("asset_id", sa.Uuid(), nullable=False),
        sa.Column("asset_version", sa.Integer(), nullable=False),
        sa.Column(
            "source",
            sa.Enum(
                "MPAN_REGISTER",
                "INSTALLATION_REGISTRY",
                "CONNECTION_REGISTER",
                name="checksource",
                native_enum=False,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column(
            "outcome",
            sa.Enum(
                "WAITING",
                "AGREES",
                "DIFFERS",
                "NOT_FOUND",
                "NOT_APPLICABLE",
                "SETTLED",
                name="checkoutcome",
                native_enum=False,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("requested_at", models.base.UtcDateTime(), nullable=False),
        sa.Column("completed_at", models.base.UtcDateTime(), nullable=True),
        sa.Column("summary", sqlmodel.sql.sqltypes.AutoString(length=1000), nullable=True),
        sa.Column("matched_by", sqlmodel.sql.sqltypes.AutoString(length=60), nullable=True),
        sa.Column("source_name", sqlmodel.sql.sqltypes.AutoString(length=200), nullable=True),
        sa.Column("source_record_id", sa.Uuid(), nullable=True),
        sa.Column(
            "comparisons", sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), "postgresql"), nullable=False
        ),
        sa.Column(
            "evidence", sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), "postgresql"), nullable=False
        ),
        sa.ForeignKeyConstraint(
            ["asset_id"],
            ["asset.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("asset_id", "asset_version", "source", name="asset_check_once"),
    )
    op.create_index("asset_check_by_asset", "asset_check", ["asset_id", "id"], unique=False)
    op.create_table(
        "asset_message",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("recorded_at", models.base.UtcDateTime(), nullable=False),
        sa.Column("recorded_by", sa.Uuid(), nullable=True),
        sa.Column("asset_id", sa.Uuid(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum("QUERY", "ANSWER", "DECISION", name="messagekind", native_enum=False, length=40),
            nullable=False,
        ),
        sa.Column("text", sqlmodel.sql.sqltypes.AutoString(length=4000), nullable=False),
        sa.Column("author_name", sqlmodel.sql.sqltypes.AutoString(length=200), nullable=False),
        sa.Column("author_organisation_id", sa.Uuid(), nullable=True),
        sa.Column("sent_at", models.base.UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["asset_id"],
            ["asset.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("asset_message_by_asset", "asset_message", ["asset_id", "id"], unique=False)
    op.create_table(
        "source_key",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("source_record_id", sa.Uuid(), nullable=False),
        sa.Column("scheme", sqlmodel.sql.sqltypes.AutoString(length=20), nullable=False),
        sa.Column("value", sqlmodel.sql.sqltypes.AutoString(length=100), nullable=False),
        sa.ForeignKeyConstraint(
            ["source_record_id"],
            ["source_record.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(op.f("ix_source_key_source_record_id"), "source_key", ["source_record_id"], unique=False)
    op.create_index("source_key_lookup", "source_key", ["scheme", "value"], unique=False)
    guard()


def downgrade() -> None:
    """Take the tables away again, guards first."""
    unguard()
    op.drop_index("source_key_lookup", table_name="source_key")
    op.drop_index(op.f("ix_source_key_source_record_id"), table_name="source_key")
    op.drop_table("source_key")
    op.drop_index("asset_message_by_asset", table_name="asset_message")
    op.drop_table("asset_message")
    op.drop_index("asset_check_by_asset", table_name="asset_check")
    op.drop_table("asset_check")
    op.drop_index(op.f("ix_asset_alias_asset_id"), table_name="asset_alias")
    op.drop_index(
        "asset_alias_once", table_name="asset_alias", sqlite_where=sa.text("active"), postgresql_where=sa.text("active")
    )
    op.drop_index("asset_alias_by_value", table_name="asset_alias")
    op.drop_table("asset_alias")
    op.drop_index("source_record_current", table_name="source_record")
    op.drop_index("source_record_by_position", table_name="source_record")
    op.drop_table("source_record")
    op.drop_index("membership_by_organisation", table_name="membership")
    op.drop_table("membership")
    op.drop_index("event_delivery_due", table_name="event_delivery")
    op.drop_table("event_delivery")
    op.drop_index(
        "asset_serial_once",
        table_name="asset",
        sqlite_where=sa.text("status NOT IN ('DEREGISTERED', 'REFUSED_NO_CONSENT')"),
        postgresql_where=sa.text("status NOT IN ('DEREGISTERED', 'REFUSED_NO_CONSENT')"),
    )
    op.drop_index(
        "asset_friendly_code_once",
        table_name="asset",
        sqlite_where=sa.text("status NOT IN ('DEREGISTERED', 'REFUSED_NO_CONSENT')"),
        postgresql_where=sa.text("status NOT IN ('DEREGISTERED', 'REFUSED_NO_CONSENT')"),
    )
    op.drop_index("asset_by_status", table_name="asset")
    op.drop_index("asset_by_serial_number", table_name="asset")
    op.drop_index("asset_by_provider", table_name="asset")
    op.drop_index("asset_by_owner", table_name="asset")
    op.drop_index("asset_by_import_mpan", table_name="asset")
    op.drop_index("asset_by_gsp_group", table_name="asset")
    op.drop_index("asset_by_friendly_code", table_name="asset")
    op.drop_index("asset_by_export_mpan", table_name="asset")
    op.drop_index("asset_by_dno", table_name="asset")
    op.drop_index("asset_by_category", table_name="asset")
    op.drop_table("asset")
    op.drop_index("api_client_by_organisation", table_name="api_client")
    op.drop_table("api_client")
    op.drop_table("user")
    op.drop_table("source_edition")
    op.drop_table("setting")
    op.drop_table("periodic_run")
    op.drop_index(
        "organisation_vat_registration_number",
        table_name="organisation",
        sqlite_where=sa.text("organisation_status NOT IN ('Refused', 'Withdrawn')"),
        postgresql_where=sa.text("organisation_status NOT IN ('Refused', 'Withdrawn')"),
    )
    op.drop_index(
        "organisation_registration_number",
        table_name="organisation",
        sqlite_where=sa.text("organisation_status NOT IN ('Refused', 'Withdrawn')"),
        postgresql_where=sa.text("organisation_status NOT IN ('Refused', 'Withdrawn')"),
    )
    op.drop_index("organisation_list", table_name="organisation")
    op.drop_index(
        "organisation_legal_name_key",
        table_name="organisation",
        sqlite_where=sa.text("organisation_status NOT IN ('Refused', 'Withdrawn')"),
        postgresql_where=sa.text("organisation_status NOT IN ('Refused', 'Withdrawn')"),
    )
    op.drop_table("organisation")
    op.drop_table("ledger_seal")
    op.drop_index("ledger_entry_by_time", table_name="ledger_entry")
    op.drop_table("ledger_entry")
    op.drop_index(op.f("ix_event_type"), table_name="event")
    op.drop_index(op.f("ix_event_record_id"), table_name="event")
    op.drop_index("event_by_organisation", table_name="event")
    op.drop_table("event")
    op.drop_table("code_list_entry")
    op.drop_table("category_schema")
    op.drop_index("asset_draft_by_user", table_name="asset_draft")
    op.drop_table("asset_draft")
    op.drop_index("access_by_actor", table_name="access")
    op.drop_table("access")
