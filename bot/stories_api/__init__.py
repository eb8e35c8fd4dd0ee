"""The adapter to the Stories API, a paid HTTP service. Only this package knows the wire format.

Input: an id, a name or a URL, and the known facts about the account. Output: a call that states
its price (``domain.paid_calls``). An awaited call returns the result and the billed credits. A
failed call raises a ``StoriesError`` with the billed credits. A failed download may also raise a
``MediaError``. Public: ``client.StoriesApi``, ``privacy.PrivacyCheck``.
"""
