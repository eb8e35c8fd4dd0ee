"""Erasure: everything about a chat goes when it asks; bills stay, without the chat."""

import sqlalchemy as sa

from bot.store.database import Tx, all_tables

# The operator's accounts: what was spent must still add up, for whom is forgotten.
BILLS = frozenset({"ledger", "ledger_days"})
PERSONAL = ("chat_id", "user_id")


async def erase_chat(tx: Tx, chat_id: int) -> None:
    """Delete the chat's rows in every table; in the bills only whose they were."""
    for table in reversed(all_tables().sorted_tables):
        if "chat_id" not in table.c:
            continue
        here = table.c.chat_id == chat_id
        if table.name in BILLS:
            nobody = {name: None for name in PERSONAL if name in table.c}
            await tx.execute(sa.update(table).where(here).values(nobody))
        else:
            await tx.execute(sa.delete(table).where(here))
    chats = all_tables().tables["chats"]
    await tx.execute(sa.delete(chats).where(chats.c.id == chat_id))
