"""The stored state of the bot: one module of functions per entity. Only this package has tables.

Each function of an entity takes an open transaction (``tx``) as the first argument, so the caller
decides which changes are atomic. Functions of leases and upgrades may take a ``Database`` instead.
``engine`` is the access to a database, and imports the entities only for ``all_tables``.
``copies`` has the backups and the move to PostgreSQL. Public: ``Database`` and ``Tx`` of
``engine.database``, and the functions of each entity.

**The order of locks.** A transaction that changes several rows locks the rows in this order, so
that two transactions never wait for each other:

1. the fan-out that the transaction advances,
2. chats, by id (``chats.lock``), if the row of the chat is changed or deleted. Only then the
   entries of the access list of these chats and of their persons,
3. chat queues, by chat id (``chat_queues.lock_all``). The owner of the lock may insert rows that
   refer to the chat. A new row locks the row of the chat against deletion, so the queue is locked
   before the insert. A transaction that deletes a chat deletes the chat's row last. Then the
   counters of new subscriptions: the allowances "follows" and "payer". A move changes the
   counter "follows" of its chats as late as money. The lock of the queues excludes a wait in the
   opposite order: a transaction that counts new subscriptions locks the queue of the chat first.
4. the topics, subscriptions and deliveries of these chats,
5. profiles, by id (``profiles.lock``, ``subscriptions.switch_checks``), and their stories,
6. money: the entries of the ledger, the other allowances, account (``budgets``), then the days of
   usage, by chat id.

A transaction with several chats locks all chats, then all queues, then all profiles, each in
order. The transaction does not finish a chat before it locks the next chat.

A check locks profiles and money only: the check stores a fan-out, which later reaches the chats. A
transaction that locks many rows of one kind locks them in order, or skips locked rows.
"""
