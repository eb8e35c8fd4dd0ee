"""room for the word animation."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

SHORT, LONG = sa.String(length=8), sa.String(length=16)


def upgrade() -> None:
    with op.batch_alter_table("files", schema=None) as batch_op:
        batch_op.alter_column("kind", existing_type=SHORT, type_=LONG, existing_nullable=True)


def downgrade() -> None:
    op.execute("DELETE FROM files WHERE length(kind) > 8")
    with op.batch_alter_table("files", schema=None) as batch_op:
        batch_op.alter_column("kind", existing_type=LONG, type_=SHORT, existing_nullable=True)
