"""The name of this process, which consists of the host name and the process id."""

import os
import socket

_LONGEST = 63  # maximum length in bytes of a session name in PostgreSQL


def replica_name() -> str:
    """Return the name that identifies this process in metrics and in PostgreSQL's sessions."""
    return f"{socket.gethostname()[:40]}:{os.getpid()}"


def session_name() -> str:
    """Return the ``application_name`` of the PostgreSQL session."""
    return f"storybell {replica_name()}"[:_LONGEST]
