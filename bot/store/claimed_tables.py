"""All tables with claims, and the release of the claims of a process that has ended."""

from bot.store import chat_queues, inbox, profiles
from bot.store.claims import AllOwners
from bot.store.engine.database import Tx

TABLES = (inbox.claims, chat_queues.claims, profiles.claims)


async def release_claims_of_owner(tx: Tx, owner: str | AllOwners = None) -> int:
    """Release the claims of an owner in all tables, or all claims if ``owner`` is None.

    Return the number of released claims. Rows that other transactions have locked are skipped.
    """
    return sum([await claims.release_claims_of_owner(tx, owner) for claims in TABLES])


async def has_claim_of_owner(tx: Tx, owner: str) -> bool:
    """Return whether an owner has a claim in any table."""
    return any([await claims.has_claim_of_owner(tx, owner) for claims in TABLES])
