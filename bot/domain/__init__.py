"""The domain model and the rules of the bot. The package is pure, and has no I/O.

The package imports no other package of the bot. Functions get the current time as an argument.
Public:

- ``model``: the concepts of Telegram and Instagram;
- ``records``: the stored rows;
- ``errors``: the hierarchy of errors;
- ``sentences``: the markers of translatable messages;
- a module for each rule, such as ``alert_rules``, ``selection`` and ``budget``.
"""
