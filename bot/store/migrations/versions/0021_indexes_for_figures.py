"""Indexes for figures: what is due, what is parked, and a fair sample of the profiles."""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

OPEN, PARKED = sa.text("state = 'open'"), sa.text("state = 'parked'")
CHECKED = sa.text("next_look_at IS NOT NULL")


def upgrade() -> None:
    op.create_index(
        "ix_deliveries_due",
        "deliveries",
        ["due_at"],
        postgresql_where=OPEN,
        sqlite_where=OPEN,
    )
    op.create_index(
        "ix_deliveries_parked",
        "deliveries",
        ["done_at"],
        postgresql_where=PARKED,
        sqlite_where=PARKED,
    )
    op.create_index(
        "ix_profiles_lot",
        "profiles",
        ["fresh", sa.text("substr(profile_id, length(profile_id) - 3)")],
        postgresql_where=CHECKED,
        sqlite_where=CHECKED,
    )


def downgrade() -> None:
    op.drop_index("ix_profiles_lot", "profiles")
    op.drop_index("ix_deliveries_parked", "deliveries")
    op.drop_index("ix_deliveries_due", "deliveries")
