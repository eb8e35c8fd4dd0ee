"""The decisions of a chat: subscriptions, options, settings, and access to the bot.

Input: a chat and a request. Output: subscriptions, explanations, files to export. Public:
``access.Access``, ``subscribing.Subscribing``, ``subscriptions.Subscriptions``,
``settings.Chats``, ``past.Past``, ``explain.Why``, ``presence.ChatPresence``,
``import_export.ImportEntry``.
"""
