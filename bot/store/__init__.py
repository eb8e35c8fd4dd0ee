"""The stored state of the bot. Each kind of entity has a module of functions.

Only this package has tables. A function that reads or writes rows of an entity takes an open
transaction (``tx``) as the first argument, so the caller decides which changes are atomic.
Functions of leases, upgrades and ``copies`` may take a ``Database`` instead. The package
``engine`` opens the database and its transactions, and imports the entities only for
``all_tables``. The package ``copies`` has the backups and the move to PostgreSQL. Public:
``Database`` and ``Tx`` of ``engine.database``, and the functions of each entity.

**The order of locks.** A transaction that changes several rows locks the rows in this order, so
that two transactions do not wait for each other:

1. The fan-out that the transaction advances.
2. The chats, by id (``chats.lock``), if the row of the chat is changed or deleted. After the
   chats, the entries of the access list for these chats and for their persons.
3. The chat queues, by chat id (``chat_queues.lock_all``). After the queues, these allowances
   (``budgets``) in this order: "follows", "payer", "restored" and "earlier".
4. The topics, subscriptions, ended subscriptions and deliveries of these chats.
5. The profiles, by id (``profiles.lock``, ``subscriptions.start_or_stop_checks``), and their
   stories.
6. Money: the entries of the ledger, the other allowances, the account (``budgets``), and then the
   days of usage, by chat id.

Further rules:

- The owner of the lock of a queue may insert rows that refer to the chat. A new row locks the row
  of the chat against deletion, so the queue is locked before the insert. A transaction that
  deletes a chat deletes the chat's row last.
- A group that becomes a supergroup changes the allowance "follows" of both chats only in step 6.
  This exception causes no deadlock, because a transaction that counts new subscriptions locks the
  queue of the chat first.
- A transaction with several chats locks all chats, then all queues, then all profiles, each in
  order. The transaction must not lock all rows of a chat before the rows of the next chat.
- A check locks profiles and money only. The check stores a fan-out, and a later transaction turns
  the fan-out into deliveries for the chats.
- A transaction that locks many rows of one kind locks the rows in order, or skips locked rows.
- Three rare transactions lock a queue or subscriptions too late: the reply to a command about
  another chat, the record of a send to a group that has just moved, and a change of the block
  list. If such a transaction causes a deadlock, PostgreSQL ends one of the waiting transactions.
  The bot then repeats the work of the ended transaction.
"""
