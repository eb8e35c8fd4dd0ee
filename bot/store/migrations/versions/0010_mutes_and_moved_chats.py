"""mutes and moved chats."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table("moved_chats",
    sa.Column("old_id", sa.BigInteger(), autoincrement=False, nullable=False),
    sa.Column("new_id", sa.BigInteger(), nullable=False),
    sa.Column("at", sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint("old_id", name=op.f("pk_moved_chats"))
    )
    with op.batch_alter_table("moved_chats", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_moved_chats_new_id"), ["new_id"], unique=False)

    op.create_table("mutes",
    sa.Column("chat_id", sa.BigInteger(), autoincrement=False, nullable=False),
    sa.Column("thread_id", sa.BigInteger(), autoincrement=False, nullable=False),
    sa.Column("missing", sa.String(length=16), nullable=False),
    sa.Column("since", sa.BigInteger(), nullable=False),
    sa.Column("probe_at", sa.BigInteger(), nullable=False),
    sa.Column("probes", sa.Integer(), server_default="0", nullable=False),
    sa.ForeignKeyConstraint(["chat_id"], ["chats.id"], name=op.f("fk_mutes_chat_id_chats"), ondelete="CASCADE"),
    sa.PrimaryKeyConstraint("chat_id", "thread_id", name=op.f("pk_mutes"))
    )


def downgrade() -> None:
    op.drop_table("mutes")
    with op.batch_alter_table("moved_chats", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_moved_chats_new_id"))

    op.drop_table("moved_chats")
