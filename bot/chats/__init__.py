"""What a chat decides: what it follows, with which options and settings, and who may use the bot.

In: a chat and what a person asked for. Out: subscriptions, explanations, files to export.
Public: ``access.Access``, ``subscribing.Subscribing``, ``subscriptions.Subscriptions``,
``settings.Chats``, ``past.Past``, ``explain.Why``, ``presence.ChatPresence``,
``import_export.ImportEntry``.
"""
