"""Leases of claims for the tests of the store."""

from datetime import datetime, timedelta

from bot.runtime.claims import Lease

OWNER = "process:test"


def lease_at(
    at: datetime, duration: timedelta = timedelta(minutes=1), *, owner: str = OWNER
) -> Lease:
    """Return the lease of a claim made at a time."""
    return Lease(owner, at, at + duration)
