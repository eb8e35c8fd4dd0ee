"""${message}."""

import sqlalchemy as sa
from alembic import op

revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}
branch_labels = None
depends_on = None


# Older code works on while this has run: it may add only. What takes away, renames or tightens
# waits for a later release, and says from which code on the tables serve (bot.store.compatibility):
#     op.execute("UPDATE compatibility SET oldest_code = '…'")
def upgrade() -> None:
    ${upgrades if upgrades else "pass"}


def downgrade() -> None:
    ${downgrades if downgrades else "pass"}
