"""Albums and texts into Telegram: by file_id, by URL, by upload, by a paid download.

In: a target and an album. Out: an ``Outcome`` that says for each item whether it is in the chat.
Public: ``sender.Sender``, ``replies.Replies``, ``topics.Topics``.
"""
