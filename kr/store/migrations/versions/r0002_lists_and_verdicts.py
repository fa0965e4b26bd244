"""Keyword lists, and verdicts on recommended keywords."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

_ID = sa.String(22)
_TIME = sa.DateTime(timezone=True)
_VERDICTS = "verdict IN ('up', 'irrelevant', 'not_my_business', 'saved')"


def upgrade() -> None:
    op.create_table(
        "keyword_lists",
        sa.Column("id", _ID, nullable=False),
        sa.Column("organisation_id", _ID, nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", _TIME, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_keyword_lists"),
        _foreign_key("keyword_lists", "organisation_id", "organisations.id"),
    )
    op.create_index("ix_keyword_lists_organisation_id_name", "keyword_lists", ["organisation_id", "name"], unique=True)
    op.create_table(
        "listed_keywords",
        sa.Column("list_id", _ID, nullable=False),
        sa.Column("keyword", sa.String(1000), nullable=False),
        sa.Column("query", sa.Text(), nullable=False),
        sa.Column("added_at", _TIME, nullable=False),
        sa.Column("added_in_version", sa.Integer(), nullable=False),
        sa.Column("removed_in_version", sa.Integer()),
        sa.PrimaryKeyConstraint("list_id", "keyword", name="pk_listed_keywords"),
        _foreign_key("listed_keywords", "list_id", "keyword_lists.id"),
    )
    op.create_table(
        "keyword_verdicts",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("ts", _TIME, nullable=False),
        sa.Column("organisation_id", _ID, nullable=False),
        sa.Column("user_id", _ID),
        sa.Column("query", sa.Text(), nullable=False),
        sa.Column("keyword", sa.String(1000), nullable=False),
        sa.Column("verdict", sa.String(20), nullable=False),
        sa.Column("batch", _ID, nullable=False),
        sa.Column("undone_at", _TIME),
        sa.CheckConstraint(_VERDICTS, name=op.f("ck_keyword_verdicts_verdict")),
        sa.PrimaryKeyConstraint("id", name="pk_keyword_verdicts"),
        _foreign_key("keyword_verdicts", "organisation_id", "organisations.id"),
        _foreign_key("keyword_verdicts", "user_id", "users.id", "SET NULL"),
    )
    op.create_index("ix_keyword_verdicts_batch", "keyword_verdicts", ["batch"])
    op.create_index("ix_keyword_verdicts_organisation_id_keyword", "keyword_verdicts", ["organisation_id", "keyword"])


def _foreign_key(table: str, column: str, target: str, on_delete: str = "CASCADE") -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [target], name=f"fk_{table}_{column}", ondelete=on_delete)
