"""The number of processes that may work on a database, and the resulting intervals.

A single process on a database knows of all new work, so the loops rarely search the database. The
leases that this process finds at the start belong to a dead process. With several processes, each
process must soon find work that a different process stored, or left unfinished at its death.
"""

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True)
class Sharing:
    """The intervals with which the loops of a process share the database.

    ``lease`` is the time limit of a claim of an update or a chat queue. The process renews its
    leases during the work. The other intervals are the longest pauses between two searches for due
    work.
    """

    is_only_process: bool
    lease: timedelta
    updates_every: timedelta
    checks_every: timedelta
    fan_outs_every: timedelta
    alerts_every: timedelta


ONE_PROCESS = Sharing(
    is_only_process=True,
    lease=timedelta(seconds=60),
    updates_every=timedelta(minutes=1),
    checks_every=timedelta(minutes=1),
    fan_outs_every=timedelta(minutes=1),
    alerts_every=timedelta(minutes=1),
)

SEVERAL_PROCESSES = Sharing(
    is_only_process=False,
    lease=timedelta(seconds=15),
    updates_every=timedelta(seconds=1),
    checks_every=timedelta(seconds=5),  # a person may subscribe through another process
    fan_outs_every=timedelta(seconds=5),
    alerts_every=timedelta(seconds=1),
)
