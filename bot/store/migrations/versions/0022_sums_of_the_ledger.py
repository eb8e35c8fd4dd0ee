"""Sums of the ledger by day; usage and acquaintances are found by the day."""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

UNSUMMED, OF_CHATS = sa.text("NOT summed"), sa.text("chat_id <> 0")


def upgrade() -> None:
    op.create_table(
        "ledger_sums",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("endpoint", sa.String(length=64), nullable=False),
        sa.Column("requests", sa.BigInteger(), nullable=False),
        sa.Column("nominal", sa.BigInteger(), nullable=False),
        sa.Column("credits", sa.BigInteger(), nullable=False),
        sa.Column("refunded", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("day", "kind", "endpoint", name=op.f("pk_ledger_sums")),
    )
    op.add_column(
        "ledger_entries",
        sa.Column("summed", sa.Boolean(), server_default=sa.text("false"), nullable=False),
    )
    op.create_index(
        "ix_ledger_entries_unsummed",
        "ledger_entries",
        ["at"],
        postgresql_where=UNSUMMED,
        sqlite_where=UNSUMMED,
    )
    op.create_index(
        "ix_ledger_entries_of_chats",
        "ledger_entries",
        ["chat_id", "at", "credits"],
        postgresql_where=OF_CHATS,
        sqlite_where=OF_CHATS,
    )
    op.create_index("ix_usage_days_day", "usage_days", ["day"])
    op.create_index("ix_acquaintances_last_day", "acquaintances", ["last_day"])


def downgrade() -> None:
    op.drop_index("ix_acquaintances_last_day", "acquaintances")
    op.drop_index("ix_usage_days_day", "usage_days")
    op.drop_index("ix_ledger_entries_of_chats", "ledger_entries")
    op.drop_index("ix_ledger_entries_unsummed", "ledger_entries")
    with op.batch_alter_table("ledger_entries") as batch:
        batch.drop_column("summed")
    op.drop_table("ledger_sums")
