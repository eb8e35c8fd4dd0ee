"""Flood limits of a chat in the row of its queue; gates that are changed by their version."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Not in a batch, here and below: to build the table anew would lose its index of an expression.
    op.add_column("lanes", sa.Column("flood", sa.JSON(), nullable=True))
    op.add_column(
        "lanes", sa.Column("flood_version", sa.BigInteger(), server_default="0", nullable=False)
    )
    with op.batch_alter_table("gates", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column("version", sa.BigInteger(), server_default="0", nullable=False)
        )


def downgrade() -> None:
    with op.batch_alter_table("gates", schema=None) as batch_op:
        batch_op.drop_column("version")
    op.drop_column("lanes", "flood_version")
    op.drop_column("lanes", "flood")
