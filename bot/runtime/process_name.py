"""Which of several processes this one is, by its machine and its number there."""

import os
import socket

_LONGEST = 63  # bytes of a name that PostgreSQL keeps of a session


def replica_name() -> str:
    """Return the name by which metrics and PostgreSQL's sessions tell replicas apart."""
    return f"{socket.gethostname()[:40]}:{os.getpid()}"


def session_name() -> str:
    """Return what PostgreSQL shows as ``application_name``."""
    return f"storybell {replica_name()}"[:_LONGEST]
