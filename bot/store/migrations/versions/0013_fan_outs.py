"""Fan-outs: what is to be owed to many, and how far that has come; claims by one index."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

IS_DUE = sa.text("due_at IS NOT NULL")
CLAIMABLE_AT = sa.text("(CASE WHEN free_at > due_at THEN free_at ELSE due_at END)")
# Rows come and go by the hundred thousand: the usual fifth of a table is far too late.
BUSY = ("lanes", "deliveries", "inbox", "fan_outs", "profiles", "files", "gates")
OFTEN = {
    "autovacuum_vacuum_scale_factor": 0.02,
    "autovacuum_analyze_scale_factor": 0.02,
    "autovacuum_vacuum_threshold": 500,
    "autovacuum_analyze_threshold": 500,
}


def upgrade() -> None:
    op.create_table(
        "fan_outs",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("profile_id", sa.String(length=32), nullable=False),
        sa.Column("story_pks", sa.JSON(), nullable=True),
        sa.Column("notice", sa.String(length=16), nullable=True),
        sa.Column("fields", sa.JSON(), nullable=True),
        sa.Column("since", sa.BigInteger(), nullable=True),
        sa.Column("due_at", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("after_id", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("last_id", sa.BigInteger(), nullable=False),
        sa.Column("turn_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_fan_outs")),
    )
    with op.batch_alter_table("fan_outs", schema=None) as batch_op:
        batch_op.create_index("ix_fan_outs_profile", ["profile_id", "id"], unique=False)
    with op.batch_alter_table("subscriptions", schema=None) as batch_op:
        batch_op.create_index("ix_subscriptions_fan_out", ["profile_id", "id"], unique=False)
    op.drop_index("ix_lanes_due", "lanes")
    op.create_index(
        "ix_lanes_claimable",
        "lanes",
        [CLAIMABLE_AT],
        postgresql_where=IS_DUE,
        sqlite_where=IS_DUE,
    )
    op.execute(
        "INSERT INTO lanes (chat_id, free_at) SELECT id, 0 FROM chats"
        " WHERE id IN (SELECT chat_id FROM subscriptions) AND id NOT IN (SELECT chat_id FROM lanes)"
    )
    if op.get_bind().dialect.name == "postgresql":
        values = ", ".join(f"{name} = {value}" for name, value in OFTEN.items())
        for table in BUSY:
            op.execute(f"ALTER TABLE {table} SET ({values})")


def downgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        for table in BUSY:
            op.execute(f"ALTER TABLE {table} RESET ({', '.join(OFTEN)})")
    op.drop_index("ix_lanes_claimable", "lanes")
    op.create_index(
        "ix_lanes_due", "lanes", ["due_at"], postgresql_where=IS_DUE, sqlite_where=IS_DUE
    )
    with op.batch_alter_table("subscriptions", schema=None) as batch_op:
        batch_op.drop_index("ix_subscriptions_fan_out")
    with op.batch_alter_table("fan_outs", schema=None) as batch_op:
        batch_op.drop_index("ix_fan_outs_profile")
    op.drop_table("fan_outs")
