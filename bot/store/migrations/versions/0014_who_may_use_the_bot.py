"""who may use the bot."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table("access_list",
    sa.Column("kind", sa.String(length=8), nullable=False),
    sa.Column("subject", sa.String(length=64), nullable=False),
    sa.Column("name", sa.Text(), server_default="", nullable=False),
    sa.Column("is_allowed", sa.Boolean(), server_default=sa.false(), nullable=False),
    sa.Column("is_admin", sa.Boolean(), server_default=sa.false(), nullable=False),
    sa.Column("via", sa.String(length=12), server_default="", nullable=False),
    sa.Column("added_by", sa.String(length=64), server_default="", nullable=False),
    sa.Column("since", sa.BigInteger(), nullable=False),
    sa.Column("blocked_since", sa.BigInteger(), nullable=True),
    sa.Column("blocked_until", sa.BigInteger(), nullable=True),
    sa.Column("reason", sa.Text(), server_default="", nullable=False),
    sa.Column("told_at", sa.BigInteger(), nullable=True),
    sa.Column("allowance", sa.Integer(), nullable=True),
    sa.PrimaryKeyConstraint("kind", "subject", name=op.f("pk_access_list"))
    )
    op.create_table("invitations",
    sa.Column("digest", sa.String(length=64), nullable=False),
    sa.Column("made_by", sa.String(length=64), nullable=False),
    sa.Column("uses", sa.Integer(), nullable=False),
    sa.Column("until", sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint("digest", name=op.f("pk_invitations"))
    )


def downgrade() -> None:
    op.drop_table("invitations")
    op.drop_table("access_list")
