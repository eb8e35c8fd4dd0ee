"""The name of this process, which consists of the host name and the process id."""

import os
import socket

_LONGEST = 63  # the maximum length of a session name in PostgreSQL, in bytes


def replica_name() -> str:
    """Return the name that identifies this process in metrics and in PostgreSQL's sessions."""
    return f"{socket.gethostname()[:40]}:{os.getpid()}"


def database_session_name() -> str:
    """Return the name of this process's sessions in PostgreSQL (``application_name``)."""
    return f"storybell {replica_name()}"[:_LONGEST]
