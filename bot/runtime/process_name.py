"""The name of this process among several processes: host name and process id."""

import os
import socket

_LONGEST = 63  # maximum bytes of a session name in PostgreSQL


def replica_name() -> str:
    """Return the name that distinguishes replicas in metrics and in PostgreSQL's sessions."""
    return f"{socket.gethostname()[:40]}:{os.getpid()}"


def session_name() -> str:
    """Return the ``application_name`` of the PostgreSQL session."""
    return f"storybell {replica_name()}"[:_LONGEST]
