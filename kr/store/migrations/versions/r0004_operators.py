"""What operators write: rules and lexicons in versions, jobs, decisions on feedback; before and after in the log."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

_ID = sa.String(22)
_TIME = sa.DateTime(timezone=True)
_CONTROLS = "kind IN ('rules', 'lexicons')"
_JOBS = "kind IN ('mine', 'build', 'verify', 'publish', 'rollback')"
_STATES = "state IN ('running', 'succeeded', 'failed', 'cancelled', 'lost')"
_DECISIONS = "decision IN ('relevant', 'irrelevant', 'rejected', 'blocked', 'unsafe')"


def upgrade() -> None:
    with op.batch_alter_table("audit_entries") as table:
        table.add_column(sa.Column("before", sa.Text()))
        table.add_column(sa.Column("after", sa.Text()))
    op.create_table(
        "control_versions",
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("ts", _TIME, nullable=False),
        sa.Column("user_id", _ID),
        sa.Column("change", sa.Text(), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("live_sequence", sa.Integer()),
        sa.CheckConstraint(_CONTROLS, name=op.f("ck_control_versions_kind")),
        sa.PrimaryKeyConstraint("kind", "number", name="pk_control_versions"),
        _by_user("control_versions"),
    )
    op.create_index(
        "ix_control_versions_kind_live_sequence", "control_versions", ["kind", "live_sequence"], unique=True
    )
    op.create_table(
        "jobs",
        sa.Column("id", _ID, nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("holds_kind", sa.String(20)),
        sa.Column("parameters", sa.Text(), nullable=False),
        sa.Column("host", sa.String(255), nullable=False),
        sa.Column("user_id", _ID),
        sa.Column("created_at", _TIME, nullable=False),
        sa.Column("cancelled_at", _TIME),
        sa.Column("ended_at", _TIME),
        sa.Column("exit_code", sa.Integer()),
        sa.CheckConstraint(_JOBS, name=op.f("ck_jobs_kind")),
        sa.CheckConstraint(_STATES, name=op.f("ck_jobs_state")),
        sa.PrimaryKeyConstraint("id", name="pk_jobs"),
        sa.UniqueConstraint("holds_kind", name="uq_jobs_holds_kind"),
        _by_user("jobs"),
    )
    op.create_index("ix_jobs_created_at", "jobs", ["created_at"])
    op.create_table(
        "feedback_decisions",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("ts", _TIME, nullable=False),
        sa.Column("user_id", _ID),
        sa.Column("query", sa.Text(), nullable=False),
        sa.Column("keyword", sa.String(1000), nullable=False),
        sa.Column("decision", sa.String(20), nullable=False),
        sa.Column("undone_at", _TIME),
        sa.CheckConstraint(_DECISIONS, name=op.f("ck_feedback_decisions_decision")),
        sa.PrimaryKeyConstraint("id", name="pk_feedback_decisions"),
        _by_user("feedback_decisions"),
    )
    op.create_index("ix_feedback_decisions_keyword", "feedback_decisions", ["keyword"])
    op.create_table(
        "serving_workers",
        sa.Column("host", sa.String(255), nullable=False),
        sa.Column("process", sa.String(200), nullable=False),
        sa.Column("snapshot", sa.String(64), nullable=False),
        sa.Column("rules_sequence", sa.Integer(), nullable=False),
        sa.Column("lexicons_sequence", sa.Integer(), nullable=False),
        sa.Column("seen_at", _TIME, nullable=False),
        sa.PrimaryKeyConstraint("host", "process", name="pk_serving_workers"),
    )


def _by_user(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=f"fk_{table}_user_id", ondelete="SET NULL")
