"""The domain model of the bot and the rules.

The package is pure: no import of other packages of the bot, no database, no network. The current
time is an argument. Public: the concepts of Telegram and Instagram (``model``), the stored rows
(``records``), the hierarchy of errors (``errors``), the markers of translatable messages
(``sentences``), and a module for each rule (``alert_rules``, ``selection``, ``budget`` …).
"""
