"""The delivery of albums and texts to Telegram.

A file is sent by its file_id, by its URL, by an upload, or after a paid download.

Input: the target, the album or payload to send, and the ``Calls`` that make the requests. Output:
an ``Outcome``, which states which items have arrived in the chat. Public: ``sender.Sender``,
``items.SendOptions``, ``replies.Replies``, the payloads of ``replies``, ``failed_items``,
``topics.Topics`` and ``sources.is_pasted``.
"""
