"""The domain model of the bot and its rules.

The package is pure. It imports no other package of the bot, uses no database and no network, and
takes the current time as an argument. Public: the concepts of Telegram and Instagram (``model``),
the stored rows (``records``), the hierarchy of errors (``errors``), the markers of translatable
messages (``sentences``), and one module for each rule (``alert_rules``, ``selection``, ``budget``
…).
"""
