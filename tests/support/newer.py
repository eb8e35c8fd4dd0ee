"""The version after this one, made up: the code of today, and one more migration."""

import shutil
from pathlib import Path

from bot.store.database import newest_revision
from tests.support.killing import ROOT

NEXT = "9001"
MIGRATION = '''"""What a next version might add."""

import sqlalchemy as sa
from alembic import op

revision = "{next}"
down_revision = "{newest}"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table("colours", sa.Column("id", sa.Integer(), primary_key=True))
    op.add_column(
        "subscriptions",
        sa.Column("colour", sa.String(8), server_default="blue", nullable=False),
    )
    op.create_index("ix_deliveries_colour", "deliveries", ["created_at"])
    {serves}


def downgrade() -> None:
    op.drop_index("ix_deliveries_colour")
    op.drop_column("subscriptions", "colour")
    op.drop_table("colours")
    op.execute("UPDATE compatibility SET oldest_code = '0018'")
'''

ENDS = """op.execute("UPDATE compatibility SET oldest_code = '{}'")"""


def write(folder: Path, *, serves_old_code: bool = True) -> Path:
    """Write the next version's code into ``folder``; return where it is."""
    for part in ("bot", "handlers", "locales"):
        shutil.copytree(ROOT / part, folder / part, ignore=shutil.ignore_patterns("__pycache__"))
    text = MIGRATION.format(
        next=NEXT, newest=newest_revision(), serves="" if serves_old_code else ENDS.format(NEXT)
    )
    versions(folder).joinpath(f"{NEXT}_colours.py").write_text(text)
    return folder


def versions(folder: Path) -> Path:
    """Return where a version has its migrations."""
    return folder / "bot/store/migrations/versions"
