"""The decisions about a chat: its subscriptions, options, settings, and access to the bot.

Input: a chat and a request. Output: subscriptions, explanations, exported files. Public:
``access.Access``, ``subscribing.Subscribing``, ``subscriptions.Subscriptions``,
``payers.Payers``, ``settings.Chats``, ``past.Past``, ``explain.Why``, ``presence.ChatPresence``,
``import_export``, ``followed_accounts``.
"""
