"""Deletion in SQLite that leaves no content behind: in the database file, or in its log.

By default SQLite only marks the space of deleted rows as free (https://sqlite.org/pragma.html,
secure_delete). The write-ahead log has pages as they were before a deletion until a checkpoint
writes all its pages into the file, and the log is truncated.
"""

import sqlite3
from contextlib import closing
from pathlib import Path

SECURE_DELETE = "PRAGMA secure_delete=ON"
"""Overwrites deleted content with zeros; for every connection. Builds of SQLite differ."""
_WAIT_S = 0.05  # for readers and other writers; the writers of the bot wait as long


def truncate_log(file: Path) -> bool:
    """Write the log into the database file and empty the log; blocks for 50 ms at most.

    Return False if a reader or another writer is in the way.

    Raises:
        sqlite3.Error: The file can't be opened or written.
    """
    uri = f"{file.absolute().as_uri()}?mode=rw"  # "rw": an absent file is not created
    connection = sqlite3.connect(uri, uri=True, isolation_level=None, timeout=_WAIT_S)
    with closing(connection):
        try:
            row = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        except sqlite3.OperationalError as error:
            if error.sqlite_errorname in {"SQLITE_BUSY", "SQLITE_LOCKED"}:
                return False
            raise
    return not row[0]
