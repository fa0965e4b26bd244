"""Plans: campaigns, ad groups, keywords, and the changes that can be undone."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

_ID = sa.String(22)
_TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "plans",
        sa.Column("id", _ID, nullable=False),
        sa.Column("organisation_id", _ID, nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("next_item", sa.Integer(), nullable=False),
        sa.Column("created_at", _TIME, nullable=False),
        sa.Column("changed_at", _TIME, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_plans"),
        _foreign_key("plans", "organisation_id", "organisations.id"),
    )
    op.create_index("ix_plans_organisation_id_name", "plans", ["organisation_id", "name"], unique=True)
    op.create_table(
        "plan_campaigns",
        *_item_columns(),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("daily_budget_micros", sa.BigInteger()),
        *_item_keys("plan_campaigns"),
    )
    op.create_table(
        "plan_ad_groups",
        *_item_columns(),
        sa.Column("campaign", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("bid_micros", sa.BigInteger()),
        *_item_keys("plan_ad_groups"),
    )
    op.create_table(
        "plan_keywords",
        *_item_columns(),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("campaign", sa.Integer()),
        sa.Column("ad_group", sa.Integer()),
        sa.Column("match_type", sa.String(10)),
        sa.Column("negative", sa.Boolean(), nullable=False),
        sa.Column("bid_micros", sa.BigInteger()),
        sa.Column("status", sa.String(10)),
        sa.Column("labels", sa.Text(), nullable=False),
        sa.Column("final_url", sa.Text(), nullable=False),
        sa.Column("facts", sa.Text(), nullable=False),
        *_item_keys("plan_keywords"),
    )
    op.create_table(
        "plan_changes",
        sa.Column("plan_id", _ID, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("ts", _TIME, nullable=False),
        sa.Column("user_id", _ID),
        sa.Column("action", sa.String(60), nullable=False),
        sa.Column("edits", sa.Text(), nullable=False),
        sa.Column("undone_in", sa.Integer()),
        sa.PrimaryKeyConstraint("plan_id", "version", name="pk_plan_changes"),
        _foreign_key("plan_changes", "plan_id", "plans.id"),
        _foreign_key("plan_changes", "user_id", "users.id", "SET NULL"),
    )


def _item_columns() -> list[sa.Column[object]]:
    return [
        sa.Column("plan_id", _ID, nullable=False),
        sa.Column("item", sa.Integer(), autoincrement=False, nullable=False),
    ]


def _item_keys(table: str) -> list[sa.Constraint]:
    return [
        sa.PrimaryKeyConstraint("plan_id", "item", name=f"pk_{table}"),
        _foreign_key(table, "plan_id", "plans.id"),
    ]


def _foreign_key(table: str, column: str, target: str, on_delete: str = "CASCADE") -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [target], name=f"fk_{table}_{column}", ondelete=on_delete)
