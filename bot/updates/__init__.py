"""Updates from Telegram: stored before the confirmation, and handled in order within each chat.

Input: updates from ``polling`` or ``bot.web``. Output: calls of the handlers; the effects and the
replies of an update are one transaction (``unit_of_work``). Public: ``inbox.Intake``,
``polling.Polling``, ``handling.Handling``, ``unit_of_work.writing``.
"""
