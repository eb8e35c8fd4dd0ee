"""Updates from Telegram. The updates of a chat are handled in order.

An update is stored before the bot confirms the update to Telegram. Input: updates from ``polling``
or ``bot.web``. Output: calls of the handlers. All database writes and replies for an update are
one transaction (``unit_of_work``). Public: ``inbox.Intake``, ``polling.Polling``,
``handling.Handling``, ``unit_of_work.writing``.
"""
