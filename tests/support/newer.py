"""A hypothetical next version: the present code and one more migration."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from bot.store.engine import revisions
from tests.support.killing import ROOT

NEXT = "9001"
COLOURS = """
    op.create_table("colours", sa.Column("id", sa.Integer(), primary_key=True))
    # SQLite makes the table anew, to which many others refer.
    anew = "always" if op.get_bind().dialect.name == "sqlite" else "never"
    with op.batch_alter_table("chats", recreate=anew) as chats:
        chats.add_column(sa.Column("colour", sa.String(8), server_default="blue", nullable=False))
    op.create_index("ix_deliveries_colour", "deliveries", ["created_at"])
"""
ORPHANS = """
    op.execute("DELETE FROM chats")
"""
_MIGRATION = '''"""What a next version might change."""

import sqlalchemy as sa
from alembic import op

revision = "{next}"
down_revision = "{newest}"
branch_labels = None
depends_on = None


def upgrade() -> None:{change}

def downgrade() -> None:
    op.drop_index("ix_deliveries_colour", "deliveries")
    op.drop_column("chats", "colour")
    op.drop_table("colours")
'''


def write(folder: Path) -> Path:
    """Write the next version's code to ``folder``. Return the folder."""
    for part in ("bot", "handlers", "locales"):
        shutil.copytree(ROOT / part, folder / part, ignore=shutil.ignore_patterns("__pycache__"))
    _add(folder / "bot/store/engine/migrations", COLOURS)
    return folder


@contextmanager
def next_version(folder: Path, change: str = COLOURS) -> Iterator[None]:
    """Use the migrations of the next version in this process during the block."""
    migrations = folder / "migrations"
    shutil.copytree(revisions.MIGRATIONS, migrations)
    _add(migrations, change)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(revisions, "MIGRATIONS", migrations)
        yield


def _add(migrations: Path, change: str) -> None:
    text = _MIGRATION.format(next=NEXT, newest=revisions.newest_revision(), change=change)
    (migrations / "versions" / f"{NEXT}_next.py").write_text(text)
