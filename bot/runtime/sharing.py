"""The intervals at which loops search the database for work, for one or several processes.

With several processes, each process must soon find the work that another process has stored.
"""

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True)
class Sharing:
    """The intervals at which the loops of a process access the database.

    ``lease`` is the time after which a claim expires without a renewal. Each other interval is the
    longest pause of a loop between two searches for due work.
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
    # If a person subscribes to a profile through another process, this process may have to make
    # the first check, and must find the check soon.
    checks_every=timedelta(seconds=5),
    fan_outs_every=timedelta(seconds=5),
    alerts_every=timedelta(seconds=1),
)
