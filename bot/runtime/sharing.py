"""The number of processes that may work on one database, and the intervals that follow from it.

The only process of a database knows of all new work, so its loops rarely search the database. The
leases that this process finds at its start belong to a dead process. Of several processes, each
must soon find the work that another process stored, or left behind when it died.
"""

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True)
class Sharing:
    """How the loops of a process share the database.

    ``lease`` is the time limit of a claim of an update or a chat queue; the process renews it
    meanwhile. The other intervals are the longest pauses between two searches for due work.
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
