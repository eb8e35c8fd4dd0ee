"""Write the first migration anew from the tables; only until the first release.

Run it after a change of any table: ``.venv/bin/python tools/first_migration.py``.
"""

import subprocess
import tempfile
from pathlib import Path

import sqlalchemy as sa
from alembic import command

from bot.store.database import migration_config

VERSIONS = Path("bot/store/migrations/versions")

if __name__ == "__main__":
    target = VERSIONS / "0001_first_tables.py"
    target.unlink(missing_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        engine = sa.create_engine(f"sqlite:///{folder}/empty.db")
        with engine.begin() as connection:
            config = migration_config(connection)
            command.revision(config, "First tables", autogenerate=True, rev_id="0001")
        engine.dispose()
    subprocess.run(["ruff", "format", "-q", str(target)], check=False)  # noqa: S603, S607 - fixed words
