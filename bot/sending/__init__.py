"""The delivery of albums and texts to Telegram: by file_id, by URL, by upload, by a paid download.

Input: a target, an album or a payload, and the ``Calls`` that make the requests. Output: an
``Outcome`` that states for each item whether the item is in the chat. Public: ``sender.Sender``,
``replies.Replies``, ``topics.Topics``.
"""
