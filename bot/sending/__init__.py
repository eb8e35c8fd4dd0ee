"""Albums and texts into Telegram: by file_id, by URL, by upload, by a paid download.

In: a target, an album or a payload, and the ``Calls`` that make the requests. Out: an ``Outcome``
that has for each item whether it is in the chat. Public: ``sender.Sender``, ``replies.Replies``,
``topics.Topics``.
"""
