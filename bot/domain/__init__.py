"""The words of the bot and its rules.

Pure: imports no other room, no database and no network; the time is an argument. Public: what
Telegram and Instagram speak of (``model``), what we keep of it (``records``), the one tree of
errors (``errors``), the marks of sentences (``sentences``), and the rules, a module each
(``alert_rules``, ``selection``, ``budget`` …).
"""
