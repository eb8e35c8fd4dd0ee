"""Updates of Telegram: stored first, confirmed then, handled after, in order for each chat.

In: updates by ``polling``, or posted to ``bot.web``. Out: calls of the handlers, and what each
changed and answers as one transaction (``unit_of_work``). Public: ``inbox.Intake``,
``polling.Polling``, ``handling.Handling``, ``unit_of_work.writing``.
"""
