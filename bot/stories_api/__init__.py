"""The adapter to the Stories API, a paid HTTP service; its wire format is seen here only.

In: an id, a name or an address, and what is known of the account. Out: a call that tells its
price (``domain.paid_calls``). Awaited, it gives what was asked for with the credits that it was
billed, or a ``StoriesError`` that knows them as well. Public: ``client.StoriesApi``,
``privacy.PrivacyCheck``.
"""
