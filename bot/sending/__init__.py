"""The delivery of albums and texts to Telegram.

A file is sent by its file_id, by its URL, by an upload, or after a paid download.

Public: ``sender.Sender``, ``items.SendOptions``, ``replies.Replies``, the payloads of ``replies``,
``failed_items``, ``topics.Topics`` and ``sources.is_pasted``.
"""
