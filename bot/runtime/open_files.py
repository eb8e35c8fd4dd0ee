"""The limit of open files (``ulimit -n``).

This module raises the limit, and detects that the limit is reached.
"""

import errno
import os
import resource

WANTED = 4096
LEAST = 256
"""The minimum limit of open files with which the bot starts.

The bot needs open files for connections, uploads and the database.
"""

_OUT_OF_FILES = frozenset({errno.EMFILE, errno.ENFILE})
REACHED = "this process has too many open files (EMFILE): raise its limit (ulimit -n)"


def raise_open_files_limit() -> int:
    """Raise the limit of open files to ``WANTED``, or as far as the system allows.

    Return the resulting limit, or ``WANTED`` if the number of open files is unlimited.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY:
        return WANTED
    most = WANTED if hard == resource.RLIM_INFINITY else min(WANTED, hard)
    if soft >= most:
        return soft
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
    return most


def is_open_files_limit_reached(error: BaseException) -> bool:
    """Return whether the cause of a failure is the limit of open files.

    Some errors do not show their cause, so this function also tests whether it can open a file.
    """
    if isinstance(error, OSError) and error.errno in _OUT_OF_FILES:
        return True
    try:
        os.close(os.open(os.devnull, os.O_RDONLY))
    except OSError as failed:
        return failed.errno in _OUT_OF_FILES
    return False
