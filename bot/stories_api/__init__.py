"""The adapter to the Stories API, a paid HTTP service; its wire format is seen here only.

In: an id, a name or an address. Out: what was asked for with the credits that it was billed, or
a ``StoriesError`` that knows them as well. Public: ``client.StoriesApi``,
``endpoints.Endpoint``, ``endpoints.Answer``, ``endpoints.Balance``, ``endpoints.cost``,
``limit_state.SharedLimits``.
"""
