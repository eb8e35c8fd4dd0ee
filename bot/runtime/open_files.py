"""The limit of open files (``ulimit -n``): raising the limit, and detecting that it is reached."""

import errno
import os
import resource

WANTED = 4096
LEAST = 256
"""Minimum limit of open files for a start. Connections, uploads and the database need files."""

_OUT_OF_FILES = frozenset({errno.EMFILE, errno.ENFILE})
REACHED = "this process has too many open files (EMFILE): raise its limit (ulimit -n)"


def raise_limit() -> int:
    """Raise the limit of open files towards ``WANTED``, as far as allowed. Return the limit.

    Return ``WANTED`` if the limit is already unlimited.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY:
        return WANTED
    most = WANTED if hard == resource.RLIM_INFINITY else min(WANTED, hard)
    if soft >= most:
        return soft
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
    return most


def is_limit_reached(error: BaseException) -> bool:
    """Return whether a failure is due to the limit of open files.

    Some failures hide their cause, for example a failed DNS lookup. Therefore, a test file is
    opened unless the error itself names the limit.
    """
    if isinstance(error, OSError) and error.errno in _OUT_OF_FILES:
        return True
    try:
        os.close(os.open(os.devnull, os.O_RDONLY))
    except OSError as failed:
        return failed.errno in _OUT_OF_FILES
    return False
