"""Deletion in SQLite that leaves no content behind in the database file or its log.

By default SQLite only marks the space of deleted rows as free (https://sqlite.org/pragma.html,
secure_delete). In addition, the write-ahead log still contains pages with the deleted rows. These
pages disappear when a checkpoint writes all pages of the log into the database file and truncates
the log.
"""

import sqlite3
from contextlib import closing
from pathlib import Path

IsEmptied = bool
"""True if the log is empty. False if a reader or writer blocks the log."""

SECURE_DELETE = "PRAGMA secure_delete=ON"
"""The statement that makes SQLite overwrite deleted content with zeros.

The statement runs on each connection that changes rows, because the default depends on the build
of SQLite.
"""
# Seconds to wait for readers and other writers. During this time, the bot's own writers also wait.
_WAIT_S = 0.05


def truncate_log(file: Path) -> IsEmptied:
    """Write the log into the database file and empty the log. The call blocks.

    The call waits for locks for at most 50 ms. Return False if a reader or a writer holds a lock
    for longer.

    Raises:
        sqlite3.Error: The file can't be opened or written.
    """
    # With ``mode=rw``, SQLite does not create a missing file.
    uri = f"{file.absolute().as_uri()}?mode=rw"
    connection = sqlite3.connect(uri, uri=True, isolation_level=None, timeout=_WAIT_S)
    with closing(connection):
        try:
            row = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        except sqlite3.OperationalError as error:
            if error.sqlite_errorname in {"SQLITE_BUSY", "SQLITE_LOCKED"}:
                return False
            raise
    return not row[0]
