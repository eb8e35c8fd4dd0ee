"""The domain model and the rules of the bot, without a database and without a network.

Functions get the current time as an argument. Public: ``model`` (Telegram and Instagram),
``records`` (stored rows), ``errors``, ``sentences`` (translatable messages), and a module for each
rule, such as ``alert_rules`` and ``budget``.
"""
