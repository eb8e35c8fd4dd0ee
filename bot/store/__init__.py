"""What the bot remembers: one file of functions an entity; nobody outside sees a table.

Every function takes an open transaction (``tx``) first: its caller decides what is all or nothing.
``engine`` is how a database is spoken to, and imports no entity; ``copies`` are backups and the
move to PostgreSQL.
Public: ``Database`` and ``Tx`` of ``engine.database``, and the functions of each entity.

**The order of locks.** A transaction that changes several rows takes them in this order, so that
no two wait for each other:

1. the fan-out that it advances,
2. chats, by id (``chats.lock``), where their own row changes or goes,
3. chat queues, by chat id (``chat_queues.lock_all``); who has a chat's queue may insert what
   refers to the chat, and who deletes a chat does so last,
4. the topics, subscriptions and deliveries of those chats,
5. profiles, by id (``profiles.lock``, ``subscriptions.switch_checks``), and their stories,
6. money: allowances, account (``budgets``), then the days of usage, by chat id.

A check takes profiles and money only: it leaves a fan-out, which brings its news to the chats.
What takes many rows of one kind takes them in order, or passes over those that are taken.
"""
