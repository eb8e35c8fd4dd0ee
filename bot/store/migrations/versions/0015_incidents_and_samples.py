"""incidents and samples."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table("incidents",
    sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
    sa.Column("kind", sa.String(length=24), nullable=False),
    sa.Column("text", sa.Text(), nullable=False),
    sa.Column("fields", sa.JSON(), nullable=False),
    sa.Column("is_urgent", sa.Boolean(), nullable=False),
    sa.Column("opened_at", sa.BigInteger(), nullable=False),
    sa.Column("closed_at", sa.BigInteger(), nullable=True),
    sa.Column("closing", sa.Text(), server_default="", nullable=False),
    sa.Column("closing_fields", sa.JSON(), server_default="{}", nullable=False),
    sa.PrimaryKeyConstraint("id", name=op.f("pk_incidents"))
    )
    with op.batch_alter_table("incidents", schema=None) as batch_op:
        batch_op.create_index("ix_incidents_open", ["kind"], unique=True, sqlite_where=sa.text("closed_at IS NULL"), postgresql_where=sa.text("closed_at IS NULL"))

    op.create_table("samples",
    sa.Column("hour", sa.BigInteger(), nullable=False),
    sa.Column("figures", sa.JSON(), nullable=False),
    sa.PrimaryKeyConstraint("hour", name=op.f("pk_samples"))
    )
    op.create_table("broadcasts",
    sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
    sa.Column("text", sa.Text(), nullable=False),
    sa.Column("admin", sa.BigInteger(), nullable=False),
    sa.Column("message_id", sa.BigInteger(), nullable=True),
    sa.Column("state", sa.String(length=8), server_default="draft", nullable=False),
    sa.Column("count", sa.Integer(), server_default="0", nullable=False),
    sa.Column("handed", sa.Integer(), server_default="0", nullable=False),
    sa.Column("last_chat", sa.BigInteger(), nullable=True),
    sa.Column("made_at", sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint("id", name=op.f("pk_broadcasts"))
    )
    with op.batch_alter_table("acquaintances", schema=None) as batch_op:
        batch_op.add_column(sa.Column("name", sa.Text(), server_default="", nullable=False))


def downgrade() -> None:
    with op.batch_alter_table("acquaintances", schema=None) as batch_op:
        batch_op.drop_column("name")
    op.drop_table("broadcasts")
    op.drop_table("samples")
    with op.batch_alter_table("incidents", schema=None) as batch_op:
        batch_op.drop_index("ix_incidents_open", sqlite_where=sa.text("closed_at IS NULL"), postgresql_where=sa.text("closed_at IS NULL"))

    op.drop_table("incidents")
