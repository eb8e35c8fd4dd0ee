"""Who spent most is found by sums of the ledger by chat."""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

FORGOTTEN = sa.text("chat_id + 0 = 0 AND kind <> 'schedule'")


def upgrade() -> None:
    op.create_table(
        "ledger_chats",
        sa.Column("chat_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("credits", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("chat_id", name=op.f("pk_ledger_chats")),
    )
    op.execute(
        "INSERT INTO ledger_chats (chat_id, credits) SELECT chat_id, sum(credits)"
        " FROM ledger_entries WHERE chat_id <> 0 AND summed GROUP BY chat_id HAVING sum(credits) > 0"
    )
    op.create_index("ix_ledger_chats_dearest", "ledger_chats", [sa.text("credits DESC"), "chat_id"])
    op.create_index(
        "ix_ledger_entries_forgotten",
        "ledger_entries",
        ["at", "credits"],
        postgresql_where=FORGOTTEN,
        sqlite_where=FORGOTTEN,
    )


def downgrade() -> None:
    op.drop_index("ix_ledger_entries_forgotten", "ledger_entries")
    op.drop_table("ledger_chats")
