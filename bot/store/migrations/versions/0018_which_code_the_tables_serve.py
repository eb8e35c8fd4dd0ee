"""Which code the tables serve."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "compatibility",
        sa.Column("oldest_code", sa.String(length=32), nullable=False),
        sa.PrimaryKeyConstraint("oldest_code", name=op.f("pk_compatibility")),
    )
    op.execute("INSERT INTO compatibility (oldest_code) VALUES ('0018')")


def downgrade() -> None:
    op.drop_table("compatibility")
