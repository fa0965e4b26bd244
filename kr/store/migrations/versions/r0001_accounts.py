"""Organisations, users, sessions, API keys, failed sign-ins, audit log."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

_ID = sa.String(22)
_TIME = sa.DateTime(timezone=True)
_ROLES = "role IN ('advertiser', 'analyst', 'operator', 'admin')"


def upgrade() -> None:
    op.create_table(
        "organisations",
        sa.Column("id", _ID, nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("is_platform", sa.Boolean(), nullable=False),
        sa.Column("advertiser_id", sa.String(200)),
        sa.Column("created_at", _TIME, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_organisations"),
        sa.UniqueConstraint("advertiser_id", name="uq_organisations_advertiser_id"),
        sa.UniqueConstraint("name", name="uq_organisations_name"),
    )
    op.create_table(
        "users",
        sa.Column("id", _ID, nullable=False),
        sa.Column("organisation_id", _ID, nullable=False),
        sa.Column("email", sa.String(254), nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("role", sa.String(20), nullable=False),
        sa.Column("password_hash", sa.String(300), nullable=False),
        sa.Column("disabled_at", _TIME),
        sa.Column("created_at", _TIME, nullable=False),
        sa.CheckConstraint(_ROLES, name=op.f("ck_users_role")),
        sa.PrimaryKeyConstraint("id", name="pk_users"),
        _foreign_key("users", "organisation_id", "organisations.id"),
        sa.UniqueConstraint("email", name="uq_users_email"),
    )
    op.create_index("ix_users_organisation_id", "users", ["organisation_id"])
    op.create_table(
        "sign_in_sessions",
        sa.Column("id", _ID, nullable=False),
        sa.Column("token_sha256", sa.String(64), nullable=False),
        sa.Column("user_id", _ID, nullable=False),
        sa.Column("user_agent", sa.String(300), nullable=False),
        sa.Column("created_at", _TIME, nullable=False),
        sa.Column("last_seen_at", _TIME, nullable=False),
        sa.Column("revoked_at", _TIME),
        sa.PrimaryKeyConstraint("id", name="pk_sign_in_sessions"),
        _foreign_key("sign_in_sessions", "user_id", "users.id"),
        sa.UniqueConstraint("token_sha256", name="uq_sign_in_sessions_token_sha256"),
    )
    op.create_index("ix_sign_in_sessions_user_id", "sign_in_sessions", ["user_id"])
    op.create_table(
        "api_keys",
        sa.Column("id", _ID, nullable=False),
        sa.Column("user_id", _ID, nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("beginning", sa.String(12), nullable=False),
        sa.Column("key_sha256", sa.String(64), nullable=False),
        sa.Column("created_at", _TIME, nullable=False),
        sa.Column("last_used_at", _TIME),
        sa.Column("revoked_at", _TIME),
        sa.PrimaryKeyConstraint("id", name="pk_api_keys"),
        _foreign_key("api_keys", "user_id", "users.id"),
        sa.UniqueConstraint("key_sha256", name="uq_api_keys_key_sha256"),
    )
    op.create_index("ix_api_keys_user_id", "api_keys", ["user_id"])
    op.create_table(
        "failed_sign_ins",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("ts", _TIME, nullable=False),
        sa.Column("email_sha256", sa.String(64), nullable=False),
        sa.Column("address", sa.String(45), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_failed_sign_ins"),
    )
    op.create_index("ix_failed_sign_ins_email_sha256_ts", "failed_sign_ins", ["email_sha256", "ts"])
    op.create_index("ix_failed_sign_ins_address_ts", "failed_sign_ins", ["address", "ts"])
    op.create_table(
        "audit_entries",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("ts", _TIME, nullable=False),
        sa.Column("organisation_id", _ID, nullable=False),
        sa.Column("user_id", _ID),
        sa.Column("action", sa.String(60), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_audit_entries"),
        _foreign_key("audit_entries", "organisation_id", "organisations.id"),
        _foreign_key("audit_entries", "user_id", "users.id", "SET NULL"),
    )
    op.create_index("ix_audit_entries_organisation_id_ts", "audit_entries", ["organisation_id", "ts"])


def _foreign_key(table: str, column: str, target: str, on_delete: str = "CASCADE") -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [target], name=f"fk_{table}_{column}", ondelete=on_delete)
