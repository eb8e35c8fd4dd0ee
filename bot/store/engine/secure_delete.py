"""Deletion in SQLite that leaves no content behind in the database file or its log.

With the option ``secure_delete``, SQLite overwrites deleted rows in the file
(https://sqlite.org/pragma.html). A checkpoint removes old pages with these rows from the
write-ahead log.
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
# Seconds to wait until readers and other writers release the database. The time is short, because
# all writing transactions of the bot must wait in this time.
_WAIT_S = 0.05


def truncate_log(file: Path) -> IsEmptied:
    """Write the log into the database file and empty the log. The call blocks the thread.

    Return False if a reader or writer locks the database for more than 50 ms.

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
