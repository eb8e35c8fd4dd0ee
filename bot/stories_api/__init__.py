"""The adapter to the Stories API, a paid HTTP service. Only this package knows the wire format.

Input: an id, a name or a URL. Output: a call that states its price (``domain.paid_calls``).
Public: ``client.StoriesApi``, ``privacy.PrivacyCheck``.
"""
