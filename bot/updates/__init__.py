"""Updates from Telegram. The updates of a chat are handled in order.

The database writes and replies for an update are one transaction (``unit_of_work``).

Public: ``inbox.Intake``, ``polling.Polling``, ``handling.Handling``,
``unit_of_work.join_or_begin_transaction``.
"""
